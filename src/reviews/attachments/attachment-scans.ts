import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Clock } from '../../clock.js';
import { CONFIG, type Config } from '../../config.js';
import { Database } from '../../database/database.js';
import { LOG, type Log } from '../../ops/log.js';
import { Recurring } from '../../recurring.js';
import { ReviewWriter, SYSTEM } from '../review-writer.js';
import { AttachmentScanner, MAX_ATTACHMENT_BYTES, type AttachmentVerdict } from './attachment-scanner.js';
import { refusalOf } from './refusal.js';
import {
  attachmentBytes,
  handBack,
  judgeAttachment,
  scanLater,
  takeToScan,
  type Attachment,
} from './sql/attachments.js';

const EVERY_MS = 2_000;
const PER_TURN = 20;
const SCAN_MS = 2 * 60_000;
/** Longer than a scan may take: whoever has it then is dead, or gives up. */
export const LEASE_MS = SCAN_MS + 60_000;
/** One that ends its process each time must come to an end too. */
export const MAX_ATTEMPTS = 4;
/** After the first failure; twice as long after each. */
const PAUSE_MS = 5_000;

/**
 * Scans what was attached, one file at a time, in role worker: any node takes whatever waits, also what another one had
 * begun when it was killed.
 */
@Injectable()
export class AttachmentScans implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly rounds: Recurring;

  constructor(
    @Inject(CONFIG) private readonly config: Pick<Config, 'ROLES'>,
    @Inject(LOG) private readonly log: Log,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly scanner: AttachmentScanner,
    private readonly writer: ReviewWriter,
  ) {
    this.rounds = new Recurring({
      clock,
      log,
      everyMs: EVERY_MS,
      onFailure: 'attachments could not be scanned; tried again soon',
      turn: (signal) => this.scanWaiting(signal),
    });
  }

  onApplicationBootstrap(): void {
    if (this.config.ROLES.includes('worker')) this.rounds.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.rounds.stop();
  }

  /** Something waits: where this process scans, it begins now. */
  wake(): void {
    this.rounds.wake();
  }

  /** One bounded turn. @returns how many were taken. */
  async scanWaiting(signal: AbortSignal): Promise<number> {
    for (let taken = 0; taken < PER_TURN; taken += 1) {
      if (signal.aborted) return taken;
      const now = this.now();
      const next = await takeToScan(this.db, { now, until: now + LEASE_MS });
      if (next === undefined) return taken;
      await this.scan(next, signal);
    }
    return PER_TURN;
  }

  private async scan(attachment: Attachment, signal: AbortSignal): Promise<void> {
    const { id, name, sha256, attempts } = attachment;
    // Begun so often and never ended: no attempt more.
    if (attempts > MAX_ATTEMPTS) return this.judged(attachment, GIVEN_UP);
    try {
      const bytes = await attachmentBytes(this.db, id, 0, MAX_ATTACHMENT_BYTES);
      if (bytes === undefined) throw new Error(`the bytes of attachment ${id} are not there`);
      const within = AbortSignal.any([signal, AbortSignal.timeout(SCAN_MS)]);
      const verdict = await this.scanner.scan({ id, name, sha256, bytes }, within);
      // A daemon that starts or is restarted is there in a moment.
      if (verdict.mayDoBetter && attempts < MAX_ATTEMPTS) await this.later(attachment);
      else await this.judged(attachment, verdict);
    } catch (error) {
      // Stopped by us: the next one begins at once, and this attempt was none of the file's doing.
      if (signal.aborted) {
        await handBack(this.db, attachment, this.now());
        return;
      }
      this.log.warn({ err: error, attachment: id, attempts }, 'an attachment could not be scanned');
      if (attempts >= MAX_ATTEMPTS) await this.judged(attachment, GIVEN_UP);
      else await this.later(attachment);
    }
  }

  private later(attachment: Attachment): Promise<unknown> {
    return scanLater(this.db, attachment, this.now() + PAUSE_MS * 2 ** (attachment.attempts - 1));
  }

  private async judged(attachment: Attachment, said: Omit<AttachmentVerdict, 'mayDoBetter'>): Promise<void> {
    const { verdict, reason, engines } = said;
    const why = refusalOf(said) ?? null;
    const at = this.now();
    await this.db.transaction(async (tx) => {
      if (!(await judgeAttachment(tx, attachment, { verdict, reason, why, engines, at }))) return;
      const { id, reviewId, name, sha256 } = attachment;
      const kind = why === null ? 'attachment_clean' : 'attachment_refused';
      const data = { attachment: id, name, sha256, verdict, engines };
      await this.writer.note(tx, reviewId, kind, SYSTEM, at, {
        ...data,
        ...(why === null ? {} : { reason: why }),
      });
    });
  }

  private readonly now = (): number => Math.round(this.clock.now());
}

const GIVEN_UP = { verdict: 'failed', reason: 'scan_failed', engines: [], found: [] } as const;
