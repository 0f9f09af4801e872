import type { Queryable } from '../../../database/queryable.js';
import type { WorkflowRow } from '../rows.js';

/** All that is needed of a workflow whose newest revision the caller knows. */
export type LockedRow = Pick<WorkflowRow, 'id' | 'revision'>;

const statement = (skip: string) => `
  SELECT id, revision FROM workflow WHERE id = ANY ($1)
  ORDER BY id
  FOR NO KEY UPDATE ${skip}`;

const SKIPPING = statement('SKIP LOCKED');
const WAITING = statement('');

/**
 * Locks the workflows in the order of their ids, so that two batches cannot wait for each other in a ring; what others
 * hold is left out (or waited for).
 */
export const lockWorkflows = (tx: Queryable, ids: readonly string[], wait: boolean): Promise<LockedRow[]> =>
  tx.query<LockedRow>(wait ? WAITING : SKIPPING, [ids]);
