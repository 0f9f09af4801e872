import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TaskDef, WorkflowTask } from '../../../src/engine/model/definition.js';
import type { Task } from '../../../src/engine/model/execution.js';
import { DEFAULT_PAYLOAD_LIMITS } from '../../../src/engine/model/payload-limits.js';
import { MemoryPayloadStore } from '../../../src/engine/payloads/memory-payload.store.js';
import { wholeExecution } from '../../../src/engine/payloads/whole-execution.js';
import { workflowView } from '../../../src/engine/rest/views.js';
import type { RuntimeParts } from '../../../src/engine/runtime/engine-runtime.js';
import { FakeClock } from '../../support/clock.js';
import { testDatabase } from '../../support/database.js';
import {
  FunctionWorker,
  register,
  startEngine,
  stopEngine,
  TESTER,
  type TestEngine,
} from '../../support/engine.js';
import { eventually } from '../../support/eventually.js';
import { postgresStores, type SharedStores } from '../runtime/stores.js';

const MB = 1024 * 1024;
const WAIT = { timeoutMs: 60_000 };

const step = (name: string, taskReferenceName: string) => ({ name, taskReferenceName, type: 'SIMPLE' });

/** A fork of `branches`, each of these steps; the JOIN waits for the last of each. */
const fork = (name: string, branches: number, ...steps: string[]) => ({
  name,
  tasks: [
    {
      name: 'fork',
      taskReferenceName: 'fork',
      type: 'FORK_JOIN',
      forkTasks: Array.from({ length: branches }, (_, i) => steps.map((one) => step(one, `${one}_${i}`))),
    },
    {
      name: 'join',
      taskReferenceName: 'join',
      type: 'JOIN',
      joinOn: Array.from({ length: branches }, (_, i) => `${steps.at(-1) ?? ''}_${i}`),
    },
  ],
});

class CountingStore extends MemoryPayloadStore {
  reads = 0;
  override async get(key: string): Promise<string> {
    this.reads += 1;
    return await super.get(key);
  }
}

