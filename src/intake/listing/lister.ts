import { Conflict } from '../../errors.js';
import { ListingBroken, ListingGuard } from '../../s3/listing-guard.js';
import type { BucketPolicy } from '../../s3/buckets.js';
import type { ListingKind } from '../../s3/list-pages.js';
import { StorageError } from '../../s3/storage-error.js';
import { wholeMilliseconds } from '../../verdicts/whole-milliseconds.js';
import { storeBackfillPage } from './backfill-step.js';
import { ESTIMATE_BOUNDS, estimateBackfill, type EstimateBounds } from './estimate-step.js';
import type { Prices } from './estimate.js';
import { forgetEstimates } from './forget-estimates.js';
import { storeReconciledPage, type Carried } from './reconcile-step.js';
import { storeRescanPage } from './rescan-step.js';
import { outstanding, type Run } from './run.js';
import { settleRun } from './settle.js';
import { changeRun, claimRun, findRun, openRuns, releaseRun, type RunChange } from './sql/runs.js';
import { isScanned, LEASE_MS, RunLost, tellEnd, type ListingParts } from './steps.js';

export interface ListerParts extends ListingParts {
  /** Scans of all runs together that may wait for their verdicts; a page more is let through. */
  readonly highWater: number;
  readonly prices: Prices;
  /** Smaller in tests. */
  readonly pageSize?: number | undefined;
  readonly estimateBounds?: EstimateBounds | undefined;
}

/** What of a listing is kept from one slice to the next; made anew after a failure or on another node. */
interface Session {
  readonly kind: ListingKind;
  readonly guard: ListingGuard;
  readonly carried: Carried;
}

// So that several runs get on side by side.
const PAGES_OF_SLICE = 10;
const FORGET_EVERY_MS = 600_000;
const MAX_OPEN_RUNS = 200;
const FIRST_RETRY_MS = 2_000;
const MAX_RETRY_MS = 300_000;
// With the pauses between them about eight hours: S3's longest troubles were shorter.
const MAX_FAILURES = 100;
// A permission may be in the making.
const MAX_DENIALS = 5;

/**
 * Works on the open runs: lists, compares, enqueues, and counts what ended. A run is one node's at a time, by a lease in its
 * row; each page is committed with its place, so whoever goes on repeats nothing and leaves nothing out.
 */
export class Lister {
  private readonly sessions = new Map<string, Session>();
  private forgotAt = -Infinity;

  constructor(private readonly parts: ListerParts) {}

  /**
   * Counts what ended, then gives each run that may list a slice of work.
   *
   * @returns whether a run got on, so that another turn may find more to list.
   */
  async turn(signal: AbortSignal): Promise<boolean> {
    const { database } = this.parts;
    await this.forgetEstimates();
    for (const run of await openRuns(database, MAX_OPEN_RUNS)) {
      if (signal.aborted) return false;
      if (run.state !== 'estimating') await settleRun(this.parts, run.id);
    }
    const open = await openRuns(database, MAX_OPEN_RUNS);
    this.forget(open);
    const listing = open.filter(({ state, listedAt }) => state === 'running' && listedAt === undefined);
    const room = Math.ceil(this.parts.highWater / Math.max(1, listing.length));
    let moved = false;
    for (const run of open) {
      if (signal.aborted) return moved;
      const mayList = run.state === 'estimating' || (run.state === 'running' && run.listedAt === undefined);
      if (!mayList || outstanding(run) >= room) continue;
      moved = (await this.slice(run.id, room, signal)) || moved;
    }
    return moved;
  }

  private async forgetEstimates(): Promise<void> {
    const now = wholeMilliseconds(this.parts.clock);
    if (now - this.forgotAt < FORGET_EVERY_MS) return;
    await forgetEstimates(this.parts.database, now);
    this.forgotAt = now;
  }

  /** @returns whether the run got on. */
  private async slice(id: string, room: number, signal: AbortSignal): Promise<boolean> {
    const { database, clock, owner, log } = this.parts;
    const now = wholeMilliseconds(clock);
    const run = await claimRun(database, { id, owner, now, until: now + LEASE_MS });
    if (run === undefined) return false;
    try {
      await this.work(run, room, signal);
      return true;
    } catch (error) {
      this.sessions.delete(id);
      if (error instanceof RunLost || signal.aborted) return false;
      if (!isToldBy(error)) throw error;
      log.warn({ err: error, runId: id, bucket: run.bucket }, 'a listing does not get on');
      await this.fail(id, error);
      return false;
    } finally {
      await releaseRun(database, { id, owner, at: wholeMilliseconds(clock) });
    }
  }

