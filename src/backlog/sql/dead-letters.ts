import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { SourceClass } from '../source-class.js';

export interface HopelessItem {
  readonly scanId: string;
  /** Stable, of the error. */
  readonly code: string;
  readonly reason: string;
}

/** An item that became a dead letter, with what the ledger wants to know. */
export interface BuriedItem {
  readonly scan_id: string;
  readonly object_id: string;
  readonly generation: number;
  readonly attempts: number;
  readonly code: string;
  readonly reason: string;
  readonly size_bytes: number | null;
  /** Of the newest scan that spoke of the object; below 1 when none did. */
  readonly verdict_generation: number;
}

/**
 * Moves items out of the backlog; nothing starts them until somebody asks. Their objects' rows are locked, and none is
 * waited for: an item whose object is busy stays, and dies at its next failure.
 */
export const buryItems = (
  tx: Queryable,
  hopeless: readonly HopelessItem[],
  at: Instant,
): Promise<BuriedItem[]> =>
  tx.query<BuriedItem>(
    `WITH free AS (
       SELECT i.scan_id, s.generation, o.verdict_generation, h.code, h.reason
         FROM unnest($1::uuid[], $2::text[], $3::text[]) AS h (scan_id, code, reason)
         JOIN backlog_item i ON i.scan_id = h.scan_id JOIN scan s ON s.id = i.scan_id
         JOIN object_version o ON o.id = i.object_id
          FOR NO KEY UPDATE OF o SKIP LOCKED
     ), gone AS (
       DELETE FROM backlog_item i USING free f WHERE i.scan_id = f.scan_id RETURNING i.*
     ), noted AS (
       UPDATE scan s SET failure = f.reason FROM free f WHERE s.id = f.scan_id
     ), dead AS (
       INSERT INTO dead_letter (scan_id, object_id, endpoint_id, bucket, source_class, priority, workflow_name,
                                workflow_version, workflow_id, input, size_bytes, enqueued_at, attempts, code, reason, died_at)
       SELECT g.scan_id, g.object_id, g.endpoint_id, g.bucket, g.source_class, g.priority, g.workflow_name,
              g.workflow_version, g.workflow_id, g.input, g.size_bytes, g.enqueued_at, g.attempts + 1, f.code, f.reason, $4
         FROM gone g JOIN free f ON f.scan_id = g.scan_id
       RETURNING scan_id, object_id, attempts, code, reason, size_bytes
     )
     SELECT d.scan_id, d.object_id, d.attempts, d.code, d.reason, d.size_bytes::float8, f.generation,
            f.verdict_generation
       FROM dead d JOIN free f ON f.scan_id = d.scan_id`,
    [
      hopeless.map(({ scanId }) => scanId),
      hopeless.map(({ code }) => code),
      hopeless.map(({ reason }) => reason),
      at,
    ],
  );

/** Which dead letters are meant; all of them when nothing is said. */
export interface DeadLetterFilter {
  readonly scanId?: string | undefined;
  readonly bucket?: string | undefined;
  readonly source?: SourceClass | undefined;
  readonly code?: string | undefined;
  readonly workflowName?: string | undefined;
}

const matching = `($1::uuid IS NULL OR scan_id = $1) AND ($2::text IS NULL OR bucket = $2)
  AND ($3::text IS NULL OR source_class = $3) AND ($4::text IS NULL OR code = $4)
  AND ($5::text IS NULL OR workflow_name = $5)`;
const filterValues = ({ scanId, bucket, source, code, workflowName }: DeadLetterFilter) => [
  scanId ?? null,
  bucket ?? null,
  source ?? null,
  code ?? null,
  workflowName ?? null,
];

/**
 * Moves dead letters back to where they waited, the oldest first, with their age and a new count of tries. `newWorkflow`
 * starts another definition than the one that was refused.
 *
 * @returns their scans.
 */
export async function redriveLetters(
  tx: Queryable,
  filter: DeadLetterFilter,
  args: { readonly now: Instant; readonly limit: number; readonly newWorkflow?: string | undefined },
): Promise<readonly string[]> {
  const rows = await tx.query<{ scan_id: string }>(
    `WITH chosen AS (
       SELECT scan_id FROM dead_letter WHERE ${matching} ORDER BY died_at, scan_id LIMIT $7 FOR UPDATE SKIP LOCKED
     ), raised AS (
       DELETE FROM dead_letter d USING chosen c WHERE d.scan_id = c.scan_id RETURNING d.*
     ), renamed AS (
       UPDATE scan s SET workflow_name = $8 FROM chosen c WHERE s.id = c.scan_id AND $8::text IS NOT NULL
     )
     INSERT INTO backlog_item (scan_id, object_id, endpoint_id, bucket, source_class, priority, workflow_name,
                               workflow_version, workflow_id, input, size_bytes, enqueued_at, not_before)
     SELECT scan_id, object_id, endpoint_id, bucket, source_class, priority, coalesce($8, workflow_name),
            CASE WHEN $8::text IS NULL THEN workflow_version END, workflow_id, input, size_bytes, enqueued_at, $6 FROM raised
     RETURNING scan_id`,
    [...filterValues(filter), args.now, args.limit, args.newWorkflow ?? null],
  );
  return rows.map(({ scan_id: scanId }) => scanId);
}

/** How many there are. */
export async function countLetters(db: Queryable, filter: DeadLetterFilter = {}): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM dead_letter WHERE ${matching}`,
    filterValues(filter),
  );
  return row?.count ?? 0;
}
