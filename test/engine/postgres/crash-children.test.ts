import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Database } from '../../../src/database/database.js';
import { PostgresDefinitionStore } from '../../../src/engine/postgres/postgres-definition-store.js';
import { PostgresExecutionStore } from '../../../src/engine/postgres/postgres-execution-store.js';
import type { CrashPoint } from '../../../src/engine/runtime/crash-points.js';
import { FakeClock } from '../../support/clock.js';
import { MortalClock, StopAt } from '../../support/crash.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
import {
  FunctionWorker,
  register,
  startEngine,
  stopEngine,
  TESTER,
  type TestEngine,
} from '../../support/engine.js';
import { eventually } from '../../support/eventually.js';
import { prepareScripts } from '../../support/scripts.js';
import { loop, simple, sub } from '../runtime/children.suite.js';

const PARENT = '7d3f3b43-58d5-4a3a-8a19-4a3e9e4f7b11';

/** Two rounds of a child, then a child that is still at it when its sibling fails, and is terminated. */
const definitions = [
  { name: 'child', tasks: [simple('step')], outputParameters: { done: '${step.output.by}' } },
  {
    name: 'slow',
    tasks: [{ name: 'w', taskReferenceName: 'w', type: 'WAIT', inputParameters: { duration: '1 hours' } }],
  },
  {
    name: 'parent',
    tasks: [
      loop('l', [sub('s', 'child')], '$.l.iteration < 2'),
      {
        name: 'f',
        taskReferenceName: 'f',
        type: 'FORK_JOIN',
        forkTasks: [[sub('t', 'slow')], [{ ...simple('fail'), startDelay: 1 }]],
      },
      { name: 'j', taskReferenceName: 'j', type: 'JOIN', joinOn: ['t', 'fail'] },
    ],
    outputParameters: { first: '${l.output.1.s.done}' },
  },
];

const points: readonly (readonly (readonly [CrashPoint, number])[])[] = [
  ...[1, 3, 5, 7, 9, 11, 13].map((nth) => [['batch:before-commit', nth] as const]),
  ...[2, 4, 6, 8, 10, 12].map((nth) => [['batch:after-commit', nth] as const]),
  ...[1, 2, 3, 4, 5, 6].map((nth) => [['inbox:held', nth] as const]),
  [['script:needed', 1]],
  [['script:needed', 2]],
  [['script:evaluated', 1]],
  [['script:evaluated', 2]],
  // The one that takes over what the first held dies too.
  [
    ['inbox:held', 1],
    ['inbox:claimed', 1],
  ],
  [
    ['inbox:held', 2],
    ['inbox:claimed', 1],
  ],
  [
    ['inbox:held', 6],
    ['inbox:held', 1],
  ],
  [
    ['script:evaluated', 1],
    ['batch:before-commit', 2],
  ],
  [
    ['script:evaluated', 2],
    ['script:evaluated', 1],
  ],
];

const MENDED = [
  {
    name: 'mending',
    tasks: [simple('mends')],
  },
  { name: 'above', tasks: [sub('m', 'mending'), simple('step')] },
];

