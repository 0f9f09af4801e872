import { setTimeout as delay } from 'node:timers/promises';
import { taskIdOf } from '../../src/engine/decider/task-id.js';
import { eventually } from '../../test/support/eventually.js';
import type { ServiceProcess } from '../../test/support/service-process.js';
import type { Scratch } from './cluster.js';
import { PARKED, REFERENCE, type Kind } from './definitions.js';
import { COPIED } from './rows-of.js';
import { startMany } from './start-many.js';

const DAY_SECONDS = 86_400;
const WAIT_SECONDS = { from: 120 * DAY_SECONDS, to: 180 * DAY_SECONDS };
const PARKED_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 100;

/** What forgets: commands after a day, what was sent after 30 (`purgeSent`, `Housekeeping`). A copy is older. */
const FORGOTTEN = ['applied_command', 'outbox'];
/** Who is there, what all workflows of a definition share, and what the service itself makes of whatever is recorded. */
const COMMON = ['node', 'poll_data', 'definition_snapshot', 'audit_link', 'audit_checkpoint', 'audit_anchor'];

/** A workflow that the engine started and parked. */
export interface Template {
  readonly kind: Kind;
  readonly id: string;
  readonly taskId: string;
  /** Where somebody is asked. */
  readonly reviewId: string | undefined;
}

/** Starts `count` of each kind through the API and waits until all of them stand still. */
export async function startTemplates(
  service: ServiceProcess,
  database: Scratch,
  count: number,
): Promise<readonly Template[]> {
  const before = await sizes(database);
  const started: { id: string; kind: Kind }[] = [];
  for (const kind of ['wait', 'human'] as const) {
    const ids = await startMany(service, count, (n) => ({
      name: PARKED[kind],
      correlationId: `order-${n}`,
      input: {
        n,
        seconds: WAIT_SECONDS.from + Math.floor(((WAIT_SECONDS.to - WAIT_SECONDS.from) * n) / count),
      },
    }));
    started.push(...ids.map((id) => ({ id, kind })));
  }
  await untilParked(database, count);
  refuseOtherTables(before, await sizes(database));
  const reviews = await database.query<{ id: string; workflow_id: string }>(
    'SELECT id, workflow_id FROM review',
  );
  const reviewIds = new Map(reviews.map(({ id, workflow_id }) => [workflow_id, id]));
  return started.map(({ id, kind }) => ({
    id,
    kind,
    taskId: taskIdOf({ workflowId: id, runEpoch: 0 }, REFERENCE[kind], 0, 0),
    reviewId: reviewIds.get(id),
  }));
}

/** Each question is a review that was told to somebody, and no worker holds anything. */
async function untilParked(database: Scratch, questions: number): Promise<void> {
  const look = (): Promise<{ reviews: number; unsent: number; held: number }> =>
    database.one(
      `SELECT (SELECT count(*)::int FROM review) AS reviews,
         (SELECT count(*)::int FROM outbox WHERE state IN ('pending', 'sending') AND attempt <= 1) AS unsent,
         (SELECT count(*)::int FROM task WHERE queued OR lease_until IS NOT NULL) AS held`,
    );
  await eventually(
    async () => {
      await delay(LOOK_EVERY_MS);
      const { reviews, unsent, held } = await look();
      return reviews === questions && unsent === 0 && held === 0;
    },
    { timeoutMs: PARKED_WITHIN_MS, what: 'every workflow is parked' },
  ).catch(async (error: unknown) => {
    throw new Error(`${JSON.stringify(await look())} of ${questions}`, { cause: error });
  });
}

async function sizes(database: Scratch): Promise<ReadonlyMap<string, number>> {
  const tables = await database.query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`,
  );
  const counted = tables.map(async ({ name }) => {
    const { n } = await database.one<{ n: number }>(`SELECT count(*)::int AS n FROM ${name}`);
    return [name, n] as const;
  });
  return new Map(await Promise.all(counted));
}

/** Throws when the service wrote something for a workflow that its copy would lack. */
function refuseOtherTables(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): void {
  const known = new Set<string>([...COPIED, ...FORGOTTEN, ...COMMON]);
  const others = [...after].filter(([name, n]) => n > (before.get(name) ?? 0) && !known.has(name));
  if (others.length > 0)
    throw new Error(`Parked workflows left rows in ${others.join(' ')}, which are not copied`);
}
