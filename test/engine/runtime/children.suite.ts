import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Overloaded } from '../../../src/errors.js';
import { StoreFailure, type ExecutionStore } from '../../../src/engine/execution-store.js';
import type { ScriptResult } from '../../../src/engine/model/command.js';
import type { TaskWorker } from '../../../src/engine/ports.js';
import type { RuntimeParts } from '../../../src/engine/runtime/engine-runtime.js';
import { ScriptRunner, type ScriptRequest } from '../../../src/engine/scripts/script-runner.js';
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
import { command } from '../conformance/fixtures.js';
import { eventually } from '../../support/eventually.js';
import { prepareScripts } from '../../support/scripts.js';
import type { SharedStores, Stores } from './stores.js';

/** A step that runs another workflow. */
export const sub = (ref: string, name: string, more: object = {}) => ({
  name: ref,
  taskReferenceName: ref,
  type: 'SUB_WORKFLOW',
  subWorkflowParam: { name },
  ...more,
});

export const simple = (name: string, ref = name) => ({ name, taskReferenceName: ref, type: 'SIMPLE' });

export const loop = (ref: string, loopOver: readonly object[], loopCondition: string, more: object = {}) => ({
  name: ref,
  taskReferenceName: ref,
  type: 'DO_WHILE',
  loopOver,
  loopCondition,
  ...more,
});

/** Answers as it is told and counts what it was asked. */
class ToldScripts extends ScriptRunner {
  readonly asked: ScriptRequest[] = [];

  constructor(private readonly answer: (request: ScriptRequest, nth: number) => Promise<ScriptResult>) {
    super();
  }

  evaluate(request: ScriptRequest): Promise<ScriptResult> {
    this.asked.push(request);
    return this.answer(request, this.asked.length);
  }

  async close(): Promise<void> {}
}

