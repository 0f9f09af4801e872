import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RuntimeParts } from '../../../src/engine/runtime/engine-runtime.js';
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
import { eventually } from '../../support/eventually.js';
import { MemoryNotices } from '../../support/notice-board.js';
import type { SharedStores } from './stores.js';

const FORK = 5_000;

const branches = Array.from({ length: FORK }, (_, n) => `r${n}`);
const wide = {
  name: 'wide',
  tasks: [
    {
      name: 'f',
      taskReferenceName: 'f',
      type: 'FORK_JOIN',
      forkTasks: branches.map((ref) => [{ name: 'step', taskReferenceName: ref, type: 'SIMPLE' }]),
    },
    { name: 'j', taskReferenceName: 'j', type: 'JOIN', joinOn: branches },
  ],
};

/** How tasks come to workers, here and on other nodes; time stands still, so that only hints can be in time. */
export function handOverSuite(makeStores: () => Promise<SharedStores>): void {
  let stores: SharedStores;
  let clock: FakeClock;
  let notices: MemoryNotices;
  const engines: TestEngine[] = [];

  beforeEach(async () => {
    stores = await makeStores();
    clock = new FakeClock();
    notices = new MemoryNotices();
  });
  afterEach(async () => {
    for (const one of engines.splice(0)) await stopEngine(one);
  });

  async function open(
    homeId: string,
    options: Omit<Partial<RuntimeParts>, 'clock'> & { workers?: readonly FunctionWorker[] } = {},
  ): Promise<TestEngine> {
    const identity = { homeId, host: homeId, pid: 1, roles: ['engine'] };
    const it = await startEngine(await stores.open(), {
      clock,
      identity,
      notices: notices.member(),
      ...options,
    });
    engines.push(it);
    return it;
  }
  const poll = (it: TestEngine, parts: { count?: number; timeoutMs?: number; client?: string } = {}) =>
    it.engine.poll({ taskType: 'step', workerId: 'far', count: 1, timeoutMs: 5_000, ...parts });
  const start = (it: TestEngine, name = 'one') => it.engine.start({ name }, TESTER);
  const ended = (it: TestEngine, id: string) =>
    eventually(async () => (await it.engine.get(id)).status === 'COMPLETED');

  describe('between nodes', () => {
    test('a poll that waits at another node is answered by the commit, without time passing', async () => {
      const here = await open('home-1');
      const there = await open('home-2');
      await register(here, chain('one', 'step'));
      const polled = poll(there);
      const id = await start(here);
      expect((await polled).map(({ task }) => task.workflowInstanceId)).toEqual([id]);
    });

    test('an idle worker of another node is fed by the commit, without time passing', async () => {
      const here = await open('home-1');
      const worker = new FunctionWorker('step');
      await open('home-2', { workers: [worker] });
      await register(here, chain('one', 'step', 'step'));
      await ended(here, await start(here));
      expect(worker.runs).toHaveLength(2);
    });

    test('nobody is told anything while there is no other node', async () => {
      const alone = await open('home-1');
      await register(alone, chain('one', 'step'));
      notices.said.length = 0;
      await start(alone);
      expect(notices.said).toEqual([]);
    });

    test('a lost notice costs a second at most, and none after the listener is back', async () => {
      const here = await open('home-1');
      const there = await open('home-2');
      await register(here, chain('one', 'step'));
      notices.lose = true;
      const first = poll(there);
      await eventually(() => there.runtime.polls.waitingCount === 1);
      const lost = await start(here);
      await eventually(async () => (await here.engine.queueSizes(['step'])).get('step') === 1);
      clock.advance(1_000);
      expect((await first)[0]?.task.workflowInstanceId).toBe(lost);
      const second = poll(there);
      await eventually(() => there.runtime.polls.waitingCount === 1);
      const missed = await start(here);
      notices.reconnect();
      expect((await second)[0]?.task.workflowInstanceId).toBe(missed);
    });

    test('a node without the role engine has its timers fired by one that has it, to the millisecond', async () => {
      const client = await open('home-1', { fires: false });
      await register(client, {
        name: 'waits',
        tasks: [
          { name: 'w', taskReferenceName: 'w', type: 'WAIT', inputParameters: { duration: '1 seconds' } },
        ],
      });
      const firing = await open('home-2');
      const id = await start(client, 'waits');
      const { createTime } = await client.engine.get(id);
      await eventually(() => clock.sleeping.nextAt === createTime + 1_000);
      clock.advance(1_000);
      await ended(firing, id);
      expect((await client.engine.get(id)).endTime).toBe(createTime + 1_000);
    });

    test('a node without the role engine fires nothing itself', async () => {
      const client = await open('home-1', { fires: false });
      await register(client, {
        name: 'waits',
        tasks: [
          { name: 'w', taskReferenceName: 'w', type: 'WAIT', inputParameters: { duration: '1 seconds' } },
        ],
      });
      const id = await start(client, 'waits');
      for (let second = 0; second < 5; second++) {
        clock.advance(1_000);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      expect((await client.engine.get(id)).status).toBe('RUNNING');
      await open('home-2');
      await ended(client, id);
    });
  });

  describe('polls', () => {
    test('that wait for one type are all answered when tasks come, each task to one of them', async () => {
      const it = await open('home-1');
      await register(it, chain('one', 'step'));
      const polls = Array.from({ length: 40 }, () => poll(it));
      await Promise.all(Array.from({ length: 40 }, () => start(it)));
      const claimed = (await Promise.all(polls)).flat().map(({ task }) => task.taskId);
      expect(new Set(claimed).size).toBe(40);
    });

    test('that wait are bounded, for each client and for all', async () => {
      const it = await open('home-1', { polls: { waiting: 3, waitingPerClient: 2 } });
      const waiting = [poll(it, { client: 'a' }), poll(it, { client: 'a' })];
      await eventually(() => clock.sleeping.count >= 2);
      await expect(poll(it, { client: 'a' })).rejects.toMatchObject({ status: 429, retryAfterSeconds: 1 });
      waiting.push(poll(it, { client: 'b' }));
      await expect(poll(it, { client: 'c' })).rejects.toMatchObject({ status: 503, retryAfterSeconds: 1 });
      expect(await poll(it, { client: 'a', timeoutMs: 0 })).toEqual([]);
      const all = Promise.all(waiting);
      await eventually(() => {
        clock.advance(1_000);
        return Promise.race([
          all.then(() => true),
          new Promise<false>((resolve) => setImmediate(resolve, false)),
        ]);
      });
      expect(await all).toEqual([[], [], []]);
      expect(await poll(it, { client: 'a', timeoutMs: 0 })).toEqual([]);
    });
  });

  describe('fairness', () => {
    const WORKERS = 8;

    test('a workflow started behind a fork of 5,000 is handed out within twice the number of workers here', async () => {
      const gate = { open: false, waiting: [] as (() => void)[] };
      const gated = new FunctionWorker(
        'step',
        async () => {
          if (!gate.open) await new Promise<void>((resolve) => gate.waiting.push(resolve));
          return { kind: 'completed', output: {} };
        },
        WORKERS,
      );
      const it = await open('home-1', { workers: [gated] });
      await register(it, wide, chain('one', 'step'));
      await start(it, 'wide');
      await eventually(() => gated.runs.length === WORKERS);
      const id = await start(it);
      gate.open = true;
      for (const go of gate.waiting) go();
      await ended(it, id);
      const position = gated.runs.findIndex((task) => task.workflowInstanceId === id);
      expect(position - WORKERS).toBeLessThanOrEqual(2 * WORKERS);
    });

    test('a workflow started behind a fork of 5,000 is handed out within twice the number of workers outside', async () => {
      const it = await open('home-1');
      await register(it, wide, chain('one', 'step'));
      await start(it, 'wide');
      for (let n = 0; n < WORKERS; n++) expect(await poll(it)).toHaveLength(1);
      const id = await start(it);
      const order: string[] = [];
      for (let n = 0; n < 2 * WORKERS; n++) {
        for (const { task } of await poll(it)) order.push(task.workflowInstanceId);
      }
      expect(order).toContain(id);
    });
  });
}