  private async work(run: Run, room: number, signal: AbortSignal): Promise<void> {
    if (run.kind === 'rescan') {
      await this.rescan(run, room, signal);
      return;
    }
    const policy = this.parts.buckets.find(run.endpointId ?? '', run.bucket ?? '');
    if (!isScanned(policy)) {
      throw new Conflict(
        `The bucket ${run.bucket} is no longer registered, or disabled. Register it, then resume.`,
      );
    }
    if (run.state === 'estimating') {
      if (run.kind !== 'backfill') throw new RunLost();
      const { prices, estimateBounds: bounds = ESTIMATE_BOUNDS, pageSize } = this.parts;
      await estimateBackfill(this.parts, run, { policy, prices, bounds, pageSize, signal });
      return;
    }
    await this.list(run, policy, room, signal);
  }

  private async list(run: Run, policy: BucketPolicy, room: number, signal: AbortSignal): Promise<void> {
    const session = await this.sessionOf(run, policy);
    const listing = this.parts.storage.listPages(policy, {
      kind: session.kind,
      guard: session.guard,
      prefix: run.prefix,
      after: run.place,
      pageSize: this.parts.pageSize,
      signal,
    });
    let current = run;
    let pages = 0;
    for await (const page of listing) {
      current =
        current.kind === 'reconcile'
          ? await storeReconciledPage(this.parts, current, page, { policy, carried: session.carried, signal })
          : current.kind === 'backfill'
            ? await storeBackfillPage(this.parts, current, page)
            : current;
      pages += 1;
      if (pages >= PAGES_OF_SLICE || outstanding(current) >= room || signal.aborted) break;
    }
  }

  private async rescan(run: Run, room: number, signal: AbortSignal): Promise<void> {
    let current = run;
    for (let pages = 0; pages < PAGES_OF_SLICE && outstanding(current) < room; pages += 1) {
      if (current.kind !== 'rescan' || current.listedAt !== undefined || signal.aborted) return;
      current = await storeRescanPage(this.parts, current, this.parts.pageSize);
    }
  }

  private async sessionOf(run: Run, policy: BucketPolicy): Promise<Session> {
    const known = this.sessions.get(run.id);
    if (known !== undefined && known.guard.isAt(run.place)) return known;
    const session = {
      kind: await this.parts.storage.listingKind(policy),
      guard: new ListingGuard(run.prefix, run.place),
      carried: { key: undefined, identities: new Set<string>() },
    };
    this.sessions.set(run.id, session);
    return session;
  }

  private forget(open: readonly Run[]): void {
    const ids = new Set(open.map(({ id }) => id));
    for (const id of this.sessions.keys()) if (!ids.has(id)) this.sessions.delete(id);
  }

  /** What passes is tried again later and later; what does not ends the run, with the reason. It can be resumed. */
  private async fail(id: string, error: Told): Promise<void> {
    const { database, clock } = this.parts;
    await database.transaction(async (tx) => {
      const run = await findRun(tx, id, { lock: true });
      if (run === undefined || !['estimating', 'running'].includes(run.state)) return;
      const failures = run.failures + 1;
      const at = wholeMilliseconds(clock);
      const change: RunChange = mayPass(error, failures)
        ? { notBefore: at + Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures, 12), MAX_RETRY_MS) }
        : { state: 'failed', endedAt: at };
      const told = { ...change, failures, lastError: error.message.slice(0, 1000) };
      await changeRun(tx, id, told);
      await tellEnd(tx, clock, run, told);
    });
  }
}

/** What a run fails with; everything else is our own trouble, and the next look tries again. */
type Told = StorageError | ListingBroken | Conflict;

const isToldBy = (error: unknown): error is Told =>
  error instanceof StorageError || error instanceof ListingBroken || error instanceof Conflict;

function mayPass(error: Told, failures: number): boolean {
  if (!(error instanceof StorageError)) return false;
  if (error.retryable) return failures < MAX_FAILURES;
  return error.outcome === 'denied' && failures < MAX_DENIALS;
}
