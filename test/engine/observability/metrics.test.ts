import { readFileSync } from 'node:fs';
import { Registry } from 'prom-client';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Database } from '../../../src/database/database.js';
import { CommitMetrics } from '../../../src/engine/observability/commit-metrics.js';
import { EngineGauges } from '../../../src/engine/observability/engine-gauges.js';
import { PostgresDefinitionStore } from '../../../src/engine/postgres/postgres-definition-store.js';
import { PostgresExecutionStore } from '../../../src/engine/postgres/postgres-execution-store.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
import {
  chain,
  FunctionWorker,
  register,
  startEngine,
  stopEngine,
  TESTER,
  type TestEngine,
} from '../../support/engine.js';
import { eventually } from '../../support/eventually.js';

const log = pino({ level: 'silent' });

/** The sample with this name and exactly these labels. */
async function sample(registry: Registry, line: string): Promise<number | undefined> {
  const found = (await registry.metrics()).split('\n').find((text) => text.startsWith(`${line} `));
  return found === undefined ? undefined : Number(found.slice(line.length + 1));
}

describe('the metrics of the engine', () => {
  let test1: TestDatabase;
  let database: Database;
  const registry = new Registry();
  let it: TestEngine;

  beforeAll(async () => {
    test1 = await testDatabase();
    await test1.truncate();
    database = new Database(test1.url);
    it = await startEngine(
      {
        executions: new PostgresExecutionStore(database),
        definitions: new PostgresDefinitionStore(database),
      },
      {
        observers: [new CommitMetrics(registry)],
        workers: [
          new FunctionWorker('mine'),
          new FunctionWorker('fails', () => ({ kind: 'failed', reason: 'no', terminal: true })),
        ],
      },
    );
    void new EngineGauges(registry, it.runtime, database, it.clock, log);
    await register(it, chain('good', 'mine'), chain('bad', 'fails'), chain('waits', 'nobody'));
  });
  afterAll(async () => {
    await stopEngine(it);
    await it.runtime.store.close();
    await database.close();
  });

  test('count what started and how it ended, by name', async () => {
    await it.engine.start({ name: 'good' }, TESTER);
    await it.engine.start({ name: 'bad' }, TESTER);
    const ended = 'sallyport_workflows_ended_total';
    await eventually(async () => (await sample(registry, `${ended}{workflow="bad",status="FAILED"}`)) === 1);
    await eventually(
      async () => (await sample(registry, `${ended}{workflow="good",status="COMPLETED"}`)) === 1,
    );
    expect(await sample(registry, 'sallyport_workflows_started_total{workflow="good"}')).toBe(1);
    const tasks = 'sallyport_tasks_ended_total';
    expect(await sample(registry, `${tasks}{task_type="mine",status="COMPLETED"}`)).toBe(1);
    expect(await sample(registry, `${tasks}{task_type="fails",status="FAILED_WITH_TERMINAL_ERROR"}`)).toBe(1);
    expect(await sample(registry, 'sallyport_commit_seconds_count')).toBeGreaterThan(2);
    expect(await sample(registry, 'sallyport_commit_statements_total')).toBeGreaterThan(10);
    expect(await sample(registry, 'sallyport_workflow_duration_seconds_count')).toBe(2);
    expect(await sample(registry, 'sallyport_task_run_seconds_count')).toBe(2);
  });

  test('show what is open, what waits and for how long', async () => {
    // A registry of its own: the other one's readings are fresh and stay.
    const later = new Registry();
    void new EngineGauges(later, it.runtime, database, it.clock, log);
    await it.engine.start({ name: 'waits' }, TESTER);
    const paused = await it.engine.start({ name: 'waits' }, TESTER);
    await it.engine.pause(paused, TESTER);
    it.clock.advance(90_000);
    await eventually(async () => (await sample(later, 'sallyport_workflows{state="running"}')) === 1);
    expect(await sample(later, 'sallyport_workflows{state="paused"}')).toBe(1);
    expect(await sample(later, 'sallyport_task_queue_depth{task_type="nobody"}')).toBeGreaterThan(0);
    expect(await sample(later, 'sallyport_task_queue_depth{task_type="mine"}')).toBe(0);
    expect(await sample(later, 'sallyport_task_queue_oldest_age_seconds{task_type="nobody"}')).toBe(90);
    expect(await sample(later, 'sallyport_inbox_depth')).toBe(0);
    expect(await sample(later, 'sallyport_postgres_connections{pool="engine",state="waiting"}')).toBe(0);
    expect(await sample(later, 'sallyport_workflow_cache_bytes')).toBeGreaterThan(0);
  });

  test('are all in the operating guide, and the dashboard shows no others', async () => {
    const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
    const own = (text: string) => new Set(text.match(/\bsallyport_[a-z_]+/g) ?? []);
    const names = new Set(
      (await registry.getMetricsAsJSON())
        .map(({ name }) => name)
        .filter((name) => name.startsWith('sallyport_')),
    );
    const documented = own(read('docs/operating.md'));
    expect([...names].filter((name) => !documented.has(name))).toEqual([]);
    const shown = [...own(read('deploy/grafana-engine.json'))].map((name) =>
      name.replace(/_(bucket|sum|count)$/, ''),
    );
    expect(shown.filter((name) => !names.has(name))).toEqual([]);
  });

  test('count reports that came too late', async () => {
    const metric = 'sallyport_task_reports_late_total{source="worker"}';
    const before = (await sample(registry, metric)) ?? 0;
    const id = await it.engine.start({ name: 'waits' }, TESTER);
    const [task] = (await it.engine.get(id)).tasks;
    await it.engine.terminate(id, 'enough', TESTER);
    const outcome = await it.engine.updateTask(
      { workflowInstanceId: id, taskId: task!.taskId, status: 'COMPLETED' },
      TESTER,
    );
    expect(outcome.kind).toBe('late');
    await eventually(async () => (await sample(registry, metric)) === before + 1);
  });

  test('measure how late timers fire', async () => {
    await register(it, {
      name: 'sleeps',
      version: 1,
      schemaVersion: 2,
      tasks: [
        { name: 'nap', taskReferenceName: 'nap', type: 'WAIT', inputParameters: { duration: '10 seconds' } },
      ],
    });
    const id = await it.engine.start({ name: 'sleeps' }, TESTER);
    await eventually(async () => {
      it.clock.advance(1_000);
      return (await it.engine.get(id)).status === 'COMPLETED';
    });
    expect(await sample(registry, 'sallyport_timer_lag_seconds_count')).toBeGreaterThan(0);
  });

  test("take the planner's word for more than 10,000 open workflows", async () => {
    await test1.query(
      `INSERT INTO workflow (id, name, version, status, revision, run_epoch, priority, created_at, updated_at, task_count,
         open_task_count, failed_references)
       SELECT 'many-' || n, 'many', 1, 'RUNNING', 1, 0, 0, n, n, 1, 1, '{}' FROM generate_series(1, 30000) AS n`,
    );
    await test1.query('ANALYZE workflow');
    const later = new Registry();
    void new EngineGauges(later, it.runtime, database, it.clock, log);
    const running = await eventually(() => sample(later, 'sallyport_workflows{state="running"}'));
    expect(running).toBeGreaterThan(27_000);
    expect(running).toBeLessThan(33_000);
  });
});
