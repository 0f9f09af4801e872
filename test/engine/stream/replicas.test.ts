import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Database } from '../../../src/database/database.js';
import { Notices } from '../../../src/database/notices.js';
import { PostgresDefinitionStore } from '../../../src/engine/postgres/postgres-definition-store.js';
import { PostgresExecutionStore } from '../../../src/engine/postgres/postgres-execution-store.js';
import { ChangeFeed } from '../../../src/engine/stream/change-feed.js';
import { Subscriber, type Interest } from '../../../src/engine/stream/subscriber.js';
import { FakeClock } from '../../support/clock.js';
import { testDatabase } from '../../support/database.js';
import { chain, FunctionWorker, register, startEngine, stopEngine, TESTER } from '../../support/engine.js';
import { EventReader } from '../../support/events.js';

/** One process on the shared database, with notices through PostgreSQL. */
async function replica(name: string, workers: FunctionWorker[]) {
  const { url } = await testDatabase();
  const database = new Database(url);
  const notices = await Notices.start({ listenUrl: url, sender: database });
  const executions = new PostgresExecutionStore(database);
  const clock = new FakeClock();
  const feed = new ChangeFeed({ store: executions, clock, notices });
  const engine = await startEngine(
    { executions, definitions: new PostgresDefinitionStore(database) },
    {
      clock,
      workers,
      observers: [feed],
      identity: { homeId: name, host: name, pid: 1, roles: ['engine'] },
    },
  );
  await notices.subscribed();
  return {
    ...engine,
    listen: (interest: Partial<Interest>) => {
      const subscriber = new Subscriber({ tasks: true, ...interest });
      feed.add(subscriber, undefined);
      return new EventReader(subscriber);
    },
    close: async () => {
      feed.stop();
      await stopEngine(engine);
      await executions.close();
      await notices.stop();
      await database.close();
    },
  };
}

describe('two processes on one PostgreSQL', () => {
  let here: Awaited<ReturnType<typeof replica>>;
  let there: Awaited<ReturnType<typeof replica>>;
  beforeAll(async () => {
    here = await replica('here', []);
    there = await replica('there', [new FunctionWorker('work')]);
    await register(here, chain('two', 'work', 'work'));
    await register(there, chain('two', 'work', 'work'));
    for (const one of [here, there]) await register(one, chain('waits', 'nobody'));
  });
  afterAll(async () => {
    await there.close();
    await here.close();
  });

  test('a follower here is told what the other one does, to the end and in order', async () => {
    // No worker there may end it first.
    const workflowId = await here.engine.start({ name: 'waits' }, TESTER);
    const reader = here.listen({ workflowId });
    await reader.first(({ event }) => event === 'change', 'the first state');
    await there.engine.pause(workflowId, TESTER);
    await reader.first(({ data }) => data.status === 'PAUSED', 'the pause there');
    await there.engine.resume(workflowId, TESTER);
    await here.engine.terminate(workflowId, 'enough', TESTER);
    await reader.first(({ data }) => data.status === 'TERMINATED', 'the end');
    const revisions = reader.of('change').map(({ data }) => data.revision as number);
    expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
  });

  test('a listener to all here hears of a workflow that lives there alone', async () => {
    const reader = here.listen({ tasks: false });
    await reader.first(({ event }) => event === 'reset', 'the reset from when on it hears');
    const workflowId = await there.engine.start({ name: 'two' }, TESTER);
    await reader.first(
      ({ data }) => data.workflowId === workflowId && data.status === 'COMPLETED',
      'the end of the workflow there',
    );
  });
});
