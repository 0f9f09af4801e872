import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { MemoryDefinitionStore } from '../../../src/engine/memory/memory-definition-store.js';
import { MemoryExecutionStore } from '../../../src/engine/memory/memory-execution-store.js';
import { ChangeFeed, TICK_MS } from '../../../src/engine/stream/change-feed.js';
import type { NoticeBoard } from '../../../src/engine/stream/peers.js';
import { Subscriber, type Interest } from '../../../src/engine/stream/subscriber.js';
import { FakeClock } from '../../support/clock.js';
import {
  chain,
  FunctionWorker,
  register,
  startEngine,
  stopEngine,
  TESTER,
  type TestEngine,
} from '../../support/engine.js';
import { EventReader } from '../../support/events.js';
import { eventually } from '../../support/eventually.js';

/** Notices between the feeds of one test process; `isDeaf` loses them. */
class Board {
  private readonly members: { hear: Set<(payload: string) => void> }[] = [];
  isDeaf = false;
  sent = 0;

  join(): NoticeBoard {
    const me = { hear: new Set<(payload: string) => void>() };
    this.members.push(me);
    return {
      publish: (_channel, payload) => {
        this.sent += 1;
        if (this.isDeaf) return;
        for (const other of this.members) {
          if (other !== me) setImmediate(() => other.hear.forEach((listener) => listener(payload)));
        }
      },
      on: (_channel, listener) => {
        me.hear.add(listener);
        return () => me.hear.delete(listener);
      },
      onReconnect: () => () => undefined,
    };
  }
}

