import type { Queryable } from '../../../database/queryable.js';
import type { WorkflowRow } from '../rows.js';

export interface LockedRow extends WorkflowRow {
  readonly applied: string[] | null;
}

const statement = (skip: string) => `
  SELECT w.*, (
    SELECT array_agg(a.command_id) FROM applied_command a
    WHERE a.workflow_id = w.id AND a.command_id = ANY ($2)
  ) AS applied
  FROM workflow w WHERE w.id = ANY ($1)
  ORDER BY w.id
  FOR NO KEY UPDATE OF w ${skip}`;

const SKIPPING = statement('SKIP LOCKED');
const WAITING = statement('');

/**
 * Locks the workflows in the order of their ids, so that two batches cannot wait for each other in a ring; what others
 * hold is left out (or waited for). Says which of the commands were recorded before.
 */
export const lockWorkflows = (
  tx: Queryable,
  ids: readonly string[],
  commandIds: readonly string[],
  wait: boolean,
): Promise<LockedRow[]> => tx.query<LockedRow>(wait ? WAITING : SKIPPING, [ids, commandIds]);