describe('a workflow with many values below the threshold', { timeout: 120_000 }, () => {
  const makeStores = postgresStores();
  const engines: TestEngine[] = [];
  const clock = new FakeClock();
  let stores: SharedStores;
  let payloads: CountingStore;

  const number = (reference: string) => Number(reference.split('_')[1]);
  const bigWorker = (text: string) =>
    new FunctionWorker('big', ({ referenceTaskName }) => ({
      kind: 'completed',
      output: { i: number(referenceTaskName), text },
    }));
  const smallWorker = () => new FunctionWorker('small');

  async function open(options: Partial<Omit<RuntimeParts, 'clock'>> & { workers: FunctionWorker[] }) {
    const it = await startEngine(await stores.open(), {
      clock,
      payloadStores: { primary: payloads, fallback: payloads },
      ...options,
    });
    engines.push(it);
    return it;
  }
  // The list, because reading tens of megabytes again and again takes longer than the workflow.
  const ended = (it: TestEngine) =>
    eventually(async () => {
      clock.advance(200);
      const [found] = (await it.runtime.store.search({ limit: 1 })).items;
      return found?.status === 'RUNNING' ? undefined : found?.status;
    }, WAIT);

  beforeEach(async () => {
    stores = await makeStores();
    payloads = new CountingStore();
  });
  afterEach(async () => {
    for (const one of engines.splice(0)) await stopEngine(one);
  });

  test('keeps few of them in its rows, goes on with all, and answers a bounded part', async () => {
    const it = await open({ workers: [bigWorker('x'.repeat(MB)), smallWorker()] });
    await register(it, {
      ...fork('wide', 40, 'big', 'small'),
      outputParameters: { first: '${big_0.output.i}', last: '${big_39.output.i}' },
    });
    const id = await it.engine.start({ name: 'wide' }, TESTER);
    expect(await ended(it)).toBe('COMPLETED');

    const database = await testDatabase();
    const [rows] = await database.query<{ bytes: string; stored: string }>(
      `SELECT sum(octet_length(output::text)) AS bytes,
         count(*) FILTER (WHERE json_typeof(output::json) = 'string') AS stored FROM task`,
    );
    expect(Number(rows?.bytes)).toBeLessThan(9 * MB);
    expect(Number(rows?.stored)).toBeGreaterThanOrEqual(31);

    const execution = await it.engine.get(id);
    expect(execution.output).toEqual({ first: 0, last: 39 });
    const view = workflowView(execution, execution.tasks);
    expect(JSON.stringify(view).length).toBeLessThan(33 * MB);
    const bigOnes = view.tasks.filter(({ taskType }) => taskType === 'big');
    const leftOut = bigOnes.filter((task) => task.externalOutputPayloadStoragePath !== undefined);
    expect(leftOut.length).toBeGreaterThan(0);
    for (const { taskId } of leftOut)
      expect(Object.keys((await it.engine.getTask(taskId)).outputData)).toEqual(['i', 'text']);
  });

  test('answers a bounded part also of values that all stand in its rows', async () => {
    const it = await open({ workers: [smallWorker()] });
    await register(it, fork('plain', 1, 'small'));
    const id = await it.engine.start({ name: 'plain' }, TESTER);
    expect(await ended(it)).toBe('COMPLETED');
    const small = await it.engine.get(id);
    const outputData = { text: 'x'.repeat(MB) };
    const tasks = Array.from({ length: 40 }, () =>
      small.tasks.map((task) => ({ ...task, outputData })),
    ).flat();

    const execution = await wholeExecution({ ...small, tasks }, undefined);
    const view = workflowView(execution, execution.tasks);
    expect(JSON.stringify(view).length).toBeLessThan(33 * MB);
    expect(view.tasks.filter((task) => task.outputData === outputData)).toHaveLength(31);
    const leftOut = view.tasks.at(-1);
    expect(leftOut?.outputData).toEqual({});
    expect(leftOut?.externalOutputPayloadStoragePath).toBe(`api/tasks/${leftOut?.taskId}`);
  });

  test('answers a bounded part also of many rows of large steps', async () => {
    const it = await open({ workers: [smallWorker()] });
    await register(it, fork('plain', 1, 'small'));
    const id = await it.engine.start({ name: 'plain' }, TESTER);
    expect(await ended(it)).toBe('COMPLETED');
    const small = await it.engine.get(id);
    const [row] = small.tasks;
    const inner = WorkflowTask.parse({ ...step('x', 'x'), description: 'x'.repeat(10_000) });
    const branch = Array.from({ length: 10 }, () => inner);
    const given = { text: 'x'.repeat(100_000) };
    const rowsOf = (count: number, workflowTask: WorkflowTask) =>
      Array.from({ length: count }, () => ({ ...row!, workflowTask, outputData: { n: 1 } }));
    const answer = async (tasks: readonly Task[]) => {
      const execution = await wholeExecution({ ...small, tasks }, undefined);
      const view = workflowView(execution, execution.tasks);
      return { view, bytes: JSON.stringify(view).length };
    };
    const kept = { inputParameters: { a: 1 } };

    const inside = {
      decisionCases: { a: branch },
      defaultCase: branch,
      forkTasks: [branch],
      loopOver: branch,
    };
    const loops = await answer(rowsOf(1_000, { ...inner, ...kept, ...inside, description: undefined }));
    expect(loops.bytes).toBeLessThan(3 * MB);
    const [loop] = loops.view.tasks;
    expect(loop?.workflowTask).toMatchObject({ ...kept, decisionCases: {}, defaultCase: [], forkTasks: [] });
    expect(loop?.workflowTask).not.toHaveProperty('loopOver');

    const taskDefinition = TaskDef.parse({ name: 'x', inputTemplate: given });
    for (const more of [{ inputParameters: given }, { taskDefinition }]) {
      const { view, bytes } = await answer(rowsOf(2_000, { ...inner, ...more }));
      expect(bytes).toBeLessThan(36 * MB);
      expect(view.tasks[0]?.workflowTask).toMatchObject(more);
      const last = view.tasks.at(-1)?.workflowTask;
      expect(last).toMatchObject({ name: 'x', taskReferenceName: 'x', type: 'SIMPLE', inputParameters: {} });
      expect(last).not.toHaveProperty('taskDefinition');
    }
    const reasons = rowsOf(5_000, inner).map((one) => ({
      ...one,
      reasonForIncompletion: 'x'.repeat(10_000),
    }));
    expect((await answer(reasons)).bytes).toBeLessThan(40 * MB);
  });

  test('joins hundreds of stored outputs in few rounds, also in another process', async () => {
    const limits = { ...DEFAULT_PAYLOAD_LIMITS, taskThreshold: 1_000 };
    const text = 'x'.repeat(2_000);
    const late = new FunctionWorker('late', () => ({ kind: 'completed', output: {} }));
    const first = await open({ limits, workers: [bigWorker(text)] });
    const { name, tasks } = fork('joined', 300, 'big');
    const [forked, join] = tasks;
    const forkTasks = [...(forked?.forkTasks ?? []), [step('late', 'late_0')]];
    const joinOn = [...(join?.joinOn ?? []), 'late_0'];
    await register(first, {
      name,
      tasks: [
        { ...forked, forkTasks },
        { ...join, joinOn },
      ],
    });
    const id = await first.engine.start({ name: 'joined' }, TESTER);
    await eventually(async () => {
      clock.advance(200);
      return (await first.runtime.store.load(id))?.tasks.every(
        ({ taskType, status }) => taskType !== 'big' || status === 'COMPLETED',
      );
    }, WAIT);
    engines.splice(0);
    await stopEngine(first);

    payloads.reads = 0;
    const commits: number[] = [];
    const second = await open({
      limits,
      workers: [late],
      observers: [{ committed: (decided) => commits.push(decided.length) }],
    });
    expect(await ended(second)).toBe('COMPLETED');
    expect(payloads.reads).toBe(300);
    expect(commits.length).toBeLessThan(20);
    const joined = (await second.engine.get(id)).tasks.find(({ taskType }) => taskType === 'JOIN');
    expect(Object.keys(joined?.outputData ?? {})).toHaveLength(300);
    expect(joined?.outputData['big_7']).toEqual({ i: 7, text });
  });

  test('fails a JOIN of more than a task may hold without looking into all of it', async () => {
    const limits = { ...DEFAULT_PAYLOAD_LIMITS, taskThreshold: 1_000, taskMax: 20_000 };
    const it = await open({ limits, workers: [bigWorker('x'.repeat(2_000))] });
    await register(it, fork('joined', 50, 'big'));
    const id = await it.engine.start({ name: 'joined' }, TESTER);
    expect(await ended(it)).toBe('FAILED');
    const join = (await it.engine.get(id)).tasks.find(({ taskType }) => taskType === 'JOIN');
    expect(join?.reasonForIncompletion).toMatch(/joined outputs are larger than/);
  });
});
