/** Records every end of an attempt and every change of one that had ended, past the engine. */
export const RECORD_ENDS = `
  CREATE TABLE ended_attempt (id bigint GENERATED ALWAYS AS IDENTITY, task_id text, before text, after text);
  CREATE FUNCTION record_end() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
  BEGIN
    INSERT INTO ended_attempt (task_id, before, after) VALUES (NEW.id, OLD.status, NEW.status);
    RETURN NEW;
  END $$;
  CREATE TRIGGER record_end AFTER UPDATE OF status ON task FOR EACH ROW
    WHEN (NEW.status NOT IN ('SCHEDULED', 'IN_PROGRESS') AND NEW.status <> OLD.status)
    EXECUTE FUNCTION record_end()`;

/** What must be empty when every workflow has ended: what it is, and how to find it. */
const LEFT_OVER: readonly (readonly [string, string])[] = [
  [
    'an attempt ended twice',
    `SELECT task_id FROM ended_attempt GROUP BY task_id HAVING count(*) > 1
     UNION ALL SELECT task_id FROM ended_attempt WHERE before NOT IN ('SCHEDULED', 'IN_PROGRESS')`,
  ],
  [
    'two rows of one attempt',
    'SELECT workflow_id FROM task GROUP BY workflow_id, ref, retry_count HAVING count(*) > 1',
  ],
  ['an open task of an ended workflow', 'SELECT id FROM task WHERE ended_at IS NULL'],
  ['an open workflow', 'SELECT id FROM workflow WHERE ended_at IS NULL'],
  ['a count of open tasks that is wrong', 'SELECT id FROM workflow WHERE open_task_count <> 0'],
  [
    'a count of tasks that is wrong',
    `SELECT w.id FROM workflow w WHERE w.task_count <> (SELECT count(*) FROM task t WHERE t.workflow_id = w.id)`,
  ],
  ['a lease that nobody gave back', 'SELECT id FROM task WHERE lease_until IS NOT NULL'],
  ['an inbox row', 'SELECT id FROM workflow_inbox'],
  ['a timer', 'SELECT workflow_id FROM workflow_timer'],
];

/** @returns a sentence for each kind of thing that should not be there. */
export async function unfinishedBusiness(
  run: (text: string) => Promise<readonly Record<string, unknown>[]>,
): Promise<string[]> {
  const found: string[] = [];
  for (const [what, text] of LEFT_OVER) {
    const rows = await run(`${text} LIMIT 3`);
    if (rows.length > 0) found.push(`${what}: ${JSON.stringify(rows)}`);
  }
  return found;
}
