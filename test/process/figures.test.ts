import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Database } from '../../src/database/database.js';
import { processFigures } from '../../src/process/figures.js';
import { testDatabase, type TestDatabase } from '../support/database.js';
import { quantileOf, recount, type RunRow, type TaskRow } from './naive.js';

const START = Date.parse('2026-03-02T08:00:00Z');
const HOUR = 3_600_000;
const NOW = START + 30 * HOUR;
const SLA = 7_200;

let test: TestDatabase;
let db: Database;
beforeAll(async () => {
  test = await testDatabase();
  db = new Database(test.url);
});
afterAll(() => db.close());
beforeEach(() => test.truncate());

async function store(runs: readonly RunRow[]): Promise<void> {
  await db.query(
    `INSERT INTO workflow (id, name, version, status, revision, run_epoch, priority, created_at, updated_at, ended_at,
       task_count, open_task_count, failed_references)
     SELECT r->>'id', r->>'name', (r->>'version')::int, r->>'status', 1, 0, 0, (r->>'createdAt')::bigint, 0,
            (r->>'endedAt')::bigint, 0, 0, '{}' FROM json_array_elements($1::json) r`,
    [JSON.stringify(runs)],
  );
  const tasks = runs.flatMap((run) =>
    run.tasks.map((task, n) => ({ ...task, run: run.id, id: `${run.id}-${n}` })),
  );
  await db.query(
    `INSERT INTO task (id, workflow_id, changed_rev, seq, ref, task_type, task_def_name, status, retry_count, retried,
       executed, iteration, poll_count, scheduled_at, started_at, updated_at, ended_at, first_scheduled_at,
       callback_after_seconds, queued, due_at, due, priority, fair_tag, response_timeout_ms, execution_timeout_ms, input, output)
     SELECT t->>'id', t->>'run', 1, 1, t->>'ref', t->>'type', t->>'ref', t->>'status', 0, false, true, 0, 0,
            (t->>'scheduledAt')::bigint, (t->>'startedAt')::bigint, 0, (t->>'endedAt')::bigint, 0, 0, false, 0, false, 0, 0,
            0, 0, '{}', '{}' FROM json_array_elements($1::json) t`,
    [JSON.stringify(tasks)],
  );
}
const declare = (name: string, version: number, metadata: object): Promise<unknown> =>
  db.query('INSERT INTO workflow_def VALUES ($1, $2, $3, 0, 0)', [
    name,
    version,
    JSON.stringify({ metadata }),
  ]);
const figures = (how: { workflow?: string; most?: number } = {}, from = START, to = START + 24 * HOUR) =>
  processFigures(db, from, to, { now: NOW, ...how });

const span = fc.integer({ min: 0, max: 4 * HOUR });
const task: fc.Arbitrary<TaskRow> = fc
  .record({
    ref: fc.constantFrom('scan', 'scan__2', 'ask', 'wait', 'join', 'child'),
    status: fc.constantFrom('COMPLETED', 'FAILED', 'CANCELED'),
    scheduledAt: span,
    queue: fc.option(span),
    run: fc.option(span, { freq: 6 }),
  })
  .map(({ ref, status, scheduledAt, queue, run }) => {
    const step = ref.split('__')[0] ?? ref;
    const types: Record<string, string> = { ask: 'HUMAN', wait: 'WAIT', join: 'JOIN', child: 'SUB_WORKFLOW' };
    const at = START + scheduledAt;
    const startedAt = queue === null ? null : at + queue;
    const endedAt = run === null ? null : (startedAt ?? at) + run;
    return { ref, type: types[step] ?? 'SIMPLE', status, scheduledAt: at, startedAt, endedAt };
  });
const run = fc
  .record({
    name: fc.constantFrom('a', 'b'),
    version: fc.constantFrom(1, 2),
    status: fc.constantFrom('COMPLETED', 'COMPLETED', 'FAILED', 'TIMED_OUT', 'TERMINATED', 'RUNNING'),
    createdAt: fc.integer({ min: -HOUR, max: 25 * HOUR }),
    took: span,
    tasks: fc.array(task, { maxLength: 4 }),
  })
  .map(({ took, createdAt, ...rest }) => ({
    ...rest,
    createdAt: START + createdAt,
    endedAt: rest.status === 'RUNNING' ? null : START + createdAt + took,
  }));

