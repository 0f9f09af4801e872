import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Task } from '../../../src/engine/model/execution.js';
import { NotHere, RetryLater, TerminalError, type TaskWorker } from '../../../src/engine/ports.js';
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
import { losing, type SharedStores, type Stores } from './stores.js';

/** What a running engine does, on whatever store; `parts` are given to every engine. */
export function runtimeSuite(
  makeStores: () => Promise<SharedStores>,
  parts: () => Partial<Omit<RuntimeParts, 'clock'>> = () => ({}),
): void {
  let stores: SharedStores;
  let clock: FakeClock;
  const engines: TestEngine[] = [];

  beforeEach(async () => {
    stores = await makeStores();
    clock = new FakeClock();
  });
  afterEach(async () => {
    for (const one of engines.splice(0)) await stopEngine(one);
  });

  async function open(
    workers: readonly TaskWorker[] = [],
    options: Partial<RuntimeParts> & { clock?: FakeClock } = {},
    on?: Stores,
  ): Promise<TestEngine> {
    const it = await startEngine(on ?? (await stores.open()), { clock, workers, ...parts(), ...options });
    engines.push(it);
    return it;
  }

  const leave = async (it: TestEngine, stepMs?: number): Promise<void> => {
    engines.splice(engines.indexOf(it), 1);
    await stopEngine(it, stepMs);
  };

  const status = async (it: TestEngine, id: string): Promise<string> => (await it.engine.get(id)).status;
  const reaches = (it: TestEngine, id: string, wanted: string) =>
    eventually(async () => (await status(it, id)) === wanted, { what: wanted });
  /** Time passes, in small steps, until the condition holds. */
  const until = (condition: () => Promise<boolean> | boolean, stepMs = 500) =>
    eventually(async () => {
      if (await condition()) return true;
      clock.advance(stepMs);
      return false;
    });
  const human = { name: 'asks', tasks: [{ name: 'ask', taskReferenceName: 'ask', type: 'HUMAN' }] };
  const parking = () => new FunctionWorker('HUMAN', () => ({ kind: 'parked' }));
  const openTask = async (it: TestEngine, id: string): Promise<Task> => {
    const task = (await it.engine.get(id)).tasks.find(({ endTime }) => endTime === undefined);
    if (task === undefined) throw new Error('no open task');
    return task;
  };

  describe('a workflow', () => {
    test('runs through in-process workers without the clock moving', async () => {
      const worker = new FunctionWorker('step', (task) => ({ kind: 'completed', output: { seq: task.seq } }));
      const it = await open([worker]);
      await register(it, chain('three', 'step', 'step', 'step'));
      const id = await it.engine.start({ name: 'three', input: { given: 7 } }, TESTER);
      await reaches(it, id, 'COMPLETED');
      expect(worker.runs.map((task) => task.inputData)).toEqual([{ given: 7 }, { given: 7 }, { given: 7 }]);
      expect((await it.engine.get(id)).output).toEqual({ seq: 3 });
    });

    test('has an id in the order of time, so that what is started together lies together', async () => {
      const it = await open();
      await register(it, chain('one', 'step'));
      const ids: string[] = [];
      for (let n = 0; n < 3; n += 1) {
        ids.push(await it.engine.start({ name: 'one' }, TESTER));
        it.clock.advance(1);
      }
      expect(ids).toEqual(ids.toSorted());
      expect(ids.map((id) => id.charAt(14))).toEqual(['7', '7', '7']);
      expect(Number.parseInt(ids[0]!.replace('-', '').slice(0, 12), 16)).toBe(it.clock.now() - 3);
    });

    test('is started once per idempotency key, also by two calls at once', async () => {
      const it = await open();
      await register(it, chain('one', 'step'));
      const start = () => it.engine.start({ name: 'one', idempotencyKey: 'k' }, TESTER);
      const [first, second] = await Promise.all([start(), start()]);
      expect(second).toBe(first);
      expect(await start()).toBe(first);
    });

    test('that does not exist is not found, whatever is asked of it', async () => {
      const it = await open();
      const gone = 'no-such-workflow';
      for (const call of [
        () => it.engine.get(gone),
        () => it.engine.pause(gone, TESTER),
        () => it.engine.terminate(gone, '', TESTER),
        () => it.engine.updateTask({ workflowInstanceId: gone, taskId: 'x', status: 'COMPLETED' }, TESTER),
        () => it.engine.start({ name: gone }, TESTER),
      ]) {
        await expect(call()).rejects.toMatchObject({ status: 404 });
      }
    });

    test('is paused, resumed, terminated and retried, and each is audited', async () => {
      const it = await open();
      await register(it, chain('one', 'step'));
      const id = await it.engine.start({ name: 'one' }, TESTER);
      await it.engine.pause(id, TESTER);
      expect(await status(it, id)).toBe('PAUSED');
      await it.engine.resume(id, TESTER);
      await it.engine.terminate(id, 'enough', TESTER);
      expect((await it.engine.get(id)).reasonForIncompletion).toBe('enough');
      await expect(it.engine.pause(id, TESTER)).rejects.toMatchObject({ status: 409 });
      await it.engine.retry(id, TESTER);
      expect(await status(it, id)).toBe('RUNNING');
      const deeds = (await stores.audit()).filter(({ subject }) => subject === `workflow:${id}`);
      expect(deeds.map(({ action, actor }) => `${actor} ${action}`)).toEqual(
        ['started', 'paused', 'resumed', 'terminated', 'retried'].map(
          (verb) => `user:tester workflow.${verb}`,
        ),
      );
    });

    test('whose failure has a follow-up starts it exactly once', async () => {
      const clean = new FunctionWorker('clean');
      const it = await open([
        clean,
        new FunctionWorker('step', () => ({ kind: 'failed', reason: 'broken', terminal: true })),
      ]);
      await register(it, { ...chain('fails', 'step'), failureWorkflow: 'after' }, chain('after', 'clean'));
      const id = await it.engine.start({ name: 'fails' }, TESTER);
      await until(() => clean.runs.length === 1);
      const follower = (await it.engine.get(id)).output['conductor.failure_workflow'] as string;
      await reaches(it, follower, 'COMPLETED');
      clock.advance(60_000);
      expect((await it.engine.search({ workflowName: 'after', limit: 10 })).items).toHaveLength(1);
    });

    test('whose follow-up is not registered yet gets it when it is', async () => {
      const it = await open([
        new FunctionWorker('step', () => ({ kind: 'failed', reason: 'broken', terminal: true })),
      ]);
      await register(it, { ...chain('fails', 'step'), failureWorkflow: 'after' });
      const id = await it.engine.start({ name: 'fails' }, TESTER);
      await reaches(it, id, 'FAILED');
      clock.advance(1_000);
      await register(it, chain('after', 'clean'));
      await until(
        async () => (await it.engine.search({ workflowName: 'after', limit: 10 })).items.length === 1,
      );
    });
  });

  describe('a worker', () => {
    test('that throws is retried after the delay, and not before', async () => {
      let runs = 0;
      const it = await open([
        new FunctionWorker('step', () => {
          runs += 1;
          if (runs === 1) throw new Error('flaky');
          return { kind: 'completed', output: {} };
        }),
      ]);
      await it.definitions.registerTasks([taskDef('step', { retryDelaySeconds: 30 })], TESTER);
      await register(it, chain('one', 'step'));
      const id = await it.engine.start({ name: 'one' }, TESTER);
      await eventually(async () => (await it.engine.get(id)).tasks.length === 2);
      clock.advance(29_999);
      expect(runs).toBe(1);
      await until(async () => (await status(it, id)) === 'COMPLETED', 1);
      const { tasks } = await it.engine.get(id);
      expect(tasks.map((task) => [task.status, task.retryCount])).toEqual([
        ['FAILED', 0],
        ['COMPLETED', 1],
      ]);
      expect(tasks[0]?.reasonForIncompletion).toContain('flaky');
    });

    test('steers the engine by what it throws', async () => {
      let runs = 0;
      const it = await open([
        new FunctionWorker('later', () => {
          runs += 1;
          if (runs < 3) throw new RetryLater(10, 'not yet');
          return { kind: 'completed', output: {} };
        }),
        new FunctionWorker('never', () => {
          throw new TerminalError('no use');
        }),
      ]);
      await register(it, chain('both', 'later', 'never'));
      const id = await it.engine.start({ name: 'both' }, TESTER);
      await until(async () => (await status(it, id)) === 'FAILED');
      const { tasks } = await it.engine.get(id);
      expect(tasks.map((task) => [task.status, task.retryCount, task.pollCount])).toEqual([
        ['COMPLETED', 0, 3],
        ['FAILED_WITH_TERMINAL_ERROR', 0, 1],
      ]);
    });

    test('that it cannot do here is done by another process at once, without an attempt', async () => {
      const stranger = new FunctionWorker('step', () => {
        throw new NotHere('no way there');
      });
      const able = new FunctionWorker('step', () => ({ kind: 'completed', output: {} }));
      const here = await open([stranger]);
      await register(here, chain('one', 'step'));
      const ids: string[] = [];
      for (let n = 0; n < 3; n++) ids.push(await here.engine.start({ name: 'one' }, TESTER));
      await eventually(() => stranger.runs.length === 3);
      // Nobody else is there yet: it is not tried again and again.
      const there = await open([able]);
      for (const id of ids) await until(async () => (await status(there, id)) === 'COMPLETED', 100);
      expect(stranger.runs).toHaveLength(3);
      for (const id of ids) {
        const { tasks } = await there.engine.get(id);
        expect(tasks.map((task) => [task.status, task.retryCount, task.pollCount])).toEqual([
          ['COMPLETED', 0, 2],
        ]);
      }
    });

    test('that no process can do is looked at again after half a minute, and others are not held up', async () => {
      let isOpen = false;
      const worker = new FunctionWorker('step', ({ inputData }) => {
        if (inputData['given'] === 'far' && !isOpen) throw new NotHere('no way there');
        return { kind: 'completed', output: {} };
      });
      const it = await open([worker]);
      await register(it, chain('one', 'step'));
      const far = await it.engine.start({ name: 'one', input: { given: 'far' } }, TESTER);
      await eventually(() => worker.runs.length === 1);
      const near = await it.engine.start({ name: 'one' }, TESTER);
      await reaches(it, near, 'COMPLETED');
      expect(worker.runs).toHaveLength(2);
      isOpen = true;
      await until(async () => (await status(it, far)) === 'COMPLETED');
      expect(worker.runs).toHaveLength(3);
    });

    test('whose output cannot be stored fails for good, and says why', async () => {
      const it = await open([
        new FunctionWorker('step', () => ({ kind: 'completed', output: { a: ['x\u0000'] } })),
      ]);
      await register(it, chain('one', 'step'));
      const id = await it.engine.start({ name: 'one' }, TESTER);
      await reaches(it, id, 'FAILED');
      expect((await it.engine.get(id)).tasks[0]?.reasonForIncompletion).toContain('output.a.0');
    });

    test('never runs more at once than it can take, and the rest waits its turn by priority', async () => {
      const ends: (() => void)[] = [];
      const worker = new FunctionWorker(
        'step',
        () => new Promise((resolve) => ends.push(() => resolve({ kind: 'completed', output: {} }))),
        2,
      );
      const it = await open([worker]);
      await register(it, chain('one', 'step'));
      const start = (priority: number) => it.engine.start({ name: 'one', priority }, TESTER);
      for (const priority of [0, 0]) await start(priority);
      await eventually(() => ends.length === 2);
      for (const priority of [1, 5, 3]) await start(priority);
      for (let done = 0; done < 5; done++) {
        await eventually(() => ends.length > done);
        expect(ends.length - done).toBeLessThanOrEqual(2);
        ends[done]?.();
        if (done < 3) await eventually(() => ends.length === done + 3);
      }
      expect(worker.runs.map((task) => task.priority)).toEqual([0, 0, 5, 3, 1]);
    });

    test('is told to leave when its workflow ends, and what it says then counts for nothing', async () => {
      let aborted = false;
      const worker = new FunctionWorker('step', (_task, { signal }) => {
        return new Promise((resolve) =>
          signal.addEventListener('abort', () => {
            aborted = true;
            resolve({ kind: 'completed', output: { too: 'late' } });
          }),
        );
      });
      const it = await open([worker]);
      await register(it, chain('one', 'step'));
      const id = await it.engine.start({ name: 'one' }, TESTER);
      await eventually(() => worker.runs.length === 1);
      await it.engine.terminate(id, 'stop', TESTER);
      await eventually(() => aborted);
      expect((await it.engine.get(id)).tasks[0]).toMatchObject({ status: 'CANCELED', outputData: {} });
    });

    test('that takes longer than the response time-out keeps its lease as long as it lives', async () => {
      let end: () => void = () => undefined;
      const worker = new FunctionWorker(
        'step',
        () => new Promise((resolve) => (end = () => resolve({ kind: 'completed', output: {} }))),
      );
      const it = await open([worker]);
      await it.definitions.registerTasks([taskDef('step', { responseTimeoutSeconds: 10 })], TESTER);
      await register(it, chain('one', 'step'));
      const id = await it.engine.start({ name: 'one' }, TESTER);
      await eventually(() => worker.runs.length === 1);
      const began = clock.now();
      while (clock.now() < began + 40_000) {
        const before = (await it.engine.get(id)).tasks[0]?.updateTime ?? 0;
        clock.advance(1_000);
        if (clock.now() - before > 5_000) {
          await eventually(async () => ((await it.engine.get(id)).tasks[0]?.updateTime ?? 0) > before);
        }
      }
      end();
      await reaches(it, id, 'COMPLETED');
      expect(worker.runs).toHaveLength(1);
    });

    test('writes lines that are kept with the task', async () => {
      const it = await open([
        new FunctionWorker('step', (_task, context) => {
          context.log('one');
          context.log('two\u0000');
          return { kind: 'completed', output: {} };
        }),
      ]);
      await register(it, chain('one', 'step'));
      const id = await it.engine.start({ name: 'one' }, TESTER);
      await reaches(it, id, 'COMPLETED');
      const [task] = (await it.engine.get(id)).tasks;
      const lines = async () => (await it.engine.logs(task?.taskId ?? '')).map(({ log }) => log);
      await eventually(async () => (await lines()).length === 2);
      expect(await lines()).toEqual(['one', 'two']);
    });
  });

  describe('a HUMAN task', () => {
    test('is handed over once, parked, and completed by the first answer only', async () => {
      const worker = parking();
      const it = await open([worker]);
      await register(it, human);
      const id = await it.engine.start({ name: 'asks' }, TESTER);
      await eventually(() => worker.runs.length === 1);
      await eventually(async () => (await it.engine.explain(id)).why[0]?.kind === 'person');
      clock.advance(100_000);
      const { taskId } = await openTask(it, id);
      const answer = (outcome: string) =>
        it.engine.updateTask(
          { workflowInstanceId: id, taskId, status: 'COMPLETED', outputData: { outcome } },
          TESTER,
        );
      const answers = await Promise.all([answer('a'), answer('b'), answer('c')]);
      expect(answers.map(({ kind }) => kind).sort()).toEqual(['applied', 'late', 'late']);
      await reaches(it, id, 'COMPLETED');
      expect((await it.engine.get(id)).output).toEqual({ outcome: 'a' });
      expect(worker.runs).toHaveLength(1);
    });

    test('answered twice under one command id is answered once, and both are told so', async () => {
      const it = await open([parking()]);
      await register(it, human);
      const id = await it.engine.start({ name: 'asks' }, TESTER);
      const { taskId } = await openTask(it, id);
      const answer = () =>
        it.engine.updateTask(
          { workflowInstanceId: id, taskId, status: 'COMPLETED', commandId: 'decision-1' },
          TESTER,
        );
      expect(await answer()).toEqual({ kind: 'applied' });
      expect(await answer()).toEqual({ kind: 'applied' });
    });
  });

  describe('time', () => {
    const wait = {
      name: 'waits',
      tasks: [
        { name: 'w', taskReferenceName: 'w', type: 'WAIT', inputParameters: { duration: '90 seconds' } },
      ],
    };

    test('wakes a workflow to the millisecond', async () => {
      const it = await open();
      await register(it, wait);
      const id = await it.engine.start({ name: 'waits' }, TESTER);
      const { createTime } = await it.engine.get(id);
      clock.advance(89_999);
      await eventually(() => clock.sleeping.nextAt === createTime + 90_000);
      expect(await status(it, id)).toBe('RUNNING');
      clock.advance(1);
      await reaches(it, id, 'COMPLETED');
      expect((await it.engine.get(id)).endTime).toBe(createTime + 90_000);
    });

    test('does not take a task from a worker outside that says the same sign of life again and again', async () => {
      const it = await open();
      const [step] = chain('slow', 'step').tasks;
      const taskDefinition = { name: 'step', responseTimeoutSeconds: 1, retryCount: 0 };
      await register(it, { ...chain('slow', 'step'), tasks: [{ ...step, taskDefinition }] });
      const id = await it.engine.start({ name: 'slow' }, TESTER);
      const [claimed] = await it.engine.poll({ taskType: 'step', workerId: 'w1', count: 1, timeoutMs: 0 });
      const { taskId, pollCount: lease } = claimed!.task;
      for (let beat = 0; beat < 5; beat++) {
        clock.advance(600);
        const alive = { workflowInstanceId: id, taskId, status: 'IN_PROGRESS', lease } as const;
        expect(await it.engine.updateTask(alive, TESTER)).toEqual({ kind: 'applied' });
        expect((await openTask(it, id)).updateTime).toBe(clock.now());
      }
      await until(async () => (await status(it, id)) !== 'RUNNING');
      expect((await it.engine.get(id)).tasks[0]?.status).toBe('TIMED_OUT');
    });

    test('passes while no engine runs, too', async () => {
      const first = await open();
      await register(first, wait);
      const id = await first.engine.start({ name: 'waits' }, TESTER);
      await leave(first);
      clock.advance(100_000);
      const second = await open();
      await until(async () => (await status(second, id)) === 'COMPLETED');
    });

    test('wakes a workflow also when the answer to the claim of its timer is lost', async () => {
      const { executions, definitions } = await stores.open();
      const it = await open([], {}, { definitions, executions: losing(executions, 'claimTimers') });
      await register(it, wait);
      const id = await it.engine.start({ name: 'waits' }, TESTER);
      clock.advance(90_000);
      const me = it.runtime.keeper.incarnation();
      await eventually(async () => (await executions.claimedTimers(me)).length === 1);
      const since = clock.now();
      await until(async () => (await status(it, id)) === 'COMPLETED');
      // Two looks, ten seconds apart: an answer that is on its way is left in peace.
      expect(clock.now() - since).toBeGreaterThan(10_000);
      expect(clock.now() - since).toBeLessThan(30_000);
      expect(await executions.claimedTimers(me)).toEqual([]);
    });

    test('takes a task from a worker outside that fell silent', async () => {
      const it = await open();
      await it.definitions.registerTasks(
        [taskDef('step', { responseTimeoutSeconds: 10, retryDelaySeconds: 0, retryCount: 1 })],
        TESTER,
      );
      await register(it, chain('one', 'step'));
      const id = await it.engine.start({ name: 'one' }, TESTER);
      const poll = () => it.engine.poll({ taskType: 'step', workerId: 'far', count: 1, timeoutMs: 0 });
      expect(await poll()).toHaveLength(1);
      await until(async () => (await it.engine.get(id)).tasks.length === 2);
      expect((await it.engine.get(id)).tasks[0]?.status).toBe('TIMED_OUT');
      const [again] = await eventually(async () => {
        const tasks = await poll();
        return tasks.length > 0 && tasks;
      });
      expect(again?.task.retryCount).toBe(1);
    });
  });

  describe('a worker outside', () => {
    test('waits in a long poll and gets a task as soon as there is one', async () => {
      const it = await open();
      await register(it, chain('one', 'step'));
      const poll = it.engine.poll({ taskType: 'step', workerId: 'far', count: 2, timeoutMs: 5_000 });
      const id = await it.engine.start({ name: 'one' }, TESTER);
      const claimed = await poll;
      expect(claimed.map(({ task }) => task.workflowInstanceId)).toEqual([id]);
      expect(claimed[0]?.task).toMatchObject({ workerId: 'far', status: 'IN_PROGRESS' });
    });

    test('gets nothing when the time is up', async () => {
      const it = await open();
      let answered = false;
      const poll = it.engine
        .poll({ taskType: 'step', workerId: 'far', count: 1, timeoutMs: 2_000 })
        .finally(() => (answered = true));
      await until(() => answered);
      expect(await poll).toEqual([]);
    });

    test('keeps its lease by extending it', async () => {
      const it = await open();
      await it.definitions.registerTasks([taskDef('step', { responseTimeoutSeconds: 10 })], TESTER);
      await register(it, chain('one', 'step'));
      const id = await it.engine.start({ name: 'one' }, TESTER);
      const [claimed] = await it.engine.poll({ taskType: 'step', workerId: 'w', count: 1, timeoutMs: 0 });
      const { taskId } = claimed?.task ?? { taskId: '' };
      for (let i = 0; i < 4; i++) {
        clock.advance(8_000);
        const answer = await it.engine.updateTask(
          { workflowInstanceId: id, taskId, status: 'IN_PROGRESS', extendLease: true },
          TESTER,
        );
        expect(answer).toEqual({ kind: 'applied' });
      }
      const done = { workflowInstanceId: id, taskId, status: 'COMPLETED' } as const;
      expect(await it.engine.updateTask(done, TESTER)).toEqual({ kind: 'applied' });
    });

    test('leaves no timer behind when its task was the last', async () => {
      const it = await open();
      await it.definitions.registerTasks([taskDef('step', { responseTimeoutSeconds: 10 })], TESTER);
      await register(it, chain('two', 'step', 'step'));
      const id = await it.engine.start({ name: 'two' }, TESTER);
      for (const left of ['RUNNING', 'COMPLETED']) {
        const [claimed] = await it.engine.poll({ taskType: 'step', workerId: 'w', count: 1, timeoutMs: 0 });
        const { taskId } = claimed?.task ?? { taskId: '' };
        expect((await it.runtime.store.load(id))?.timerAt).toBe(clock.now() + 10_000);
        await it.engine.updateTask({ workflowInstanceId: id, taskId, status: 'COMPLETED' }, TESTER);
        expect((await it.engine.get(id)).status).toBe(left);
      }
      expect((await it.runtime.store.load(id))?.timerAt).toBeUndefined();
    });

    test('may repeat its report, and is told when it comes with another one too late', async () => {
      const it = await open();
      await register(it, chain('flow', 'a', 'b'));
      const id = await it.engine.start({ name: 'flow' }, TESTER);
      const [claimed] = await it.engine.poll({ taskType: 'a', count: 1, timeoutMs: 0, workerId: 'w' });
      const taskId = claimed?.task.taskId ?? '';
      const done = { workflowInstanceId: id, taskId, status: 'COMPLETED', outputData: { n: [1] } } as const;
      expect(await it.engine.updateTask(done, TESTER)).toEqual({ kind: 'applied' });
      expect(await it.engine.updateTask(done, TESTER)).toEqual({ kind: 'applied' });
      for (const other of [{ ...done, outputData: { n: [2] } }, { ...done, status: 'FAILED' } as const]) {
        expect(await it.engine.updateTask(other, TESTER)).toMatchObject({
          kind: 'late',
          status: 'COMPLETED',
        });
      }
      const { tasks } = await it.engine.get(id);
      expect(tasks.map((task) => [task.status, task.outputData])).toEqual([
        ['COMPLETED', { n: [1] }],
        ['SCHEDULED', {}],
      ]);
    });
  });

  describe('nodes', () => {
    const hanging = () => new FunctionWorker('step', () => new Promise(() => undefined));
    const node = (homeId: string) => ({ identity: { homeId, host: homeId, pid: 1, roles: ['engine'] } });

    test('hand back at the stop what does not finish within 5 s, and the next one runs it', async () => {
      const hung = hanging();
      const first = await open([hung]);
      await register(first, chain('one', 'step'));
      const id = await first.engine.start({ name: 'one' }, TESTER);
      await eventually(() => hung.runs.length === 1);
      const began = clock.now();
      await leave(first);
      expect(clock.now() - began).toBeLessThan(8_000);
      const worker = new FunctionWorker('step');
      const second = await open([worker], node('home-2'));
      await reaches(second, id, 'COMPLETED');
      expect(worker.runs[0]).toMatchObject({ retryCount: 0, pollCount: 2 });
    });

    test('wait at the stop for runs that finish in time', async () => {
      let end: () => void = () => undefined;
      const worker = new FunctionWorker(
        'step',
        () => new Promise((resolve) => (end = () => resolve({ kind: 'completed', output: {} }))),
      );
      const it = await open([worker]);
      await register(it, chain('one', 'step'));
      const id = await it.engine.start({ name: 'one' }, TESTER);
      await eventually(() => worker.runs.length === 1);
      const stopped = leave(it, 1);
      end();
      await stopped;
      expect(await status(await open(), id)).toBe('COMPLETED');
    });

    test('run a task whose claim they never heard of, without a retry', async () => {
      const { executions, definitions } = await stores.open();
      const api = await open([], { ...node('home-2'), fires: false });
      await register(api, chain('one', 'step'));
      const id = await api.engine.start({ name: 'one' }, TESTER);
      const worker = new FunctionWorker('step');
      const lossy = losing(executions, 'claimTasks');
      const it = await open([worker], {}, { definitions, executions: lossy });
      await eventually(async () => (await executions.heldBy(it.runtime.keeper.incarnation())).size === 1);
      expect(worker.runs).toEqual([]);
      await until(async () => (await status(it, id)) === 'COMPLETED');
      expect(worker.runs).toMatchObject([{ retryCount: 0, pollCount: 2 }]);
      expect(it.runtime.tally.forgottenLeases).toBe(1);
    });

    test('that die give up their tasks to a peer after 15 s, without a retry', async () => {
      const hung = hanging();
      // Its clock stands still: it is dead to the world.
      const dead = await startEngine(await stores.open(), {
        clock: new FakeClock(clock.now()),
        workers: [hung],
        ...node('home-1'),
      });
      await register(dead, chain('one', 'step'));
      const id = await dead.engine.start({ name: 'one' }, TESTER);
      await eventually(() => hung.runs.length === 1);
      const worker = new FunctionWorker('step');
      const peer = await open([worker], node('home-2'));
      clock.advance(10_000);
      expect(await status(peer, id)).toBe('RUNNING');
      await until(async () => (await status(peer, id)) === 'COMPLETED', 1_000);
      expect(worker.runs[0]).toMatchObject({ retryCount: 0, pollCount: 2 });
    });

    test('that start again on the same home continue at once', async () => {
      const hung = hanging();
      const dead = await startEngine(await stores.open(), {
        clock: new FakeClock(clock.now()),
        workers: [hung],
      });
      await register(dead, chain('one', 'step'));
      const id = await dead.engine.start({ name: 'one' }, TESTER);
      await eventually(() => hung.runs.length === 1);
      const worker = new FunctionWorker('step');
      const again = await open([worker]);
      await reaches(again, id, 'COMPLETED');
      expect(worker.runs[0]?.retryCount).toBe(0);
    });

    test('that were taken for dead stop their runs and start anew', async () => {
      const signals: AbortSignal[] = [];
      const sleeper = await startEngine(await stores.open(), {
        clock: new FakeClock(clock.now()),
        workers: [
          new FunctionWorker('step', (_task, { signal }) => {
            signals.push(signal);
            return new Promise(() => undefined);
          }),
        ],
        ...node('home-1'),
      });
      await register(sleeper, chain('one', 'step'));
      const id = await sleeper.engine.start({ name: 'one' }, TESTER);
      await eventually(() => signals.length === 1);
      const former = sleeper.runtime.keeper.incarnation();
      const peer = await open([new FunctionWorker('step')], node('home-2'));
      await until(async () => (await status(peer, id)) === 'COMPLETED', 1_000);
      await sleeper.runtime.keeper.beat();
      expect(signals[0]?.aborted).toBe(true);
      expect(sleeper.runtime.keeper.incarnation()).not.toBe(former);
    });

    test('pass work to each other within a second', async () => {
      const here = await open([], node('home-1'));
      await register(here, chain('one', 'step'));
      const worker = new FunctionWorker('step');
      await open([worker], node('home-2'));
      const began = clock.now();
      const id = await here.engine.start({ name: 'one' }, TESTER);
      await until(async () => (await status(here, id)) === 'COMPLETED', 100);
      expect(clock.now() - began).toBeLessThanOrEqual(1_500);
    });
  });

  test('a task that is queued after a restart does not overtake those that wait', async () => {
    const order = async (it: TestEngine, count: number) => {
      const tasks = await it.engine.poll({ taskType: 'step', workerId: 'w', count, timeoutMs: 0 });
      return tasks.map(({ task }) => task.workflowInstanceId);
    };
    const branch = (n: number) => [{ name: 'step', taskReferenceName: `r${n}`, type: 'SIMPLE' }];
    const first = await open();
    await register(first, chain('one', 'step'), {
      name: 'wide',
      tasks: [
        { name: 'f', taskReferenceName: 'f', type: 'FORK_JOIN', forkTasks: [1, 2, 3, 4, 5].map(branch) },
        { name: 'j', taskReferenceName: 'j', type: 'JOIN', joinOn: ['r1', 'r2', 'r3', 'r4', 'r5'] },
      ],
    });
    const wide = await first.engine.start({ name: 'wide' }, TESTER);
    expect(await order(first, 3)).toEqual([wide, wide, wide]);
    await leave(first);
    const second = await open();
    const late = await second.engine.start({ name: 'one' }, TESTER);
    expect(await order(second, 3)).toEqual([wide, late, wide]);
  });

  describe('a full engine', () => {
    test('refuses starts from half of its bound, and updates at the whole', async () => {
      const it = await open([], { committer: { maxCount: 4, lanes: 1 } });
      await register(it, chain('one', 'step'));
      const id = await it.engine.start({ name: 'one' }, TESTER);
      const start = () =>
        it.engine.start({ name: 'one' }, TESTER).then(
          () => 'ok',
          (error: unknown) => error,
        );
      const pause = () =>
        it.engine.pause(id, TESTER).then(
          () => 'ok',
          (error: unknown) => error,
        );
      await it.definitions.getWorkflow('one');
      const pauses = [pause(), pause(), pause(), pause(), pause()];
      const refused = await start();
      expect(refused).toMatchObject({ status: 429, retryAfterSeconds: 1 });
      const outcomes = await Promise.all(pauses);
      expect(outcomes.slice(0, 4)).toEqual(['ok', 'ok', 'ok', 'ok']);
      expect(outcomes[4]).toMatchObject({ status: 503 });
      expect(await start()).toBe('ok');
    });
  });

  describe('why a workflow does not move', () => {
    const explain = async (it: TestEngine, id: string) => (await it.engine.explain(id)).why;

    test('names a missing worker, a lease, a pause and the end', async () => {
      const it = await open();
      await register(it, chain('one', 'step'));
      const id = await it.engine.start({ name: 'one' }, TESTER);
      expect(await explain(it, id)).toMatchObject([
        { kind: 'no_worker', reference: 'step_0', taskType: 'step', since: clock.now() },
      ]);
      await it.engine.poll({ taskType: 'step', workerId: 'far', count: 1, timeoutMs: 0 });
      await it.engine.pause(id, TESTER);
      expect(await explain(it, id)).toMatchObject([
        { kind: 'paused' },
        { kind: 'lease', reference: 'step_0', holder: 'far', until: clock.now() + 3_600_000 },
      ]);
      await it.engine.terminate(id, '', TESTER);
      expect(await explain(it, id)).toMatchObject([{ kind: 'ended' }]);
    });

    test('names a timer', async () => {
      const it = await open();
      await register(it, {
        name: 'waits',
        tasks: [
          { name: 'w', taskReferenceName: 'w', type: 'WAIT', inputParameters: { duration: '90 seconds' } },
        ],
      });
      const id = await it.engine.start({ name: 'waits' }, TESTER);
      expect(await explain(it, id)).toMatchObject([
        { kind: 'timer', reference: 'w', at: clock.now() + 90_000 },
      ]);
    });
  });
}

const taskDef = (name: string, parts: object) => ({
  name,
  retryCount: 3,
  retryLogic: 'FIXED' as const,
  retryDelaySeconds: 60,
  backoffScaleFactor: 1,
  maxRetryDelaySeconds: 0,
  backoffJitterMs: 0,
  timeoutSeconds: 0,
  timeoutPolicy: 'TIME_OUT_WF' as const,
  responseTimeoutSeconds: 3600,
  totalTimeoutSeconds: 0,
  inputKeys: [],
  outputKeys: [],
  inputTemplate: {},
  ...parts,
});
