import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { appendAudit } from '../../audit/audit.js';
import { BacklogBell } from '../../backlog/backlog-bell.js';
import { Clock, type Instant } from '../../clock.js';
import type { Config } from '../../config.js';
import { Database } from '../../database/database.js';
import type { Queryable } from '../../database/queryable.js';
import { Conflict, InvalidInput, NotFound } from '../../errors.js';
import { Buckets, type BucketPolicy } from '../../s3/buckets.js';
import { findBucket } from '../find-bucket.js';
import { appendVerdicts } from '../../verdicts/sql/append-verdict.js';
import { wholeMilliseconds } from '../../verdicts/whole-milliseconds.js';
import type { Prices } from './estimate.js';
import { ListingBell } from './listing-bell.js';
import { CANCELLED_REASON } from './need.js';
import { added, type BackfillOptions, type ReconcileOptions, type RescanOptions, type Run } from './run.js';
import type { RunState } from './run-answer.js';
import {
  closeScans,
  forgetItems,
  holdItems,
  letItemsGo,
  withdrawItems,
  type WithdrawnScan,
} from './sql/items.js';
import {
  changeRun,
  findOpenReconcile,
  findRun,
  insertRun,
  openRuns,
  type NewRun,
  type RunChange,
} from './sql/runs.js';

/**
 * Who asked, and why; `onceKey` makes the same wish twice one run. `isAlone`: a comparison that is under way already is not
 * taken for it, since it may be past a part that matters, or wait for somebody.
 */
export interface RunRequest {
  readonly actor: string;
  readonly cause: string;
  readonly onceKey?: string | undefined;
  readonly isAlone?: boolean | undefined;
  readonly endpointId?: string | undefined;
}

// More would only wait for each other.
const MAX_OPEN = 100;
/** Uploads younger than this are left to their events. */
export const GRACE_MS = 10 * 60_000;

export const pricesOf = ({ S3_PRICES: given }: Pick<Config, 'S3_PRICES'>): Prices => ({
  currency: given.currency,
  perThousandList: given.list,
  perThousandGet: given.get,
  perThousandPut: given.put,
  perGigabyteOut: given.gb,
});

