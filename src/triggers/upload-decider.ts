import type { Logger } from 'pino';
import type { BacklogBell } from '../backlog/backlog-bell.js';
import { DECIDE_WITHIN_MS } from '../backlog/sql/enqueue.js';
import type { Clock } from '../clock.js';
import type { Database } from '../database/database.js';
import type { JsonObject } from '../engine/model/json.js';
import { Recurring } from '../recurring.js';
import type { ObjectStorage } from '../s3/object-storage.js';
import type { Ledger } from '../verdicts/ledger.js';
import { wholeMilliseconds } from '../verdicts/whole-milliseconds.js';
import { askObject } from './ask-object.js';
import { RESERVED } from './match-input.js';
import type { Start, Upload } from './match.js';
import {
  claimUndecided,
  postponeDecision,
  removeDenied,
  storeDecision,
  type UndecidedRow,
} from './sql/undecided-items.js';
import type { TriggerRules } from './trigger-rules.js';
import { readUndecided } from './undecided.js';

const LOOK_EVERY_MS = 1000;
// Small requests, of which most of the time is waiting: as many as a few scanners make.
const AT_ONCE = 16;
const LEASE_MS = 60_000;
const ASK_WITHIN_MS = 30_000;
const FIRST_RETRY_MS = 1000;
const MAX_RETRY_MS = 60_000;

export interface UploadDeciderParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly rules: TriggerRules;
  readonly storage: Pick<ObjectStorage, 'head' | 'peek' | 'readTags'>;
  readonly ledger: Ledger;
  readonly bell: BacklogBell;
  readonly log: Logger;
}

/**
 * Decides what the intake could not: asks the objects of waiting uploads for their types and tags, and lets them start
 * or skips them as the rules say then. Each step may be repeated, so a crash costs a look. A bucket that stays silent
 * decides nothing away: after a quarter of an hour the rules decide in doubt, and in doubt an upload is scanned.
 */
export class UploadDecider {
  private readonly looks: Recurring;
  private readonly stopping = new AbortController();
  private ringing: Promise<void> | undefined;

  constructor(private readonly parts: UploadDeciderParts) {
    const { clock, log } = parts;
    this.looks = new Recurring({
      clock,
      log,
      everyMs: LOOK_EVERY_MS,
      onFailure: 'waiting uploads could not be decided',
      turn: (signal) => this.turn(signal),
    });
  }

  start(): void {
    this.looks.start();
    this.ringing ??= this.followBell();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all([this.looks.stop(), this.ringing]);
  }

  /** Decides all that waits now. @returns how many were decided. */
  async turn(signal?: AbortSignal): Promise<number> {
    const { database, clock, bell } = this.parts;
    let decided = 0;
    let isMore = true;
    while (isMore) {
      const now = wholeMilliseconds(clock);
      const rows = await claimUndecided(database, { now, leaseUntil: now + LEASE_MS, limit: AT_ONCE });
      const outcomes = await Promise.all(rows.map((row) => this.decide(row)));
      if (outcomes.includes('start')) bell.ring();
      decided += outcomes.filter((outcome) => outcome !== 'later').length;
      isMore = rows.length === AT_ONCE && signal?.aborted !== true;
    }
    return decided;
  }

  private async followBell(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await this.parts.bell.wait(signal);
      this.looks.wake();
    }
  }

  /** Never throws: one object that cannot be decided holds up no other. */
  private async decide(row: UndecidedRow): Promise<'start' | 'skip' | 'later'> {
    const { database, clock, log } = this.parts;
    try {
      return await this.tryToDecide(row);
    } catch (error) {
      const now = wholeMilliseconds(clock);
      const waited = Math.max(0, now - row.enqueued_at);
      log.warn(
        { err: error, scanId: row.scan_id },
        'an object could not be asked what the rules want to know',
      );
      const message = error instanceof Error ? error.message : String(error);
      // Half as long again as it has waited already: fewer looks the longer a bucket is away.
      const delay = Math.min(Math.max(waited / 2, FIRST_RETRY_MS), MAX_RETRY_MS);
      await postponeDecision(database, {
        scanId: row.scan_id,
        decideAt: now + Math.round(delay),
        error: `the rules ask for its type or tags: ${message}`.replaceAll('\u0000', '').slice(0, 1000),
      }).catch(() => {
        // The lease runs out, and it is looked at again.
      });
      return 'later';
    }
  }

  private async tryToDecide(row: UndecidedRow): Promise<'start' | 'skip'> {
    const { database, clock, rules } = this.parts;
    const upload: Upload & { endpointId: string } = readUndecided(row.upload);
    const match = await rules.match(database);
    // The rules may have changed since, and know without an answer now.
    const first = match(upload);
    const { upload: asked, problems } =
      first.kind === 'start' && first.undecided !== undefined
        ? await this.ask(row, upload, first.undecided)
        : { upload, problems: [] };
    const decision = match(asked);
    if (decision.kind === 'start') {
      await storeDecision(database, {
        scanId: row.scan_id,
        rule: decision.rule,
        workflowName: decision.workflowName,
        workflowVersion: decision.workflowVersion,
        priority: decision.priority,
        input: inputOf(decision, row.input),
        now: wholeMilliseconds(clock),
      });
      return 'start';
    }
    await this.skip(row, asked, decision.rule, problems);
    return 'skip';
  }

  private async ask(
    row: UndecidedRow,
    upload: Upload & { endpointId: string },
    needs: NonNullable<Start['undecided']>,
  ): Promise<{ upload: Upload; problems: readonly string[] }> {
    const { clock, storage, log } = this.parts;
    const isLate = clock.now() >= row.enqueued_at + DECIDE_WITHIN_MS;
    try {
      const signal = AbortSignal.any([this.stopping.signal, AbortSignal.timeout(ASK_WITHIN_MS)]);
      return await askObject(storage, upload, needs, signal);
    } catch (error) {
      if (!isLate || this.stopping.signal.aborted) throw error;
      log.warn({ err: error, scanId: row.scan_id }, 'an object does not answer; the rules decide in doubt');
      return { upload: { ...upload, isInspected: true }, problems: [] };
    }
  }

  /** The verdict first, so that a crash in between repeats it instead of losing it. */
  private async skip(
    { scan_id: scanId, workflow_id: workflowId }: UndecidedRow,
    upload: Upload,
    rule: string,
    problems: readonly string[],
  ): Promise<void> {
    const { ledger, database } = this.parts;
    await ledger.recordVerdict(scanId, {
      verdict: 'skipped',
      reason: rule,
      ...(problems.length > 0 && { detail: problems.join('; ') }),
      engines: [],
      bytesScanned: 0,
      bytesTotal: upload.sizeBytes ?? 0,
      notCovered: [],
      workflowId,
    });
    await ledger.close(scanId);
    await removeDenied(database, scanId);
  }
}

/** What every scan gets stays; what a rule added in doubt goes. */
function inputOf({ input }: Start, stored: JsonObject): JsonObject {
  const kept = Object.fromEntries(Object.entries(stored).filter(([name]) => RESERVED.includes(name)));
  return { ...input, ...kept };
}