describe('the figures of a process', () => {
  it('are those that a recount of the rows gives, one by one', async () => {
    await declare('a', 1, { slaSeconds: SLA });
    await declare('b', 2, { slaSeconds: 'soon' });
    await fc.assert(
      fc.asyncProperty(fc.array(run, { maxLength: 25 }), async (drawn) => {
        await db.query('DELETE FROM task');
        await db.query('DELETE FROM workflow');
        const runs = drawn.map((one, n): RunRow => ({ ...one, id: `run-${n}` }));
        await store(runs);
        const within = runs.filter(({ createdAt }) => createdAt >= START && createdAt < START + 24 * HOUR);
        const found = await figures();
        expect(found).toMatchObject({ started: within.length, oneIn: 1, isCut: false });
        const names = new Set(within.map(({ name, version }) => `${name} ${version}`));
        expect(found.workflows.map((one) => `${one.workflow} ${one.version}`)).toEqual([...names].toSorted());
        for (const {
          steps,
          workflow,
          version,
          costliestStep,
          personWorkingSeconds,
          ...one
        } of found.workflows) {
          const theirs = within.filter((each) => each.name === workflow && each.version === version);
          const sla = workflow === 'a' && version === 1 ? SLA : undefined;
          const { attempts, ...expected } = recount(theirs, sla, NOW);
          for (const [field, value] of Object.entries(expected)) {
            const given = one[field as keyof typeof one];
            if (typeof value === 'number') expect(given, field).toBeCloseTo(value, 2);
            else expect(given, field).toBe(value);
          }
          expect(steps.reduce((all, step) => all + step.attempts, 0)).toBe(attempts);
          // No calendar says otherwise.
          expect(personWorkingSeconds).toBeCloseTo(one.personSeconds, 2);
          const costs = steps.map((step) => step.queueSeconds + step.runSeconds + step.personSeconds);
          expect(costs).toEqual(costs.toSorted((a, b) => b - a));
          expect(costliestStep).toBe((costs[0] ?? 0) > 0 ? steps[0]?.step : null);
        }
      }),
      { numRuns: 40 },
    );
  }, 60_000);

  it('say of a step how long half of its attempts took, all rounds of a loop together', async () => {
    const round = (ref: string, minutes: number): TaskRow => ({
      ref,
      type: 'SIMPLE',
      status: 'COMPLETED',
      scheduledAt: START,
      startedAt: START + 1000,
      endedAt: START + minutes * 60_000,
    });
    const tasks = [round('scan__1', 1), round('scan__2', 2), round('scan__3__1', 9)];
    await store([
      { id: 'r', name: 'a', version: 1, status: 'COMPLETED', createdAt: START, endedAt: START + HOUR, tasks },
    ]);
    const [one] = (await figures()).workflows;
    expect(one?.steps).toEqual([
      {
        step: 'scan',
        taskType: 'SIMPLE',
        kind: 'worker',
        attempts: 3,
        failed: 0,
        queueSeconds: 3,
        runSeconds: 717,
        personSeconds: 0,
        personWorkingSeconds: 0,
        waitSeconds: 0,
        p50Seconds: 120,
        p90Seconds: quantileOf([60, 120, 540], 0.9),
      },
    ]);
  });

  it('of one name are of that name alone', async () => {
    const tasks: TaskRow[] = [];
    const of = (id: string, name: string): RunRow => ({
      id,
      name,
      version: 1,
      status: 'FAILED',
      createdAt: START,
      endedAt: START + HOUR,
      tasks,
    });
    await store([of('1', 'a'), of('2', 'b'), of('3', 'b')]);
    const found = await figures({ workflow: 'b' });
    expect(found.workflows.map(({ workflow, failed }) => [workflow, failed])).toEqual([['b', 2]]);
    expect(found.started).toBe(2);
  });

  it('of very many are of one in so many, always the same, and failures are all counted for their means', async () => {
    const runs = Array.from({ length: 900 }, (_, n): RunRow => ({
      id: `run-${n}`,
      name: 'a',
      version: 1,
      status: n % 100 === 0 ? 'FAILED' : 'COMPLETED',
      createdAt: START + n * 1000,
      endedAt: START + n * 1000 + 60_000,
      tasks: [],
    }));
    await store(runs);
    const found = await figures({ most: 100 });
    expect(found).toMatchObject({ started: 900, oneIn: 9 });
    const [one] = found.workflows;
    expect(one?.started).toBeGreaterThan(50);
    expect(one?.started).toBeLessThan(200);
    expect(one).toMatchObject({ p50Seconds: 60, p90Seconds: 60, meanSecondsBetweenFailures: 100 });
    expect(await figures({ most: 100 })).toEqual(found);
  });

  it('of nothing are nothing', async () => {
    expect(await figures()).toEqual({
      from: START,
      to: START + 24 * HOUR,
      started: 0,
      oneIn: 1,
      isCut: false,
      workflows: [],
    });
  });
});

describe('the time that a question stood open', () => {
  // Monday, 08:00 in UTC.
  const question: TaskRow = {
    ref: 'ask',
    type: 'HUMAN',
    status: 'COMPLETED',
    scheduledAt: START,
    startedAt: START,
    endedAt: START + 26 * HOUR,
  };
  const review = (policy: object) =>
    db.query(
      `INSERT INTO review (id, task_id, workflow_id, title, outcomes, subject, subject_digest, state, queue, created_at,
         updated_at, checked_at, outcome, decided_at, taken_at, policy)
       VALUES (gen_random_uuid(), 'r-0', 'r', 'a question', '{a}', '{}', 'd', 'COMPLETED', 'q', 0, 0, 0, 'a', 1, 1, $1)`,
      [JSON.stringify(policy)],
    );
  beforeEach(async () => {
    const asking = {
      id: 'r',
      name: 'a',
      version: 1,
      status: 'COMPLETED',
      createdAt: START,
      endedAt: START + 26 * HOUR,
    };
    await store([{ ...asking, tasks: [question] }]);
    await db.query(
      `INSERT INTO working_calendar VALUES ('office', 1, 'UTC', '{"mon": ["09:00-17:00"], "tue": ["09:00-17:00"]}', '{}', 0, 'x')`,
    );
  });
  const hours = async () => {
    const [one] = (await figures()).workflows;
    return [(one?.personSeconds ?? 0) / 3600, (one?.personWorkingSeconds ?? 0) / 3600];
  };

  it('is told by the clock on the wall, and in the working time of the calendar that it counted by', async () => {
    await review({ calendar: 'office' });
    // Nine to five on Monday, and one hour on Tuesday.
    expect(await hours()).toEqual([26, 9]);
  });

  it('is the same for a question that counted by no calendar, or by one that is gone', async () => {
    await review({});
    expect(await hours()).toEqual([26, 26]);
    await db.query(`UPDATE review SET policy = '{"calendar": "gone"}'`);
    expect(await hours()).toEqual([26, 26]);
  });
});
