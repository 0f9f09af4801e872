import type { Queryable } from '../../../database/queryable.js';
import type { Outlook } from '../../execution-store.js';

export const OUTLOOK = `
  SELECT least(
      (SELECT min(due_at) FROM workflow_timer WHERE claimed_by IS NULL),
      (SELECT min(due_at) FROM task WHERE queued AND NOT due)
    ) AS next_due_at,
    EXISTS (
      SELECT 1 FROM workflow_inbox WHERE claimed_by IS NULL AND NOT abandoned AND due_at <= $1
    ) AS inbox_due,
    ARRAY (
      SELECT name FROM unnest($2::text[]) AS type (name)
      WHERE EXISTS (SELECT 1 FROM task WHERE task_type = name AND queued AND due)
    ) AS due_types`;

/** What waits without a claim: one round trip, index-only, once a second per node. */
export async function outlook(db: Queryable, now: number, taskTypes: readonly string[]): Promise<Outlook> {
  const [row] = await db.query<{ next_due_at: number | null; inbox_due: boolean; due_types: string[] }>(
    OUTLOOK,
    [now, taskTypes],
  );
  return {
    nextDueAt: row?.next_due_at ?? undefined,
    inboxDue: row?.inbox_due ?? false,
    dueTypes: row?.due_types ?? [],
  };
}
