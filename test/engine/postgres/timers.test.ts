import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Database } from '../../../src/database/database.js';
import { DatabaseClock } from '../../../src/database/database-clock.js';
import { parseWorkflowDef } from '../../../src/engine/decider/parse-definition.js';
import { PostgresDefinitionStore } from '../../../src/engine/postgres/postgres-definition-store.js';
import { PostgresExecutionStore } from '../../../src/engine/postgres/postgres-execution-store.js';
import { Definitions } from '../../../src/engine/runtime/definitions.js';
import { EngineRuntime } from '../../../src/engine/runtime/engine-runtime.js';
import { SallyportEngine } from '../../../src/engine/runtime/sallyport-engine.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
import { register, TESTER } from '../../support/engine.js';
import { eventually } from '../../support/eventually.js';

const TIMERS = 10_000;
const AHEAD_MS = 1_500;

/** Real time, and nodes that never saw the workflows before: as after a restart. */
describe('10,000 timers that become due within one second', () => {
  let it: TestDatabase;
  /** How long it took to start them all, by the same machine a moment before. */
  let startingMs = 0;
  const open: (() => Promise<unknown> | void)[] = [];

  async function node(name: string, fires: boolean) {
    const database = new Database(it.url);
    const clock = await DatabaseClock.start(database);
    const store = new PostgresExecutionStore(database);
    const definitions = new Definitions(new PostgresDefinitionStore(database), clock, parseWorkflowDef);
    const identity = { homeId: name, host: name, pid: 1, roles: ['engine'] };
    const runtime = new EngineRuntime({ store, definitions, clock, identity, fires });
    open.push(
      () => database.close(),
      () => store.close(),
      () => clock.stop(),
      () => runtime.stop(),
    );
    await runtime.open();
    runtime.run([]);
    return { engine: new SallyportEngine(runtime, definitions, clock), definitions, clock };
  }

  beforeAll(async () => {
    it = await testDatabase();
    const client = await node('home-1', false);
    await register(client, {
      name: 'waits',
      tasks: [
        { name: 'w', taskReferenceName: 'w', type: 'WAIT', inputParameters: { duration: '3600 seconds' } },
      ],
    });
    const began = performance.now();
    for (let started = 0; started < TIMERS; started += 500) {
      await Promise.all(Array.from({ length: 500 }, () => client.engine.start({ name: 'waits' }, TESTER)));
    }
    startingMs = performance.now() - began;
  }, 180_000);
  afterAll(async () => {
    for (const close of open.toReversed()) await close();
  });

  test('fire once each, within a second', async () => {
    const { clock } = await node('home-2', true);
    await node('home-3', true);
    const from = clock.now() + AHEAD_MS;
    await it.query(
      `WITH due AS (SELECT workflow_id, $1::bigint + row_number() OVER () % 1000 AS at FROM workflow_timer),
        moved AS (UPDATE task SET due_at = due.at FROM due WHERE task.workflow_id = due.workflow_id)
       UPDATE workflow_timer SET due_at = due.at FROM due WHERE workflow_timer.workflow_id = due.workflow_id`,
      [from],
    );
    await eventually(
      async () => {
        const [row] = await it.query<{ n: string }>(
          `SELECT count(*) AS n FROM workflow WHERE ended_at IS NULL`,
        );
        return row?.n === '0';
      },
      { timeoutMs: 100_000 },
    );
    const [lag] = await it.query<Record<'early' | 'p50' | 'p95' | 'max' | 'ends', number>>(
      `SELECT min(w.ended_at - t.due_at)::int AS early, max(w.ended_at - t.due_at)::int AS max,
         percentile_disc(0.5) WITHIN GROUP (ORDER BY w.ended_at - t.due_at)::int AS p50,
         percentile_disc(0.95) WITHIN GROUP (ORDER BY w.ended_at - t.due_at)::int AS p95,
         sum(CASE WHEN t.status = 'COMPLETED' THEN 1 ELSE 0 END)::int AS ends
       FROM workflow w JOIN task t ON t.workflow_id = w.id`,
    );
    const { early = -1, p50 = 0, p95 = 0, max = 0, ends = 0 } = lag ?? {};
    process.stdout.write(
      `10,000 timers fired after p50 ${p50} ms, p95 ${p95} ms, at most ${max} ms; starting them took ${Math.round(startingMs)} ms\n`,
    );
    expect(early).toBeGreaterThanOrEqual(0);
    expect(ends).toBe(TIMERS);
    // A second on two cores of one's own; where others share them, what starting them cost says how much slower all is.
    expect(p95).toBeLessThan(Math.max(1_000, 2 * startingMs));
  }, 120_000);
});
