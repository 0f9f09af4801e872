import type { Logger } from 'pino';
import { appendAudit } from '../../audit/audit.js';
import type { BacklogBell } from '../../backlog/backlog-bell.js';
import type { Clock } from '../../clock.js';
import type { Database } from '../../database/database.js';
import type { Queryable } from '../../database/queryable.js';
import type { Alerts } from '../../outbound/alerts.js';
import type { BucketPolicy, Buckets } from '../../s3/buckets.js';
import type { ObjectStorage } from '../../s3/object-storage.js';
import type { TriggerRules } from '../../triggers/trigger-rules.js';
import { wholeMilliseconds } from '../../verdicts/whole-milliseconds.js';
import type { RunCounts } from './run-answer.js';
import { added, type Run } from './run.js';
import { changeRun, findRun, type RunChange } from './sql/runs.js';

/** What every kind of run works with. */
export interface ListingParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly buckets: Buckets;
  readonly storage: ObjectStorage;
  readonly rules: TriggerRules;
  readonly bell: BacklogBell;
  readonly alerts: Pick<Alerts, 'tell'>;
  readonly log: Logger;
  /** Of this process: who holds its claims. */
  readonly owner: string;
}

/** A bucket that was disabled or taken off the list is not read any more. */
export const isScanned = (policy: BucketPolicy | undefined): policy is BucketPolicy =>
  policy !== undefined && policy.enabled !== false;

/** The run was paused, cancelled, or taken over: whatever was under way is dropped, and nothing of it was stored. */
export class RunLost extends Error {}

// A page takes a second or two; whoever is silent for so long is dead.
export const LEASE_MS = 60_000;

/** What one step stores, beside what it wrote itself. */
export interface StepResult extends Omit<RunChange, 'counts' | 'nextStep' | 'leaseUntil'> {
  readonly counts?: Partial<RunCounts> | undefined;
}

/**
 * Commits one step of a run: what `work` writes, the new place and the counts, in one transaction, and only while the run is
 * still ours and nobody committed a step since. So a step is stored once, whatever dies when.
 *
 * @returns the run as it is now. @throws RunLost
 */
export async function commitStep(
  { database, clock, owner }: ListingParts,
  run: Run,
  work: (tx: Queryable) => Promise<StepResult>,
): Promise<Run> {
  return database.transaction(async (tx) => {
    const current = await findRun(tx, run.id, { lock: true });
    if (current === undefined || !isHeld(current, run, owner)) throw new RunLost();
    const { counts, ...change } = await work(tx);
    const sum = added(current.counts, counts ?? {});
    await changeRun(tx, run.id, {
      failures: 0,
      lastError: null,
      ...change,
      counts: sum,
      leaseUntil: wholeMilliseconds(clock) + LEASE_MS,
      nextStep: true,
    });
    await tellEnd(tx, clock, current, change);
    const after = await findRun(tx, run.id);
    if (after === undefined) throw new RunLost();
    return after;
  });
}

const isHeld = (current: Run, run: Run, owner: string): boolean =>
  current.leaseOwner === owner && current.step === run.step && current.state === run.state;

/** The end of a run is in the audit, as its beginning is. */
export async function tellEnd(tx: Queryable, clock: Clock, run: Run, change: RunChange): Promise<void> {
  const { state } = change;
  if (state !== 'completed' && state !== 'failed') return;
  await appendAudit(tx, [
    {
      at: wholeMilliseconds(clock),
      actor: 'system:listing',
      action: `${run.kind}.${state}`,
      subject: `run:${run.id}`,
      data: {
        bucket: run.bucket ?? null,
        prefix: run.prefix,
        ...(change.lastError !== undefined && { error: change.lastError }),
      },
    },
  ]);
}
