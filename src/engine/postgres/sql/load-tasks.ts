import type { Queryable } from '../../../database/queryable.js';
import type { TaskRow } from '../rows.js';

const STATEMENT = `
  SELECT t.* FROM unnest($1::text[], $2::bigint[]) AS known (id, revision)
  JOIN task t ON t.workflow_id = known.id AND t.changed_rev > known.revision
  ORDER BY t.workflow_id, t.seq`;

/** The tasks that changed since a revision; since -1: all. */
export const loadTasks = (
  db: Queryable,
  known: readonly { workflowId: string; knownRevision: number }[],
): Promise<TaskRow[]> =>
  db.query<TaskRow>(STATEMENT, [
    known.map(({ workflowId }) => workflowId),
    known.map(({ knownRevision }) => knownRevision),
  ]);
