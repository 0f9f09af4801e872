import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Database } from '../../../src/database/database.js';
import { PostgresDefinitionStore } from '../../../src/engine/postgres/postgres-definition-store.js';
import { PostgresExecutionStore } from '../../../src/engine/postgres/postgres-execution-store.js';
import { testDatabase } from '../../support/database.js';
import { register, startEngine, stopEngine, TESTER, type TestEngine } from '../../support/engine.js';
import { eventually } from '../../support/eventually.js';
import { TcpProxy } from '../../support/tcp-proxy.js';

describe('a poll whose claim is stored and not answered', () => {
  let proxy: TcpProxy;
  let database: Database;
  let executions: PostgresExecutionStore;
  let it: TestEngine;

  beforeEach(async () => {
    const own = await testDatabase();
    await own.truncate();
    proxy = await TcpProxy.toUrl(own.url);
    database = new Database(proxy.through(own.url));
    executions = new PostgresExecutionStore(database);
    it = await startEngine({ executions, definitions: new PostgresDefinitionStore(database) });
  });
  afterEach(async () => {
    proxy.heal();
    await stopEngine(it);
    await executions.close();
    await database.close();
    await proxy.close();
  });

  const poll = () => it.engine.poll({ taskType: 'out', workerId: 'w', count: 5, timeoutMs: 0 });
  const startOne = async (responseTimeoutSeconds: number) => {
    const taskDefinition = { name: 'out', responseTimeoutSeconds };
    await register(it, {
      name: 'one',
      tasks: [{ name: 'out', taskReferenceName: 'out', type: 'SIMPLE', taskDefinition }],
    });
    return await it.engine.start({ name: 'one' }, TESTER);
  };
  const again = () =>
    eventually(async () => {
      it.clock.advance(1_000);
      const [task] = await poll().catch(() => []);
      return task;
    });

  test.each([0, 3_600])(
    'is refused, and its task is handed out again without a retry (response timeout %i s)',
    async (responseTimeoutSeconds) => {
      const id = await startOne(responseTimeoutSeconds);
      proxy.loseAnswer('COMMIT');
      await expect(poll()).rejects.toMatchObject({ status: 503, retryable: true, kind: 'unknown' });
      expect(proxy.hasLost).toBe(true);

      const since = it.clock.now();
      expect(await again()).toMatchObject({ task: { pollCount: 2, retryCount: 0, status: 'IN_PROGRESS' } });
      expect(it.clock.now() - since).toBeLessThan(60_000);
      expect((await it.engine.get(id)).tasks).toHaveLength(1);
    },
  );

  test('gives its task back once the database answers, however long that takes', async () => {
    await startOne(0);
    proxy.loseAnswer('COMMIT');
    const refused = expect(poll()).rejects.toMatchObject({ status: 503 });
    await eventually(() => proxy.hasLost);
    proxy.refuse();
    await refused;
    for (let n = 0; n < 5; n++) {
      it.clock.advance(1_000);
      await expect(poll()).rejects.toThrow();
    }
    proxy.heal();
    expect(await again()).toMatchObject({ task: { pollCount: 2, retryCount: 0 } });
  });

  test('has taken nothing when it is cut before it is stored', async () => {
    await startOne(0);
    // The answer to the claim itself, which names the definition.
    proxy.loseAnswer('definition_digest');
    await expect(poll()).rejects.toMatchObject({ status: 503, kind: 'transient' });
    expect(await again()).toMatchObject({ task: { pollCount: 1 } });
  });
});