/** Backfills, rescans and reconciliations, as people and other parts begin and steer them. */
@Injectable()
export class ListingRuns {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly buckets: Buckets,
    private readonly listingBell: ListingBell,
    private readonly bell: BacklogBell,
  ) {}

  /** Begins with an estimate. @throws InvalidInput for a bucket that is not registered, Conflict when too many are open. */
  async backfill(
    wanted: { readonly bucket: string; readonly prefix: string; readonly options: BackfillOptions },
    request: RunRequest,
  ): Promise<Run> {
    const { uploadedAfter, uploadedBefore } = wanted.options;
    if (uploadedAfter !== undefined && uploadedBefore !== undefined && uploadedAfter >= uploadedBefore) {
      throw InvalidInput.field('uploadedBefore', 'must be later than uploadedAfter');
    }
    const { endpointId, bucket } = this.policyOf(wanted.bucket, request.endpointId);
    const { prefix, options } = wanted;
    return this.create(
      { kind: 'backfill', state: 'estimating', endpointId, bucket, prefix, options },
      request,
    );
  }

  /** @throws InvalidInput for a bucket that is not registered. */
  async reconcile(
    wanted: {
      readonly bucket: string;
      readonly prefix?: string | undefined;
      readonly options?: Partial<ReconcileOptions> | undefined;
    },
    request: RunRequest,
  ): Promise<Run> {
    const { endpointId, bucket } = this.policyOf(wanted.bucket, request.endpointId);
    const prefix = wanted.prefix ?? '';
    const options: ReconcileOptions = { graceMs: GRACE_MS, includeOlder: false, ...wanted.options };
    // A night that did not suffice is not begun a second time; what counts for a report is a run of its own.
    const isAlone = options.window !== undefined || request.isAlone === true;
    const open = isAlone ? undefined : await findOpenReconcile(this.database, { endpointId, bucket, prefix });
    if (open !== undefined) return this.find(open);
    return this.create({ kind: 'reconcile', state: 'running', endpointId, bucket, prefix, options }, request);
  }

  /** @throws InvalidInput for a bucket that is not registered. */
  async rescan(
    wanted: {
      readonly bucket?: string | undefined;
      readonly prefix?: string | undefined;
      readonly options: RescanOptions;
    },
    request: RunRequest,
  ): Promise<Run> {
    const policy = wanted.bucket === undefined ? undefined : this.policyOf(wanted.bucket, request.endpointId);
    const { endpointId, bucket } = policy ?? {};
    const { prefix = '', options } = wanted;
    return this.create({ kind: 'rescan', state: 'running', endpointId, bucket, prefix, options }, request);
  }

  /** @throws NotFound */
  async find(id: string): Promise<Run> {
    return there(await findRun(this.database, id), id);
  }

  /** Says yes to an estimate. */
  start(id: string, actor: string): Promise<Run> {
    return this.steer(id, actor, 'started', ['estimated'], async (_, run, at) => {
      if (run.kind === 'backfill' && run.options.dryRun) throw notNow(run, 'it was asked for as a dry run');
      return { state: 'running', startedAt: at };
    });
  }

  /** Lists nothing more; what waits in the backlog stays there. Scans that have begun come to their end. */
  pause(id: string, actor: string): Promise<Run> {
    return this.steer(id, actor, 'paused', ['running'], async (tx) => {
      await holdItems(tx, id);
      return { state: 'paused' };
    });
  }

  /** Goes on where it was, after a pause or a failure. */
  async resume(id: string, actor: string): Promise<Run> {
    const run = await this.steer(id, actor, 'resumed', ['paused', 'failed'], async (tx, before, at) => {
      await letItemsGo(tx, id, at);
      const hasBegun = before.kind !== 'backfill' || before.startedAt !== undefined;
      return {
        state: hasBegun ? 'running' : 'estimating',
        endedAt: null,
        failures: 0,
        lastError: null,
        notBefore: 0,
        settledAt: at,
      };
    });
    this.bell.ring();
    return run;
  }

  /** Ends it, and takes out of the backlog what has not begun. */
  cancel(id: string, actor: string): Promise<Run> {
    const open: RunState[] = ['estimating', 'estimated', 'running', 'paused', 'failed'];
    return this.steer(id, actor, 'cancelled', open, async (tx, run, at) => {
      const withdrawn = await withdrawItems(tx, id);
      await this.closeWithdrawn(tx, withdrawn, actor, at);
      await forgetItems(tx, id);
      return {
        state: 'cancelled',
        endedAt: at,
        counts: added(run.counts, {
          enqueued: -withdrawn.length,
          enqueuedBytes: -withdrawn.reduce((sum, { size_bytes }) => sum + size_bytes, 0),
        }),
      };
    });
  }

  /** What has an earlier verdict keeps it; of the rest the ledger says why nobody looked. */
  private async closeWithdrawn(
    tx: Queryable,
    withdrawn: readonly WithdrawnScan[],
    actor: string,
    at: Instant,
  ): Promise<void> {
    await appendVerdicts(
      tx,
      withdrawn
        .filter((scan) => !scan.is_judged)
        .map((scan) => ({
          objectId: scan.object_id,
          scanId: scan.scan_id,
          generation: scan.generation,
          verdict: 'skipped',
          reason: CANCELLED_REASON,
          engines: [],
          bytesScanned: 0,
          bytesTotal: scan.size_bytes,
          notCovered: [],
          at,
          actor,
        })),
    );
    await closeScans(
      tx,
      withdrawn.map((scan) => scan.scan_id),
      at,
    );
  }

  private async create(
    run: Omit<NewRun, 'id' | 'requestedBy' | 'cause' | 'at'>,
    { actor, cause, onceKey }: RunRequest,
  ): Promise<Run> {
    const id = randomUUID();
    const at = wholeMilliseconds(this.clock);
    const made = await this.database.transaction(async (tx) => {
      const open = await openRuns(tx, MAX_OPEN);
      if (open.length >= MAX_OPEN) {
        throw new Conflict(
          `${MAX_OPEN} runs are open already. Wait for some to end, or cancel what is not needed.`,
        );
      }
      const isNew = await insertRun(tx, { ...run, id, requestedBy: actor, cause, onceKey, at });
      if (isNew) {
        const { bucket = null, prefix, options } = run;
        const data = { bucket, prefix, options, cause };
        await appendAudit(tx, [{ at, actor, action: `${run.kind}.requested`, subject: `run:${id}`, data }]);
      }
      return isNew ? findRun(tx, id) : findOnce(tx, onceKey);
    });
    this.listingBell.ring();
    return there(made, id);
  }

  private async steer(
    id: string,
    actor: string,
    deed: string,
    from: readonly RunState[],
    work: (tx: Queryable, run: Run, at: Instant) => Promise<RunChange>,
  ): Promise<Run> {
    const after = await this.database.transaction(async (tx) => {
      const run = there(await findRun(tx, id, { lock: true }), id);
      if (!from.includes(run.state)) throw notNow(run, `it is ${run.state}`);
      const at = wholeMilliseconds(this.clock);
      const change = await work(tx, run, at);
      await changeRun(tx, id, { ...change, leaseUntil: 0, nextStep: true });
      const data = { bucket: run.bucket ?? null, prefix: run.prefix, was: run.state };
      await appendAudit(tx, [{ at, actor, action: `${run.kind}.${deed}`, subject: `run:${id}`, data }]);
      return findRun(tx, id);
    });
    this.listingBell.ring();
    return there(after, id);
  }

  private policyOf(bucket: string, endpointId: string | undefined): BucketPolicy {
    const found = findBucket(this.buckets, bucket, endpointId);
    if (found.kind === 'found') return found.policy;
    if (found.kind === 'ambiguous') {
      const ids = found.endpointIds.slice(0, 10).join(', ');
      throw InvalidInput.field('endpointId', `is needed: ${bucket} is on several endpoints (${ids})`);
    }
    throw InvalidInput.field(
      'bucket',
      `${bucket} is not a registered bucket, or disabled; register it first: sallyport bucket add ${bucket} --endpoint ID`,
    );
  }
}

async function findOnce(tx: Queryable, onceKey: string | undefined): Promise<Run | undefined> {
  const [row] = await tx.query<{ id: string }>('SELECT id FROM listing_run WHERE once_key = $1', [
    onceKey ?? '',
  ]);
  return row && findRun(tx, row.id);
}

function there(run: Run | undefined, id: string): Run {
  if (run === undefined) throw new NotFound(`No backfill, rescan or reconciliation ${id}. Check the id.`);
  return run;
}

const notNow = (run: Run, why: string): Conflict =>
  new Conflict(`The ${run.kind} cannot do that: ${why}.`, { state: run.state });
