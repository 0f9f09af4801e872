import { beforeAll, describe, expect, test } from 'vitest';
import { PostgresDefinitionStore } from '../../../src/engine/postgres/postgres-definition-store.js';
import { Database } from '../../../src/database/database.js';
import { PostgresExecutionStore } from '../../../src/engine/postgres/postgres-execution-store.js';
import { testDatabase } from '../../support/database.js';
import { chain, FunctionWorker, register, startEngine, stopEngine, TESTER } from '../../support/engine.js';
import { eventually } from '../../support/eventually.js';
import { prepareScripts } from '../../support/scripts.js';
import { command } from '../conformance/fixtures.js';
import { loop, simple, sub } from '../runtime/children.suite.js';

/** Figures of this machine while it has other things to do; the bounds only tell a queue from a queue that waits. */
describe('messages between workflows', () => {
  beforeAll(prepareScripts);

  async function onPostgres(
    work: (it: Awaited<ReturnType<typeof startEngine>>, store: PostgresExecutionStore) => Promise<void>,
  ) {
    const database = await testDatabase();
    await database.truncate();
    const pool = new Database(database.url);
    const executions = new PostgresExecutionStore(pool);
    const it = await startEngine(
      { executions, definitions: new PostgresDefinitionStore(pool) },
      { workers: [new FunctionWorker('work', undefined, 50)] },
    );
    try {
      await register(it, chain('child', 'work'), { name: 'parent', tasks: [sub('s', 'child')] });
      await work(it, executions);
    } finally {
      await stopEngine(it);
      await executions.close();
      await pool.close();
    }
  }

  const median = (times: readonly number[]): number =>
    times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0;

  test('cost a parent and its child no more than the same number of commits', async () => {
    await onPostgres(async (it, store) => {
      await register(it, chain('three', 'work', 'work', 'work'));
      const run = async (name: string): Promise<number> => {
        const id = await it.engine.start({ name }, TESTER);
        const since = performance.now();
        while ((await store.load(id))?.workflow.status !== 'COMPLETED') {
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
        return performance.now() - since;
      };
      const [plain, nested]: [number[], number[]] = [[], []];
      for (let n = 0; n < 15; n += 1) {
        plain.push(await run('three'));
        nested.push(await run('parent'));
      }
      const say = (times: readonly number[]) => `${median(times).toFixed(1)} ms`;
      process.stdout.write(
        `three tasks ${say(plain)}; parent, child with one task, parent ${say(nested)} (p50)\n`,
      );
      // The clock stands still: nothing waits for a second look. Both are three commits after the start.
      expect(median(nested)).toBeLessThan(3 * median(plain) + 10);
    });
  });

  test('flow by the thousand, claimed or held', async () => {
    await onPostgres(async (it, store) => {
      const source = await it.engine.start({ name: 'child' }, TESTER);
      const count = 1_000;
      const effects = Array.from({ length: count }, (_, n) => ({
        kind: 'terminateChild' as const,
        workflowId: `gone-${n % 50}`,
        taskId: `task-${n}`,
        reason: 'enough',
      }));
      const ends = Array.from({ length: count }, (_, n) => ({
        kind: 'childEnded' as const,
        workflowId: source,
        taskId: `task-${n}`,
        childWorkflowId: `child-${n}`,
        status: 'COMPLETED' as const,
        output: {},
        endTime: 0,
      }));
      for (const [what, rows] of [
        ['for one workflow', ends],
        ['for nobody', effects],
      ] as const) {
        const before = it.runtime.inbox.facts.consumed;
        await command(store, source, { kind: 'wake' }, { now: it.clock.now(), timer: true, effects: rows });
        it.clock.advance(1_000);
        const since = performance.now();
        await eventually(
          () => {
            // Time goes on, faster than outside: a message that has to be tried again waits for seconds by this clock.
            it.clock.advance(100);
            // One that was taken up twice is counted twice, and has its effect once.
            return it.runtime.inbox.facts.consumed - before >= count;
          },
          { timeoutMs: 18_000 },
        );
        const perSecond = count / ((performance.now() - since) / 1_000);
        process.stdout.write(`${count} messages ${what}: ${perSecond.toFixed(0)} a second\n`);
        expect(perSecond).toBeGreaterThan(60);
      }
    });
  });

  test('start hundreds of children and take their ends', async () => {
    await onPostgres(async (it, store) => {
      const count = 300;
      const refs = Array.from({ length: count }, (_, n) => `s${n}`);
      await register(it, {
        name: 'wide',
        tasks: [
          {
            name: 'f',
            taskReferenceName: 'f',
            type: 'FORK_JOIN',
            forkTasks: refs.map((ref) => [sub(ref, 'child')]),
          },
          { name: 'j', taskReferenceName: 'j', type: 'JOIN', joinOn: refs },
        ],
      });
      const since = performance.now();
      const id = await it.engine.start({ name: 'wide' }, TESTER);
      await eventually(async () => (await store.count({ status: ['RUNNING'] })) === 0, { timeoutMs: 18_000 });
      expect((await it.engine.get(id)).status).toBe('COMPLETED');
      process.stdout.write(
        `children: ${(count / ((performance.now() - since) / 1_000)).toFixed(0)} a second\n`,
      );
    });
  });

  test('and loops ask their condition in milliseconds', async () => {
    await onPostgres(async (it) => {
      await register(it, { name: 'round', tasks: [loop('l', [simple('work')], '$.l.iteration < 30')] });
      const since = performance.now();
      const id = await it.engine.start({ name: 'round' }, TESTER);
      await eventually(async () => (await it.engine.get(id)).status === 'COMPLETED', { timeoutMs: 18_000 });
      const each = (performance.now() - since) / 30;
      process.stdout.write(`an iteration with one task: ${each.toFixed(1)} ms\n`);
      expect(each).toBeLessThan(500);
    });
  });
});
