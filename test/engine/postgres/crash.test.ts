import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { Database } from '../../../src/database/database.js';
import { PostgresDefinitionStore } from '../../../src/engine/postgres/postgres-definition-store.js';
import { PostgresExecutionStore } from '../../../src/engine/postgres/postgres-execution-store.js';
import type { CrashPoint } from '../../../src/engine/runtime/crash-points.js';
import { FakeClock } from '../../support/clock.js';
import { MortalClock, StopAt } from '../../support/crash.js';
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

describe('a process that stops at', () => {
  let it: TestDatabase;
  const open: { close(): Promise<void> }[] = [];
  afterAll(async () => {
    for (const one of open.toReversed()) await one.close();
  });
  beforeEach(async () => {
    it = await testDatabase();
    await it.truncate();
  });

  const workflow = {
    name: 'all',
    tasks: [
      { name: 'step', taskReferenceName: 'a', type: 'SIMPLE' },
      {
        name: 'f',
        taskReferenceName: 'f',
        type: 'FORK_JOIN',
        forkTasks: [
          [{ name: 'step', taskReferenceName: 'b', type: 'SIMPLE' }],
          [{ name: 'w', taskReferenceName: 'w', type: 'WAIT', inputParameters: { duration: '5 seconds' } }],
        ],
      },
      { name: 'j', taskReferenceName: 'j', type: 'JOIN', joinOn: ['b', 'w'] },
      { name: 'fail', taskReferenceName: 'c', type: 'SIMPLE' },
    ],
    failureWorkflow: 'after',
  };

  const step = () =>
    new FunctionWorker('step', (task) => ({ kind: 'completed', output: { by: task.referenceTaskName } }));
  const fail = () =>
    new FunctionWorker('fail', () => ({ kind: 'failed', reason: 'on purpose', terminal: true }));

  async function startProcess(crash: StopAt | undefined, clock: FakeClock) {
    const name = `crash-${randomBytes(4).toString('hex')}`;
    const database = new Database(it.url, { applicationName: name });
    const executions = new PostgresExecutionStore(database, crash);
    const stores = { executions, definitions: new PostgresDefinitionStore(database) };
    const engine = await startEngine(stores, {
      clock: (crash === undefined ? clock : new MortalClock(clock, crash)) as FakeClock,
      ...(crash === undefined ? {} : { crash }),
      workers: [step(), fail(), new FunctionWorker('clean')],
    });
    return { engine, executions, database };
  }

  /** As the kernel does: the sockets close, PostgreSQL rolls back. */
  async function bury(): Promise<void> {
    const admin = new Client({ connectionString: it.adminUrl });
    await admin.connect();
    await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name LIKE 'sallyport-engine%'`,
    );
    await admin.end();
  }

  const points: readonly (readonly [CrashPoint, number])[] = [
    ['batch:before-write', 1],
    ['batch:before-write', 2],
    ['batch:before-commit', 1],
    ['batch:before-commit', 2],
    ['batch:before-commit', 3],
    ['batch:before-commit', 4],
    ['batch:before-commit', 5],
    ['batch:after-commit', 1],
    ['batch:after-commit', 2],
    ['batch:after-commit', 3],
    ['batch:after-commit', 4],
    ['batch:after-commit', 5],
    ['batch:before-delivery', 2],
    ['batch:before-delivery', 3],
    ['claim:after-commit', 1],
    ['claim:after-commit', 3],
    ['run:before-report', 1],
    ['run:before-report', 2],
    ['run:before-report', 3],
    ['timer:claimed', 1],
    ['inbox:held', 1],
  ];

  test.each(points)('%s (time %i) is continued by the next one, each step once', async (point, nth) => {
    const clock = new FakeClock();
    const crash = new StopAt(point, nth);
    const { engine } = await startProcess(crash, clock);
    await register(engine, workflow, chain('after', 'clean'));
    const workflowId = '7d3f3b43-58d5-4a3a-8a19-4a3e9e4f7b11';
    const start = (one: TestEngine) => one.engine.start({ name: 'all', workflowId }, TESTER);
    // The client repeats its start after the crash: it does not know whether it counted.
    void start(engine).catch(() => undefined);
    await eventually(() => {
      clock.advance(200);
      return crash.isStopped;
    });
    await bury();

    const second = await startProcess(undefined, clock);
    open.push(second.database, second.executions);
    expect(await start(second.engine)).toBe(workflowId);
    const over = async (id: string, wanted: string) =>
      eventually(async () => {
        clock.advance(200);
        return (await second.engine.engine.get(id)).status === wanted;
      });
    await over(workflowId, 'FAILED');
    const { tasks, output } = await second.engine.engine.get(workflowId);
    expect(
      tasks.map(({ referenceTaskName, status, retryCount }) => [referenceTaskName, status, retryCount]),
    ).toEqual([
      ['a', 'COMPLETED', 0],
      ['f', 'COMPLETED', 0],
      ['b', 'COMPLETED', 0],
      ['w', 'COMPLETED', 0],
      ['j', 'COMPLETED', 0],
      ['c', 'FAILED_WITH_TERMINAL_ERROR', 0],
    ]);
    await over(output['conductor.failure_workflow'] as string, 'COMPLETED');
    const { items } = await second.engine.engine.search({ limit: 10 });
    expect(items).toHaveLength(2);
    // Of the start that somebody asked for; the engine's own follow-up stands in its row.
    const audit = await it.query("SELECT action FROM audit_event WHERE action = 'workflow.started'");
    expect(audit).toHaveLength(1);
    await stopEngine(second.engine);
    expect(await it.query('SELECT 1 FROM task WHERE lease_owner IS NOT NULL')).toEqual([]);
    expect(await it.query('SELECT 1 FROM workflow_timer')).toEqual([]);
    expect(await it.query('SELECT 1 FROM workflow_inbox')).toEqual([]);
    expect(await it.query('SELECT 1 FROM node')).toEqual([]);
  });
});