/** Loops and sub-workflows in a running engine, on whatever store. */
export function childrenSuite(makeStores: () => Promise<SharedStores>): void {
  let stores: SharedStores;
  let clock: FakeClock;
  const engines: TestEngine[] = [];

  beforeAll(prepareScripts);
  beforeEach(async () => {
    stores = await makeStores();
    clock = new FakeClock();
  });
  afterEach(async () => {
    for (const one of engines.splice(0)) await stopEngine(one);
  });

  async function open(
    workers: readonly TaskWorker[] = [],
    { on, ...options }: Omit<Partial<RuntimeParts>, 'clock'> & { on?: Stores } = {},
  ): Promise<TestEngine> {
    const it = await startEngine(on ?? (await stores.open()), { clock, workers, ...options });
    engines.push(it);
    return it;
  }

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
  const task = async (it: TestEngine, id: string, ref: string) => {
    const found = (await it.engine.get(id)).tasks.findLast((one) => one.referenceTaskName === ref);
    if (found === undefined) throw new Error(`no task ${ref} yet`);
    return found;
  };
  const childOf = async (it: TestEngine, id: string, ref: string): Promise<string> => {
    const { subWorkflowId } = await task(it, id, ref);
    if (subWorkflowId === undefined) throw new Error(`${ref} has no child yet`);
    return subWorkflowId;
  };
  /** The child's id, once it is there. */
  const started = (it: TestEngine, id: string, ref: string) =>
    eventually(async () => {
      const child = await childOf(it, id, ref);
      await it.engine.get(child);
      return child;
    });
  const nothingLeft = async (store: ExecutionStore) => {
    const far = clock.now() + 1e9;
    await eventually(
      async () => (await store.claimedInbox(engines[0]?.runtime.keeper.incarnation() ?? '')).length === 0,
    );
    expect(await store.claimInbox('somebody', far, 10)).toEqual([]);
    expect(await store.abandonedInbox(10)).toEqual([]);
  };

  const work = () =>
    new FunctionWorker('work', ({ referenceTaskName }) => ({
      kind: 'completed',
      output: { by: referenceTaskName },
    }));
  const fails = () =>
    new FunctionWorker('fails', () => ({ kind: 'failed', reason: 'on purpose', terminal: true }));

  describe('a loop', () => {
    const counting = {
      name: 'counting',
      tasks: [
        loop('l', [simple('work', 'w')], "if ($.l['iteration'] < $.most) { true; } else { false; }", {
          inputParameters: { most: '${workflow.input.most}' },
        }),
      ],
      outputParameters: { last: '${w.output.by}', times: '${l.output.iteration}' },
    };

    test('goes round as its condition says, without the clock moving', async () => {
      const it = await open([work()]);
      await register(it, counting);
      const id = await it.engine.start({ name: 'counting', input: { most: 3 } }, TESTER);
      await reaches(it, id, 'COMPLETED');
      const { tasks, output } = await it.engine.get(id);
      expect(
        tasks.map(({ referenceTaskName, iteration, status: one }) => [referenceTaskName, iteration, one]),
      ).toEqual([
        ['l', 3, 'COMPLETED'],
        ['w__1', 1, 'COMPLETED'],
        ['w__2', 2, 'COMPLETED'],
        ['w__3', 3, 'COMPLETED'],
      ]);
      expect(output).toEqual({ last: 'w__3', times: 3 });
      expect(it.runtime.evaluations.facts).toEqual({ underWay: 0, evaluated: 3, failed: 0 });
    });

    test('whose condition is broken fails and says where', async () => {
      const it = await open([work()]);
      await register(it, { name: 'broken', tasks: [loop('l', [simple('work', 'w')], '\n$.nothing.there')] });
      const id = await it.engine.start({ name: 'broken' }, TESTER);
      await reaches(it, id, 'FAILED');
      const failed = await task(it, id, 'l');
      expect(failed.status).toBe('FAILED_WITH_TERMINAL_ERROR');
      expect(failed.reasonForIncompletion).toContain('line 2');
      expect(it.runtime.evaluations.facts).toMatchObject({ evaluated: 1, failed: 1 });
    });

    test('whose script finds no room asks again', async () => {
      const scripts = new ToldScripts(async (_, nth) => {
        if (nth < 3) throw new Overloaded('full', 5);
        return { ok: true, value: false };
      });
      const it = await open([work()], { scripts });
      await register(it, counting);
      const id = await it.engine.start({ name: 'counting', input: { most: 3 } }, TESTER);
      await until(async () => (await status(it, id)) === 'COMPLETED');
      expect(scripts.asked).toHaveLength(3);
      expect(new Set(scripts.asked.map(({ seed }) => seed)).size).toBe(1);
      expect(scripts.asked[0]).toMatchObject({ group: 'counting', member: id });
    });

    test('asks once while its script runs, whatever else happens to the workflow', async () => {
      let answer: (result: ScriptResult) => void = () => undefined;
      const scripts = new ToldScripts(() => new Promise((resolve) => (answer = resolve)));
      const it = await open([work()], { scripts });
      await register(it, counting);
      const id = await it.engine.start({ name: 'counting', input: { most: 3 } }, TESTER);
      await eventually(() => scripts.asked.length === 1);
      // Three times the timer that is there in case this process dies.
      for (let n = 0; n < 30; n += 1) {
        clock.advance(500);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await it.engine.pause(id, TESTER);
      await it.engine.resume(id, TESTER);
      expect(scripts.asked).toHaveLength(1);
      answer({ ok: true, value: false });
      await reaches(it, id, 'COMPLETED');
    });

    test('takes the first answer when two nodes evaluate the same script', async () => {
      const answers: ((result: ScriptResult) => void)[] = [];
      const scripts = () => new ToldScripts(() => new Promise((resolve) => answers.push(resolve)));
      const [first, second] = [scripts(), scripts()];
      const it = await open([work()], { scripts: first, fires: false });
      await register(it, counting);
      const id = await it.engine.start({ name: 'counting', input: { most: 3 } }, TESTER);
      await eventually(() => first.asked.length === 1);
      const identity = { homeId: 'home-2', host: 'test', pid: 2, roles: ['engine'] };
      const other = await open([], { scripts: second, identity });
      await until(() => second.asked.length === 1);
      expect(second.asked[0]?.seed).toBe(first.asked[0]?.seed);
      answers[1]?.({ ok: true, value: false });
      await reaches(it, id, 'COMPLETED');
      answers[0]?.({ ok: true, value: true });
      await eventually(() => it.runtime.evaluations.facts.underWay === 0);
      expect((await other.engine.get(id)).tasks.map((one) => one.referenceTaskName)).toEqual(['l', 'w__1']);
    });

    test('whose result cannot be stored fails instead of asking for ever', async () => {
      const on = await stores.open();
      const scripts = new ToldScripts(async (_, nth) => ({ ok: true, value: nth }));
      const it = await open([work()], {
        scripts,
        on: { ...on, executions: refusing(on.executions, 'evaluated:ok') },
      });
      await register(it, counting);
      const id = await it.engine.start({ name: 'counting', input: { most: 3 } }, TESTER);
      await until(async () => (await status(it, id)) === 'FAILED');
      expect((await task(it, id, 'l')).reasonForIncompletion).toContain('cannot be stored');
    });
  });

  describe('a child', () => {
    test('is started, and its end goes on in its parent, without the clock moving', async () => {
      const it = await open([work()]);
      await register(
        it,
        {
          ...chain('child', 'work'),
          outputParameters: { got: '${workflow.input.a}', by: '${work_0.output.by}' },
        },
        {
          name: 'parent',
          tasks: [sub('s', 'child', { inputParameters: { a: 1 } }), simple('work')],
          outputParameters: { child: '${s.output}' },
        },
      );
      const id = await it.engine.start({ name: 'parent', correlationId: 'c', priority: 7 }, TESTER);
      await reaches(it, id, 'COMPLETED');
      const child = await childOf(it, id, 's');
      const { output, tasks } = await it.engine.get(id);
      expect(output).toEqual({ child: { got: 1, by: 'work_0', subWorkflowId: child } });
      expect(await it.engine.get(child)).toMatchObject({
        status: 'COMPLETED',
        parentWorkflowId: id,
        parentWorkflowTaskId: tasks[0]?.taskId,
        depth: 1,
        correlationId: 'c',
        priority: 7,
      });
      await nothingLeft(it.runtime.store);
      expect(it.runtime.inbox.facts).toEqual({ held: 0, consumed: 2, abandoned: 0 });
    });

    test('that is not registered fails its parent with a clear reason, and a retry starts it', async () => {
      const it = await open([work()]);
      await register(it, { name: 'parent', tasks: [sub('s', 'child')] });
      const id = await it.engine.start({ name: 'parent' }, TESTER);
      await reaches(it, id, 'FAILED');
      expect((await task(it, id, 's')).reasonForIncompletion).toMatch(
        /Sub workflow child could not be started: No such workflow found by name: child\. Register it first/,
      );
      await nothingLeft(it.runtime.store);
      const before = await childOf(it, id, 's');
      await register(it, chain('child', 'work'));
      await it.engine.retry(id, TESTER);
      await reaches(it, id, 'COMPLETED');
      expect(await childOf(it, id, 's')).not.toBe(before);
    });

    test('that fails takes its parents with it, and says why at each level', async () => {
      const it = await open([fails()]);
      await register(
        it,
        chain('leaf', 'fails'),
        { name: 'middle', tasks: [sub('m', 'leaf')] },
        { name: 'top', tasks: [sub('t', 'middle')] },
      );
      const id = await it.engine.start({ name: 'top' }, TESTER);
      await reaches(it, id, 'FAILED');
      expect((await it.engine.get(id)).reasonForIncompletion).toContain('on purpose');
      await nothingLeft(it.runtime.store);
    });

    test('that is retried by itself sets all that waited for it going again', async () => {
      let isBroken = true;
      const it = await open([
        new FunctionWorker('mends', () =>
          isBroken
            ? { kind: 'failed', reason: 'on purpose', terminal: true }
            : { kind: 'completed', output: { mended: true } },
        ),
        work(),
      ]);
      await register(
        it,
        chain('leaf', 'mends'),
        { name: 'middle', tasks: [sub('m', 'leaf')] },
        { name: 'top', tasks: [sub('t', 'middle'), simple('work')] },
      );
      const id = await it.engine.start({ name: 'top' }, TESTER);
      await reaches(it, id, 'FAILED');
      const middle = await childOf(it, id, 't');
      const leaf = await childOf(it, middle, 'm');
      isBroken = false;
      await it.engine.retry(leaf, TESTER);
      await reaches(it, id, 'COMPLETED');
      expect((await it.engine.get(id)).tasks.map((one) => [one.referenceTaskName, one.retryCount])).toEqual([
        ['t', 0],
        ['work', 0],
      ]);
      expect(await childOf(it, id, 't')).toBe(middle);
      expect(await childOf(it, middle, 'm')).toBe(leaf);
      expect(await status(it, middle)).toBe('COMPLETED');
      await nothingLeft(it.runtime.store);
    });

    test('that is retried although another took its place ends again', async () => {
      const it = await open([fails()]);
      await register(it, chain('leaf', 'fails'), { name: 'top', tasks: [sub('t', 'leaf')] });
      const id = await it.engine.start({ name: 'top' }, TESTER);
      await reaches(it, id, 'FAILED');
      const first = await childOf(it, id, 't');
      await register(it, chain('leaf', 'nobody'));
      await it.engine.retry(id, TESTER);
      const second = await started(it, id, 't');
      // The first one's definition is as it was; it fails again or is ended, and the second goes on.
      await it.engine.retry(first, TESTER);
      await eventually(async () => ['FAILED', 'TERMINATED'].includes(await status(it, first)));
      await nothingLeft(it.runtime.store);
      expect(await status(it, id)).toBe('RUNNING');
      expect(await status(it, second)).toBe('RUNNING');
    });

    test('is terminated with its parent, and so are its own', async () => {
      const it = await open();
      await register(
        it,
        chain('leaf', 'nobody'),
        { name: 'middle', tasks: [sub('m', 'leaf')] },
        { name: 'top', tasks: [sub('t', 'middle')] },
      );
      const id = await it.engine.start({ name: 'top' }, TESTER);
      const middle = await started(it, id, 't');
      const leaf = await started(it, middle, 'm');
      await it.engine.terminate(id, 'enough', TESTER);
      await reaches(it, middle, 'TERMINATED');
      await reaches(it, leaf, 'TERMINATED');
      expect((await it.engine.get(leaf)).tasks.map((one) => one.status)).toEqual(['CANCELED']);
      await nothingLeft(it.runtime.store);
      expect(await it.engine.search({ limit: 10, status: ['RUNNING'] })).toMatchObject({ items: [] });
    });

    test('goes on when its parent is already over by itself', async () => {
      const it = await open([work()]);
      await register(it, chain('child', 'later'), {
        name: 'parent',
        tasks: [sub('s', 'child'), simple('work')],
      });
      const id = await it.engine.start({ name: 'parent' }, TESTER);
      const child = await started(it, id, 's');
      await it.engine.terminate(child, 'by hand', TESTER);
      await reaches(it, id, 'TERMINATED');
      expect((await task(it, id, 's')).status).toBe('CANCELED');
      await nothingLeft(it.runtime.store);
    });

    test('of itself comes to an end at the fiftieth level', async () => {
      const it = await open();
      await register(it, { name: 'deep', tasks: [sub('s', 'deep')] });
      const id = await it.engine.start({ name: 'deep' }, TESTER);
      await eventually(async () => (await status(it, id)) === 'FAILED', { timeoutMs: 15_000 });
      const { items } = await it.engine.search({ workflowName: 'deep', limit: 100 });
      expect(items).toHaveLength(51);
      expect(new Set(items.map((one) => one.status))).toEqual(new Set(['FAILED']));
      await nothingLeft(it.runtime.store);
    });

    test('may come by the hundred', async () => {
      const it = await open([work()]);
      await register(it, chain('child', 'work'), {
        name: 'wide',
        tasks: [
          {
            name: 'f',
            taskReferenceName: 'f',
            type: 'FORK_JOIN',
            forkTasks: Array.from({ length: 200 }, (_, n) => [sub(`s${n}`, 'child')]),
          },
          {
            name: 'j',
            taskReferenceName: 'j',
            type: 'JOIN',
            joinOn: Array.from({ length: 200 }, (_, n) => `s${n}`),
          },
        ],
      });
      const id = await it.engine.start({ name: 'wide' }, TESTER);
      await eventually(async () => (await status(it, id)) === 'COMPLETED', { timeoutMs: 15_000 });
      expect(await it.runtime.store.count({ workflowName: 'child', status: ['COMPLETED'] })).toBe(200);
      await nothingLeft(it.runtime.store);
    });
  });

  describe('a message between workflows', () => {
    test('of a node without the role engine is delivered by one that has it', async () => {
      const api = await open([], { fires: false });
      await register(api, chain('child', 'work'), { name: 'parent', tasks: [sub('s', 'child')] });
      const id = await api.engine.start({ name: 'parent' }, TESTER);
      const identity = { homeId: 'home-2', host: 'test', pid: 2, roles: ['engine'] };
      const it = await open([work()], { identity });
      await until(async () => (await status(it, id)) === 'COMPLETED');
      expect(api.runtime.inbox.facts.consumed).toBe(0);
      expect(it.runtime.inbox.facts.consumed).toBe(2);
    });

    test('whose target is not there is dropped', async () => {
      const on = await stores.open();
      const it = await open([work()], { on });
      await register(it, chain('child', 'work'));
      const effect = {
        kind: 'childEnded',
        workflowId: 'gone',
        taskId: 'gone-task',
        childWorkflowId: 'child',
        status: 'COMPLETED',
        output: {},
        endTime: clock.now(),
      } as const;
      const orphan = {
        kind: 'terminateChild',
        workflowId: 'gone-too',
        taskId: 'gone-task',
        reason: 'x',
      } as const;
      const id = await it.engine.start({ name: 'child' }, TESTER);
      await reaches(it, id, 'COMPLETED');
      await say(on.executions, id, [effect, orphan], clock.now());
      await until(() => it.runtime.inbox.facts.consumed === 2);
      await nothingLeft(on.executions);
    });

    test('that ends a child before it is started waits for the start', async () => {
      const on = await stores.open();
      const it = await open([], { on });
      await register(it, chain('child', 'work'));
      const id = await it.engine.start({ name: 'child' }, TESTER);
      const childId = '11111111-1111-4111-8111-111111111111';
      const parent = { workflowId: id, taskId: 'task-1', depth: 0 };
      const start = {
        kind: 'startWorkflow',
        workflowId: childId,
        name: 'child',
        input: {},
        priority: 0,
        parent,
      } as const;
      await say(on.executions, id, [start], clock.now() - 1);
      await on.executions.registerNode({
        incarnation: 'somebody',
        homeId: 'home-2',
        host: 'test',
        pid: 2,
        roles: ['engine'],
        startedAt: clock.now(),
        heartbeatAt: clock.now() + 1e6,
      });
      // Somebody else has taken the start up and is not done with it.
      const [taken] = await on.executions.claimInbox('somebody', clock.now(), 10);
      await say(
        on.executions,
        id,
        [{ kind: 'terminateChild', workflowId: childId, taskId: 'task-1', reason: 'enough' }],
        clock.now(),
      );
      for (let n = 0; n < 10; n += 1) {
        clock.advance(1_000);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      expect(await on.executions.load(childId)).toBeUndefined();
      await on.executions.unclaimInbox('somebody', [taken?.id ?? 0]);
      await until(async () => (await on.executions.load(childId))?.workflow.status === 'TERMINATED', 5_000);
      await nothingLeft(on.executions);
    });

    test('that starts what cannot be stored fails the parent after some attempts', async () => {
      const on = await stores.open();
      const it = await open([work()], { on: { ...on, executions: refusing(on.executions, 'child') } });
      await register(it, chain('child', 'work'), { name: 'parent', tasks: [sub('s', 'child')] });
      const id = await it.engine.start({ name: 'parent' }, TESTER);
      await until(async () => (await status(it, id)) === 'FAILED', 60_000);
      expect((await task(it, id, 's')).reasonForIncompletion).toContain('cannot be stored');
      await nothingLeft(on.executions);
    });

    test('that its target cannot take is given up and can be seen', async () => {
      const on = await stores.open();
      const it = await open([fails()], { on: { ...on, executions: refusing(on.executions, 'after') } });
      await register(it, { ...chain('source', 'fails'), failureWorkflow: 'after' }, chain('after', 'work'));
      const id = await it.engine.start({ name: 'source' }, TESTER);
      await until(() => it.runtime.inbox.facts.abandoned === 1, 60_000);
      const [row] = await eventually(async () => {
        const rows = await on.executions.abandonedInbox(10);
        return rows.length > 0 && rows;
      });
      expect(row).toMatchObject({ kind: 'startWorkflow', sourceWorkflowId: id, attempts: 8 });
      expect(row?.problem).toContain('cannot be stored');
    });

    test('whose holder lost sight of it is delivered again', async () => {
      const on = await stores.open();
      const it = await open([work()], { on });
      await register(it, chain('child', 'work'));
      const id = await it.engine.start({ name: 'child' }, TESTER);
      await reaches(it, id, 'COMPLETED');
      const effect = {
        kind: 'startWorkflow',
        workflowId: '22222222-2222-4222-8222-222222222222',
        name: 'child',
        input: {},
        priority: 0,
      } as const;
      // As when the answer to the commit is lost: the row carries the node's name, and the node never heard of it.
      await say(on.executions, id, [effect], clock.now(), it.runtime.keeper.incarnation());
      await until(async () => (await on.executions.load(effect.workflowId)) !== undefined, 2_000);
    });
  });
}

/** Adds effects to a stored workflow, as a transition of it would. */
async function say(
  store: ExecutionStore,
  workflowId: string,
  effects: NonNullable<Parameters<typeof command>[3]>['effects'],
  now: number,
  inboxOwner?: string,
): Promise<void> {
  await command(
    store,
    workflowId,
    { kind: 'wake' },
    {
      now,
      timer: true,
      ...(effects === undefined ? {} : { effects }),
      ...(inboxOwner === undefined ? {} : { inboxOwner }),
    },
  );
}

/** A store that refuses the data of workflows of this name, or of scripts that came to something. */
function refusing(store: ExecutionStore, what: string): ExecutionStore {
  return new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (key !== 'commitBatch') return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      const commitBatch: ExecutionStore['commitBatch'] = (request, decide) =>
        target.commitBatch(request, (locked) => {
          const writes = decide(locked);
          const isRefused = writes.some(({ workflow, tasks }) =>
            what === 'evaluated:ok'
              ? tasks.some(({ task }) => task.taskType === 'DO_WHILE' && task.iteration > 1)
              : workflow.workflowName === what,
          );
          if (isRefused) throw new StoreFailure('data', `${what} cannot be stored`);
          return writes;
        });
      return commitBatch;
    },
  });
}
