import type { Instant } from '../../../clock.js';
import type { Place } from '../../../cursor.js';
import type { Queryable } from '../../../database/queryable.js';
import type { ListingPlace } from '../../../s3/listing-guard.js';
import type { Estimate } from '../estimate.js';
import type { RunCounts, RunKind, RunState } from '../run-answer.js';
import { NO_COUNTS, type Run, type Verdicts } from '../run.js';

interface RunRow {
  readonly id: string;
  readonly kind: RunKind;
  readonly state: RunState;
  readonly endpoint_id: string | null;
  readonly bucket: string | null;
  readonly prefix: string;
  readonly options: object;
  readonly requested_by: string;
  readonly cause: string;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly listed_at: number | null;
  readonly ended_at: number | null;
  readonly place_key: string | null;
  readonly place_version: string | null;
  readonly checked_key: string | null;
  readonly place_at: number | null;
  readonly place_id: string | null;
  readonly step: number;
  readonly lease_owner: string | null;
  readonly lease_until: number;
  readonly not_before: number;
  readonly failures: number;
  readonly last_error: string | null;
  readonly counts: Partial<RunCounts>;
  readonly verdicts: Verdicts;
  readonly pace: number | null;
  readonly settled_at: number | null;
  readonly estimate: Estimate | null;
}

const COLUMNS = `id, kind, state, endpoint_id, bucket, prefix, options, requested_by, cause, created_at::float8,
  started_at::float8, listed_at::float8, ended_at::float8, place_key, place_version, checked_key, place_at::float8,
  place_id, step::float8, lease_owner, lease_until::float8, not_before::float8, failures, last_error, counts, verdicts,
  pace, settled_at::float8, estimate`;

export interface NewRun {
  readonly id: string;
  readonly kind: RunKind;
  readonly state: RunState;
  readonly endpointId?: string | undefined;
  readonly bucket?: string | undefined;
  readonly prefix: string;
  readonly options: object;
  readonly requestedBy: string;
  readonly cause: string;
  readonly onceKey?: string | undefined;
  readonly at: Instant;
}

