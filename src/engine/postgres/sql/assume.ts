import type { Queryable } from '../../../database/queryable.js';

/** SQLSTATE of what these statements raise when it is not as assumed, and no other statement of a batch: division by zero. */
export const NOT_AS_ASSUMED = '22012';

/*
 * As lockWorkflows, and what a caller took for granted is looked at by the server: whoever has changed, is gone or is
 * locked by somebody else fails the transaction, and with it everything that was sent behind.
 */
export const LOCK_AS_KNOWN = `
  WITH locked AS MATERIALIZED (
    SELECT w.id FROM unnest($1::text[], $2::bigint[]) AS known (id, revision)
    JOIN workflow w ON w.id = known.id AND w.revision = known.revision
    ORDER BY w.id
    FOR NO KEY UPDATE OF w SKIP LOCKED
  ) SELECT 1 / (count(*) = cardinality($1::text[]))::int FROM locked`;

/** Locks workflows that are at these revisions. Rejects with {@link NOT_AS_ASSUMED} when one is not, or is locked. */
export const lockAsKnown = (
  tx: Queryable,
  known: readonly { workflowId: string; knownRevision: number }[],
): Promise<unknown> =>
  tx.query(LOCK_AS_KNOWN, [
    known.map(({ workflowId }) => workflowId),
    known.map(({ knownRevision }) => knownRevision),
  ]);
