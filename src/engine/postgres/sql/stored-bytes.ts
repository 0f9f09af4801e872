import type { Queryable } from '../../../database/queryable.js';

/** How much of rows' values one transaction reads at once, as JSON text: the process parses all of it before any is dropped. */
export const MAX_READ_BYTES = 32 * 1024 * 1024;

/**
 * About how many bytes a json column's text has. What is not compressed is told by its header; a long compressed value is
 * unpacked to be counted, since a few kilobytes can stand for megabytes.
 */
export const storedBytes = (column: string): string =>
  `CASE WHEN pg_column_compression(${column}) IS NULL OR pg_column_size(${column}) <= 8192
     THEN pg_column_size(${column}) ELSE octet_length(${column}::text) END`;

export const WORKFLOW_BYTES = `
  SELECT known.id, ${['p.input', 'p.output', 'p.variables'].map(storedBytes).join(' + ')}
    + coalesce(tasks.bytes, 0)::int8 AS bytes
  FROM unnest($1::text[], $2::bigint[]) AS known (id, revision)
  JOIN workflow_payload p ON p.workflow_id = known.id
  LEFT JOIN LATERAL (
    SELECT sum(${storedBytes('t.input')} + ${storedBytes('t.output')}) AS bytes
    FROM task t WHERE t.workflow_id = known.id AND t.changed_rev > known.revision
  ) AS tasks ON true`;

/** How much the values of workflows and of their tasks since a revision are, by id. */
export async function workflowBytes(
  db: Queryable,
  known: readonly { workflowId: string; knownRevision: number }[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await db.query<{ id: string; bytes: number }>(WORKFLOW_BYTES, [
    known.map(({ workflowId }) => workflowId),
    known.map(({ knownRevision }) => knownRevision),
  ]);
  return new Map(rows.map(({ id, bytes }) => [id, bytes]));
}