describe('the change feed', () => {
  const running: { engine: TestEngine; feed: ChangeFeed }[] = [];
  afterEach(async () => {
    for (const { engine, feed } of running.splice(0)) {
      feed.stop();
      await stopEngine(engine);
    }
  });

  async function node(
    store = new MemoryExecutionStore(),
    definitions = new MemoryDefinitionStore(),
    options: { board?: Board; workers?: FunctionWorker[]; homeId?: string; clock?: FakeClock } = {},
  ) {
    const clock = options.clock ?? new FakeClock();
    const feed = new ChangeFeed({ store, clock, notices: options.board?.join() });
    const engine = await startEngine(
      { executions: store, definitions },
      {
        clock,
        workers: options.workers ?? [],
        observers: [feed],
        identity: { homeId: options.homeId ?? 'home-1', host: 'test', pid: 1, roles: ['engine'] },
      },
    );
    running.push({ engine, feed });
    await register(engine, chain('two', 'work', 'work'), chain('one', 'hand'));
    const listen = (interest: Partial<Interest>, known = -1, lastEventId?: string) => {
      const subscriber = new Subscriber({ tasks: true, ...interest }, known);
      feed.add(subscriber, lastEventId);
      return { subscriber, reader: new EventReader(subscriber) };
    };
    return { ...engine, store, feed, listen };
  }

  const start = ({ engine }: TestEngine, name = 'two') => engine.start({ name }, TESTER);

  test('tells a follower every step of a workflow, and its end', async () => {
    const it = await node(undefined, undefined, { workers: [new FunctionWorker('work')] });
    const workflowId = await start(it);
    const { reader } = it.listen({ workflowId });
    const end = await reader.first(({ data }) => data.status === 'COMPLETED', 'the end');
    const tasks = new Map(
      reader
        .of('change')
        .flatMap(({ data }) => data.tasks)
        .map((task) => [task.taskId, task]),
    );
    expect(
      [...tasks.values()].map(({ referenceTaskName, status, lease }) => [referenceTaskName, status, lease]),
    ).toEqual([
      ['work_0', 'COMPLETED', null],
      ['work_1', 'COMPLETED', null],
    ]);
    expect(end.id).toBe(`r${end.data.revision}`);
    expect(JSON.stringify(end.data)).not.toContain('inputData');
  });

  test('tells a follower who comes back only what changed since', async () => {
    const it = await node();
    const workflowId = await start(it);
    const { reader, subscriber } = it.listen({ workflowId });
    const { data } = await reader.first(({ event }) => event === 'change', 'the first state');
    subscriber.destroy();
    await it.engine.poll({ taskType: 'work', workerId: 'w', count: 1, timeoutMs: 0 });
    const again = it.listen({ workflowId }, data.revision);
    const change = await again.reader.first(({ event }) => event === 'change', 'the claim');
    expect(change.data).toMatchObject({
      since: data.revision,
      tasks: [{ workerId: 'w', status: 'IN_PROGRESS' }],
    });
  });

  test('tells a claim by a worker outside with its lease', async () => {
    const it = await node();
    const workflowId = await start(it, 'one');
    const { reader } = it.listen({ workflowId });
    await reader.first(({ event }) => event === 'change', 'the first state');
    await it.engine.poll({ taskType: 'hand', workerId: 'w', count: 1, timeoutMs: 0 });
    const { data } = await reader.first(({ data: { tasks } }) => tasks?.[0]?.workerId === 'w', 'the claim');
    expect(data.tasks[0].lease.until).toBeGreaterThan(it.clock.now());
  });

  test('finds what no hint told of at the next look', async () => {
    const store = new MemoryExecutionStore();
    const definitions = new MemoryDefinitionStore();
    const here = await node(store, definitions);
    const there = await node(store, definitions, { homeId: 'home-2' });
    const workflowId = await start(here);
    const { reader } = here.listen({ workflowId });
    await reader.first(({ event }) => event === 'change', 'the first state');
    await there.engine.pause(workflowId, TESTER);
    here.clock.advance(TICK_MS);
    await reader.first(({ data }) => data.status === 'PAUSED', 'the pause');
  });

  test('tells of a task that a leaving process hands back', async () => {
    const it = await node();
    const workflowId = await start(it, 'one');
    const [claimed] = await it.store.claimTasks({
      taskType: 'hand',
      takers: [{ workerId: 'w', owner: 'dead' }],
      now: it.clock.now(),
      ageingMs: 600_000,
    });
    expect(claimed?.task.workflowInstanceId).toBe(workflowId);
    const { reader } = it.listen({ workflowId });
    await reader.first(({ data: { tasks } }) => tasks?.[0]?.lease?.owner === 'dead', 'the lease');
    await it.runtime.keeper.release(['dead']);
    await reader.first(({ data: { tasks } }) => tasks?.[0]?.status === 'SCHEDULED', 'the release');
  });

  test('ends a stream whose workflow is gone', async () => {
    const it = await node();
    const { reader } = it.listen({ workflowId: 'never' });
    await reader.first(({ event, data }) => event === 'end' && data.reason === 'gone', 'the end');
    await eventually(() => reader.hasEnded);
  });

  test('lets a listener to all resume where it was, and resets one that was away too long', async () => {
    const it = await node();
    const { reader, subscriber } = it.listen({});
    const first = await start(it);
    const { id } = await reader.first(({ data }) => data.workflowId === first, 'the first');
    subscriber.destroy();
    const second = await start(it);
    const again = it.listen({ workflowName: 'two' }, -1, id);
    await again.reader.first(({ data }) => data.workflowId === second, 'what was missed');
    expect(again.reader.of('reset')).toEqual([]);
    expect(again.reader.of('change').map(({ data }) => data.workflowId)).toEqual([second]);
    const closed = once(again.subscriber, 'close');
    again.subscriber.destroy();
    await closed;
    it.clock.advance(61_000);
    const late = it.listen({}, -1, id);
    await late.reader.first(({ event }) => event === 'reset', 'the reset');
    const foreign = it.listen({}, -1, 'ffffffff-1');
    await foreign.reader.first(({ event }) => event === 'reset', 'the reset after another process');
  });

  test('resets a listener to all who does not read while more changes than he may be behind', async () => {
    const it = await node();
    const subscriber = new Subscriber({ tasks: false });
    it.feed.add(subscriber, undefined);
    const watch = it.listen({ tasks: false }).reader;
    const ids = await Promise.all(Array.from({ length: 600 }, () => start(it, 'one')));
    await eventually(() => watch.of('reset').length > 0 || watch.of('change').length === ids.length);
    const { events } = new EventReader(subscriber);
    await eventually(() => events[1]?.event === 'reset');
    expect(events.length).toBeLessThan(210);
  });

  describe('between processes', () => {
    async function pair() {
      const store = new MemoryExecutionStore();
      const definitions = new MemoryDefinitionStore();
      const board = new Board();
      const clock = new FakeClock();
      const here = await node(store, definitions, { board, clock });
      const there = await node(store, definitions, { board, homeId: 'home-2', clock });
      return { here, there, board, clock };
    }

    test('says nothing while nobody listens', async () => {
      const { there, board } = await pair();
      await start(there);
      expect(board.sent).toBe(0);
    });

    test('tells a follower of what another process commits, without waiting for a look', async () => {
      const { here, there } = await pair();
      const workflowId = await start(here);
      const { reader } = here.listen({ workflowId });
      await reader.first(({ event }) => event === 'change', 'the first state');
      await there.engine.pause(workflowId, TESTER);
      await reader.first(({ data }) => data.status === 'PAUSED', 'the pause');
    });

    test('tells a listener to all, after a reset from when on the other is heard', async () => {
      const { here, there } = await pair();
      const { reader } = here.listen({});
      await reader.first(({ event }) => event === 'reset', 'the reset');
      const workflowId = await start(there);
      await reader.first(({ data }) => data.workflowId === workflowId, 'the start there');
    });

    test('resets a listener to all when leases there were handed back', async () => {
      const { here, there } = await pair();
      const { reader } = here.listen({});
      await reader.first(({ event }) => event === 'reset', 'the reset');
      const before = reader.of('reset').length;
      there.feed.released();
      await eventually(() => reader.of('reset').length > before);
    });

    test('resets a listener to all while a process is there that does not tell', async () => {
      const { here, board, clock } = await pair();
      const { reader } = here.listen({});
      await reader.first(({ event }) => event === 'reset', 'the reset');
      board.isDeaf = true;
      const seen = reader.of('reset').length;
      await eventually(() => {
        clock.advance(TICK_MS);
        return reader.of('reset').length > seen + 1;
      });
    });

    test('notices a lost notice by its number', async () => {
      const { here, there, board } = await pair();
      const { reader } = here.listen({});
      await reader.first(({ event }) => event === 'reset', 'the reset');
      const before = reader.of('reset').length;
      board.isDeaf = true;
      const sent = board.sent;
      await start(there);
      await eventually(() => board.sent > sent);
      board.isDeaf = false;
      await start(there);
      await eventually(() => reader.of('reset').length > before);
    });
  });
});