/** @returns false when a run with the same `onceKey` was made before. */
export async function insertRun(tx: Queryable, run: NewRun): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO listing_run (id, kind, state, endpoint_id, bucket, prefix, options, requested_by, cause, once_key,
                              created_at, started_at, counts, verdicts)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, '{}')
     ON CONFLICT (once_key) DO NOTHING RETURNING id`,
    [
      run.id,
      run.kind,
      run.state,
      run.endpointId ?? null,
      run.bucket ?? null,
      run.prefix,
      JSON.stringify(run.options),
      run.requestedBy,
      run.cause,
      run.onceKey ?? null,
      run.at,
      run.state === 'running' ? run.at : null,
      JSON.stringify(NO_COUNTS),
    ],
  );
  return rows.length > 0;
}

/** With `lock`, the row stays ours to the end of the transaction. */
export async function findRun(
  db: Queryable,
  id: string,
  options: { readonly lock?: boolean } = {},
): Promise<Run | undefined> {
  const [row] = await db.query<RunRow>(
    `SELECT ${COLUMNS} FROM listing_run WHERE id = $1 ${options.lock === true ? 'FOR NO KEY UPDATE' : ''}`,
    [id],
  );
  return row && runOf(row);
}

export interface RunFilter {
  readonly kind?: RunKind | undefined;
  readonly state?: RunState | undefined;
  readonly bucket?: string | undefined;
}

/** Runs, newest first. */
export async function listRuns(
  db: Queryable,
  filter: RunFilter,
  page: { readonly after?: Place | undefined; readonly limit: number },
): Promise<Run[]> {
  const rows = await db.query<RunRow>(
    `SELECT ${COLUMNS} FROM listing_run
      WHERE ($1::text IS NULL OR kind = $1) AND ($2::text IS NULL OR state = $2)
        AND ($3::text IS NULL OR bucket = $3)
        AND ($4::bigint IS NULL OR (created_at, id) < ($4, $5::uuid))
      ORDER BY created_at DESC, id DESC LIMIT $6`,
    [
      filter.kind ?? null,
      filter.state ?? null,
      filter.bucket ?? null,
      page.after?.at ?? null,
      page.after?.id ?? null,
      page.limit,
    ],
  );
  return rows.map(runOf);
}

/** Runs that are not over, least lately worked on first. */
export async function openRuns(db: Queryable, limit: number): Promise<Run[]> {
  const rows = await db.query<RunRow>(
    `SELECT ${COLUMNS} FROM listing_run WHERE state IN ('estimating', 'running', 'paused')
      ORDER BY worked_at, id LIMIT $1`,
    [limit],
  );
  return rows.map(runOf);
}

/** A comparison of this part of a bucket that has not come to its end; its id. */
export async function findOpenReconcile(
  db: Queryable,
  where: { readonly endpointId: string; readonly bucket: string; readonly prefix: string },
): Promise<string | undefined> {
  const [row] = await db.query<{ id: string }>(
    `SELECT id FROM listing_run
      WHERE state IN ('running', 'paused') AND kind = 'reconcile' AND listed_at IS NULL
        AND endpoint_id = $1 AND bucket = $2 AND prefix = $3 LIMIT 1`,
    [where.endpointId, where.bucket, where.prefix],
  );
  return row?.id;
}

/** The runs of a cause. */
export async function runsOf(db: Queryable, cause: string): Promise<Run[]> {
  const rows = await db.query<RunRow>(`SELECT ${COLUMNS} FROM listing_run WHERE cause = $1`, [cause]);
  return rows.map(runOf);
}

/** Whether a run for this cause is not over. */
export async function hasOpenRun(db: Queryable, cause: string): Promise<boolean> {
  const rows = await db.query(
    `SELECT FROM listing_run WHERE state IN ('estimating', 'running', 'paused') AND cause = $1 LIMIT 1`,
    [cause],
  );
  return rows.length > 0;
}

/** Ends estimates that were made before then and not begun. @returns their ids. */
export async function expireEstimates(
  tx: Queryable,
  args: { readonly before: Instant; readonly at: Instant; readonly why: string },
): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `UPDATE listing_run SET state = 'cancelled', ended_at = $2, last_error = $3
      WHERE state = 'estimated' AND created_at < $1 RETURNING id`,
    [args.before, args.at, args.why],
  );
  return rows.map(({ id }) => id);
}

/** Takes a run for this node, unless another has it. */
export async function claimRun(
  db: Queryable,
  args: { readonly id: string; readonly owner: string; readonly now: Instant; readonly until: Instant },
): Promise<Run | undefined> {
  const [row] = await db.query<RunRow>(
    `UPDATE listing_run SET lease_owner = $2, lease_until = $4
      WHERE id = $1 AND state IN ('estimating', 'running') AND listed_at IS NULL AND not_before <= $3
        AND (lease_until <= $3 OR lease_owner = $2)
      RETURNING ${COLUMNS}`,
    [args.id, args.owner, args.now, args.until],
  );
  return row && runOf(row);
}

/** Whoever is next may have it at once; after the others that wait. */
export const releaseRun = (
  db: Queryable,
  args: { readonly id: string; readonly owner: string; readonly at: Instant },
): Promise<unknown> =>
  db.query('UPDATE listing_run SET lease_until = 0, worked_at = $3 WHERE id = $1 AND lease_owner = $2', [
    args.id,
    args.owner,
    args.at,
  ]);

/** Keeps a claim through work that commits nothing. @returns false when it is lost. */
export async function renewClaim(
  db: Queryable,
  args: { readonly id: string; readonly owner: string; readonly until: Instant },
): Promise<boolean> {
  const rows = await db.query(
    `UPDATE listing_run SET lease_until = $3
      WHERE id = $1 AND lease_owner = $2 AND state IN ('estimating', 'running') RETURNING id`,
    [args.id, args.owner, args.until],
  );
  return rows.length > 0;
}

/** What a committed step changes; what is absent stays. */
export interface RunChange {
  readonly state?: RunState | undefined;
  readonly startedAt?: Instant | undefined;
  readonly listedAt?: Instant | undefined;
  /** Null takes it away. */
  readonly endedAt?: Instant | null | undefined;
  readonly place?: ListingPlace | undefined;
  readonly checkedKey?: string | undefined;
  readonly ledgerPlace?: { readonly at: Instant; readonly id: string } | undefined;
  readonly leaseUntil?: Instant | undefined;
  readonly notBefore?: Instant | undefined;
  readonly failures?: number | undefined;
  /** Null takes it away. */
  readonly lastError?: string | null | undefined;
  readonly counts?: RunCounts | undefined;
  readonly verdicts?: Verdicts | undefined;
  readonly pace?: number | undefined;
  readonly settledAt?: Instant | undefined;
  readonly estimate?: Estimate | undefined;
  /** Whoever works on the step before has lost the run. */
  readonly nextStep?: boolean | undefined;
}

/** Writes a change. The caller holds the run's row. */
export async function changeRun(tx: Queryable, id: string, change: RunChange): Promise<void> {
  const values: unknown[] = [id];
  const parts: string[] = [];
  const set = (column: string, value: unknown): void => {
    if (value !== undefined) parts.push(`${column} = $${values.push(value)}`);
  };
  const json = (value: object | undefined) => (value === undefined ? undefined : JSON.stringify(value));
  set('state', change.state);
  set('started_at', change.startedAt);
  set('listed_at', change.listedAt);
  set('ended_at', change.endedAt);
  set('place_key', change.place?.key);
  set('place_version', change.place === undefined ? undefined : (change.place.versionId ?? null));
  set('checked_key', change.checkedKey);
  set('place_at', change.ledgerPlace?.at);
  set('place_id', change.ledgerPlace?.id);
  set('lease_until', change.leaseUntil);
  set('not_before', change.notBefore);
  set('failures', change.failures);
  set('last_error', change.lastError);
  set('counts', json(change.counts));
  set('verdicts', json(change.verdicts));
  set('pace', change.pace);
  set('settled_at', change.settledAt);
  set('estimate', json(change.estimate));
  if (change.nextStep === true) parts.push('step = step + 1');
  if (parts.length === 0) return;
  await tx.query(`UPDATE listing_run SET ${parts.join(', ')} WHERE id = $1`, values);
}

const runOf = (row: RunRow): Run =>
  ({
    id: row.id,
    kind: row.kind,
    state: row.state,
    endpointId: row.endpoint_id ?? undefined,
    bucket: row.bucket ?? undefined,
    prefix: row.prefix,
    options: row.options,
    requestedBy: row.requested_by,
    cause: row.cause,
    createdAt: row.created_at,
    startedAt: row.started_at ?? undefined,
    listedAt: row.listed_at ?? undefined,
    endedAt: row.ended_at ?? undefined,
    place:
      row.place_key === null ? undefined : { key: row.place_key, versionId: row.place_version ?? undefined },
    checkedKey: row.checked_key ?? undefined,
    ledgerPlace:
      row.place_at === null || row.place_id === null ? undefined : { at: row.place_at, id: row.place_id },
    step: row.step,
    leaseOwner: row.lease_owner ?? undefined,
    leaseUntil: row.lease_until,
    notBefore: row.not_before,
    failures: row.failures,
    lastError: row.last_error ?? undefined,
    counts: { ...NO_COUNTS, ...row.counts },
    verdicts: row.verdicts,
    pace: row.pace ?? undefined,
    settledAt: row.settled_at ?? undefined,
    estimate: row.estimate ?? undefined,
  }) as Run;
