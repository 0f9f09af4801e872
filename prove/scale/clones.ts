import { isDeepStrictEqual } from 'node:util';
import { eventually } from '../../test/support/eventually.js';
import type { ServiceProcess } from '../../test/support/service-process.js';
import type { Scratch } from './cluster.js';

const AHEAD_MS = 1_500;
const PATIENCE_MS = 60_000;
// The same for both, and no older for the one than for the other.
const SHARED = 'workflowDefinition';
const ISO_TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

interface Clone {
  readonly n: number;
  readonly id: string;
  readonly task_id: string;
  readonly review_id: string | null;
  readonly template_id: string;
  readonly template_task_id: string;
  readonly template_review_id: string | null;
  readonly earlier_ms: string;
}

/**
 * Draws copies and treats them as what they pretend to be: each reads like its template, those that ask somebody are
 * answered, those that wait are made due, and all complete. @returns what was not so.
 */
export async function checkClones(
  service: ServiceProcess,
  database: Scratch,
  draws: number,
  random: () => number,
): Promise<string[]> {
  const { last } = await database.one<{ last: number }>('SELECT max(n) AS last FROM proof.clone');
  const drawn = Array.from({ length: draws }, (_, index) =>
    // By turns one that waits and one that asks: even and odd numbers.
    Math.min(last, Math.floor((random() * (last + 1)) / 2) * 2 + (index % 2)),
  );
  const clones = await database.query<Clone & Record<string, unknown>>(
    'SELECT * FROM proof.clone WHERE n = ANY ($1)',
    [drawn],
  );
  const problems: string[] = [];
  for (const clone of clones) {
    const [like, seen] = [await look(service, templateOf(clone)), await look(service, clone)];
    if (!isDeepStrictEqual(seen, asClone(like, clone)))
      problems.push(`${clone.id} does not read like ${clone.template_id}`);
  }
  await makeDue(
    database,
    clones.filter(({ review_id }) => review_id === null),
    Date.now() + AHEAD_MS,
  );
  for (const { review_id } of clones)
    if (review_id !== null)
      await service.api(`/api/v1/reviews/${review_id}/decide`, {
        method: 'POST',
        body: { outcome: 'approve' },
      });
  for (const { id, review_id } of clones) {
    const ended = await eventually(
      async () => {
        const workflow = await service.api<Workflow>(`/api/workflow/${id}`);
        return workflow.status === 'COMPLETED' && workflow;
      },
      { timeoutMs: PATIENCE_MS, what: `the end of ${id}` },
    ).catch((error: Error) => void problems.push(error.message));
    if (ended !== undefined && ended.output['outcome'] !== (review_id === null ? undefined : 'approve'))
      problems.push(`${id} ended with ${JSON.stringify(ended.output)}`);
  }
  return problems;
}

interface Workflow {
  readonly status: string;
  readonly output: Record<string, unknown>;
}

type Looked = Pick<Clone, 'id' | 'task_id' | 'review_id'>;

const templateOf = (clone: Clone): Looked => ({
  id: clone.template_id,
  task_id: clone.template_task_id,
  review_id: clone.template_review_id,
});

/** What Conductor's clients read of it, and the web pages; what depends on the moment of reading apart. */
async function look(service: ServiceProcess, { id, task_id, review_id }: Looked): Promise<unknown[]> {
  const { why, ...execution } = await service.api<Record<string, unknown>>(`/api/v1/executions/${id}`);
  if (!Array.isArray(why) || why.length === 0) throw new Error(`${id} waits and nothing says why`);
  return [
    await service.api(`/api/workflow/${id}`),
    execution,
    await service.api(`/api/tasks/${task_id}/log`),
    review_id === null ? null : await service.api(`/api/v1/reviews/${review_id}`),
  ];
}

/** What a template's answers would be if it had the clone's ids and had been started when it says. */
function asClone(answers: unknown, clone: Clone): unknown {
  const ids = [
    [clone.template_id, clone.id],
    [clone.template_task_id, clone.task_id],
    [clone.template_review_id, clone.review_id],
  ] as const;
  const earlier = Number(clone.earlier_ms);
  const rewrite = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(rewrite);
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(
        Object.entries(value).map(([name, item]) => [name, name === SHARED ? item : rewrite(item)]),
      );
    // The only numbers of that size are times, and so is a text like this.
    if (typeof value === 'number') return value > 1e12 ? value - earlier : value;
    if (typeof value !== 'string') return value;
    if (ISO_TIME.test(value)) return new Date(Date.parse(value) - earlier).toISOString();
    return ids.reduce((text, [from, to]) => (from === null ? text : text.replaceAll(from, to ?? '')), value);
  };
  return rewrite(answers);
}

/** Sets when they are due, as if they had been started with another duration. */
async function makeDue(database: Scratch, clones: readonly Clone[], at: number): Promise<void> {
  const ids = clones.map(({ id }) => id);
  await database.transaction(async (query) => {
    await query('UPDATE task SET due_at = $2 WHERE workflow_id = ANY ($1)', [ids, at]);
    await query('UPDATE workflow_timer SET due_at = $2 WHERE workflow_id = ANY ($1)', [ids, at]);
  });
}
