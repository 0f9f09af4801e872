import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Clock } from '../clock.js';
import { CONFIG, type Config } from '../config.js';
import { Database } from '../database/database.js';
import { Conflict, InvalidInput, NotFound, Unavailable } from '../errors.js';
import { LOG, type Log } from '../ops/log.js';
import { Recurring } from '../recurring.js';
import { claimThreats, settleThreat, type DueThreat } from '../verdicts/sql/external-threats.js';
import { wholeMilliseconds } from '../verdicts/whole-milliseconds.js';
import { ScanRequests } from './scan-requests.service.js';

const EVERY_MS = 5_000;
const LIMIT = 20;
// A scan that is under way has its verdict by then as a rule; a node that died in between costs as much.
const LOOK_AGAIN_MS = 60_000;
// About a day and a half, at a minute at first and then at an hour.
const MAX_ATTEMPTS = 40;
const HOUR_MS = 3_600_000;

/** Verdicts after which people are asked, or nothing is there to look at: another scan would say nothing new. */
const JUDGED: ReadonlySet<string> = new Set(['infected', 'secrets', 'suspicious', 'gone', 'superseded']);

/**
 * Sees to it that what another scanner found is answered: an object that was judged before the finding came is scanned
 * once more, and that scan knows of it.
 */
@Injectable()
export class ExternalThreats implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: Recurring;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly requests: ScanRequests,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOG) private readonly log: Log,
  ) {
    this.loop = new Recurring({
      clock,
      log,
      everyMs: EVERY_MS,
      onFailure: 'findings of other scanners could not be seen to; it is tried again',
      turn: () => this.turn(),
    });
  }

  onApplicationBootstrap(): void {
    if (this.config.ROLES.includes('intake')) this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  async turn(): Promise<void> {
    const now = wholeMilliseconds(this.clock);
    const due = await claimThreats(this.database, { now, nextLookAt: now + LOOK_AGAIN_MS, limit: LIMIT });
    for (const threat of due) await this.seeTo(threat);
  }

  private async seeTo(threat: DueThreat): Promise<void> {
    const { verdict, reason } = threat;
    // Its scan is under way, or waits; what it finds will be judged with this.
    if (verdict === 'pending') return this.later(threat);
    // A person looked at these bytes and let them go.
    if (verdict !== null && (JUDGED.has(verdict) || reason === 'released_by_review')) {
      return this.settle(threat, 'judged');
    }
    try {
      await this.requests.request(
        {
          endpointId: threat.endpoint_id,
          bucket: threat.bucket,
          key: threat.key,
          versionId: threat.version_id ?? undefined,
        },
        `system:${threat.engine}`,
      );
      await this.settle(threat, 'rescanned');
    } catch (error) {
      if (error instanceof NotFound) return this.settle(threat, 'gone');
      if (error instanceof Unavailable && error.dependency === 's3') return this.later(threat);
      if (!(error instanceof Conflict) && !(error instanceof InvalidInput)) throw error;
      // It may not be read now, or its bucket is registered no more.
      await this.later(threat, error);
    }
  }

  private async settle({ id }: DueThreat, outcome: Parameters<typeof settleThreat>[2]): Promise<void> {
    await settleThreat(this.database, id, outcome, wholeMilliseconds(this.clock));
  }

  private async later(threat: DueThreat, error?: Error): Promise<void> {
    const { id, attempts, engine, bucket } = threat;
    if (attempts >= MAX_ATTEMPTS && error !== undefined) {
      this.log.warn(
        { err: error, engine, bucket },
        'what another scanner found could not be looked at; given up',
      );
      await this.settle(threat, 'given_up');
      return;
    }
    if (attempts < 10) return;
    await this.database.query('UPDATE external_threat SET look_at = $2 WHERE id = $1', [
      id,
      wholeMilliseconds(this.clock) + HOUR_MS,
    ]);
  }
}