describe('a parent whose process stops at', () => {
  let it: TestDatabase;
  const open: { close(): Promise<void> }[] = [];
  beforeAll(prepareScripts);
  afterAll(async () => {
    for (const one of open.toReversed()) await one.close();
  });
  beforeEach(async () => {
    it = await testDatabase();
    await it.truncate();
  });

  async function startProcess(
    crash: StopAt | undefined,
    clock: FakeClock,
    isBroken = false,
  ): Promise<TestEngine> {
    const database = new Database(it.url, { applicationName: `crash-${randomBytes(4).toString('hex')}` });
    const executions = new PostgresExecutionStore(database, crash);
    if (crash === undefined) open.push(database, executions);
    const stores = { executions, definitions: new PostgresDefinitionStore(database) };
    return await startEngine(stores, {
      clock: (crash === undefined ? clock : new MortalClock(clock, crash)) as FakeClock,
      ...(crash === undefined ? {} : { crash }),
      workers: [
        new FunctionWorker('step', ({ iteration }) => ({ kind: 'completed', output: { by: iteration } })),
        new FunctionWorker('mends', () =>
          isBroken
            ? { kind: 'failed', reason: 'on purpose', terminal: true }
            : { kind: 'completed', output: {} },
        ),
        new FunctionWorker('fail', () => ({ kind: 'failed', reason: 'on purpose', terminal: true })),
      ],
    });
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

  test.each(
    [1, 2, 3, 4]
      .flatMap((nth) => [['batch:before-commit', nth] as const, ['batch:after-commit', nth] as const])
      .concat([['inbox:held', 1] as never, ['inbox:held', 2] as never]),
  )('%s (time %i) after its child was retried goes on when that is mended', async (point, nth) => {
    const clock = new FakeClock();
    const before = await startProcess(undefined, clock, true);
    await register(before, ...MENDED);
    await before.engine.start({ name: 'above', workflowId: PARENT }, TESTER);
    await eventually(async () => (await before.engine.get(PARENT)).status === 'FAILED');
    const child = (await before.engine.get(PARENT)).tasks[0]?.subWorkflowId ?? '';
    await stopEngine(before);

    const crash = new StopAt(point, nth);
    const dying = await startProcess(crash, clock);
    void dying.engine.retry(child, TESTER).catch(() => undefined);
    await eventually(() => {
      clock.advance(200);
      return crash.isStopped;
    });
    await bury();

    const last = await startProcess(undefined, clock);
    // Whoever asked does not know whether it counted, and asks again.
    await last.engine.retry(child, TESTER).catch(() => undefined);
    await eventually(async () => {
      clock.advance(200);
      return (await last.engine.get(PARENT)).status === 'COMPLETED';
    });
    const { tasks } = await last.engine.get(PARENT);
    expect(
      tasks.map(({ referenceTaskName, status, retryCount }) => [referenceTaskName, status, retryCount]),
    ).toEqual([
      ['m', 'COMPLETED', 0],
      ['step', 'COMPLETED', 0],
    ]);
    await eventually(async () => {
      clock.advance(200);
      return (await it.query('SELECT 1 FROM workflow_inbox')).length === 0;
    });
    await stopEngine(last);
  });

  const name = (deaths: (typeof points)[number]) => deaths.map((death) => death.join(' ')).join(', then ');

  test.each(points.map((deaths) => [name(deaths), deaths] as const))(
    '%s ends as if nothing had been',
    async (_, deaths) => {
      const clock = new FakeClock();
      const start = (one: TestEngine) => one.engine.start({ name: 'parent', workflowId: PARENT }, TESTER);
      for (const [point, nth] of deaths) {
        const crash = new StopAt(point, nth);
        const engine = await startProcess(crash, clock);
        await register(engine, ...definitions);
        void start(engine).catch(() => undefined);
        await eventually(() => {
          clock.advance(200);
          return crash.isStopped;
        });
        await bury();
      }
      const last = await startProcess(undefined, clock);
      await start(last);
      await eventually(async () => {
        clock.advance(200);
        return (await last.engine.get(PARENT)).status === 'FAILED';
      });
      const { tasks, reasonForIncompletion } = await last.engine.get(PARENT);
      expect(tasks.map(({ referenceTaskName, status }) => [referenceTaskName, status])).toEqual([
        ['l', 'COMPLETED'],
        ['s__1', 'COMPLETED'],
        ['s__2', 'COMPLETED'],
        ['f', 'COMPLETED'],
        ['t', 'CANCELED'],
        ['fail', 'FAILED_WITH_TERMINAL_ERROR'],
        ['j', 'CANCELED'],
      ]);
      expect(reasonForIncompletion).toContain('on purpose');
      expect(tasks[0]?.outputData).toMatchObject({
        iteration: 2,
        1: { s: { done: 0 } },
        2: { s: { done: 0 } },
      });
      await eventually(async () => {
        clock.advance(200);
        return (await last.engine.search({ limit: 10, status: ['RUNNING'] })).items.length === 0;
      });
      const children = await it.query<{ name: string; status: string }>(
        'SELECT name, status FROM workflow WHERE parent_workflow_id IS NOT NULL ORDER BY name, status',
      );
      expect(children.map((one) => `${one.name} ${one.status}`)).toEqual([
        'child COMPLETED',
        'child COMPLETED',
        'slow TERMINATED',
      ]);
      await eventually(async () => {
        clock.advance(200);
        return (await it.query('SELECT 1 FROM workflow_inbox')).length === 0;
      });
      await stopEngine(last);
      expect(await it.query('SELECT 1 FROM workflow_timer')).toEqual([]);
      expect(await it.query('SELECT 1 FROM node')).toEqual([]);
    },
  );
});
