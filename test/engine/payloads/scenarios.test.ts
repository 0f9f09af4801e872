import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Unavailable } from '../../../src/errors.js';
import { DEFAULT_PAYLOAD_LIMITS } from '../../../src/engine/model/payload-limits.js';
import { MemoryPayloadStore } from '../../../src/engine/payloads/memory-payload.store.js';
import { CrashPoints, type CrashPoint } from '../../../src/engine/runtime/crash-points.js';
import { PayloadGone } from '../../../src/engine/payloads/payload-store.js';
import type { RuntimeParts } from '../../../src/engine/runtime/engine-runtime.js';
import { FakeClock } from '../../support/clock.js';
import {
  FunctionWorker,
  register,
  startEngine,
  stopEngine,
  TESTER,
  type TestEngine,
} from '../../support/engine.js';
import { eventually } from '../../support/eventually.js';
import { memoryStores, postgresStores, type SharedStores } from '../runtime/stores.js';

const LIMITS = { ...DEFAULT_PAYLOAD_LIMITS, workflowThreshold: 1_000, taskThreshold: 1_000 };
const LARGE = 'x'.repeat(2_000);

/** Stops whoever comes to this point, for good. */
class StopAt extends CrashPoints {
  isStopped = false;
  constructor(
    private readonly point: CrashPoint,
    private left: number,
  ) {
    super();
  }
  override reach(point: CrashPoint): Promise<void> | void {
    if (this.isStopped || (point === this.point && --this.left === 0)) {
      this.isStopped = true;
      return new Promise<never>(() => undefined);
    }
  }
}

class AwayStore extends MemoryPayloadStore {
  isAway = false;
  isLost = false;
  asked = 0;
  override async put(key: string, text: string): Promise<void> {
    if (this.isAway) throw new Unavailable('payloads', 'away');
    await super.put(key, text);
  }
  override async get(key: string): Promise<string> {
    this.asked += 1;
    if (this.isAway) throw new Unavailable('payloads', 'away');
    if (this.isLost) throw new PayloadGone(key);
    return await super.get(key);
  }
}

const flow = {
  name: 'large',
  tasks: [
    {
      name: 'make',
      taskReferenceName: 'a',
      type: 'SIMPLE',
      inputParameters: { whole: '${workflow.input}' },
    },
    { name: 'wait', taskReferenceName: 'w', type: 'WAIT', inputParameters: { duration: '5 seconds' } },
    {
      name: 'look',
      taskReferenceName: 'b',
      type: 'SIMPLE',
      inputParameters: { small: '${a.output.small}', all: '${a.output}' },
    },
  ],
  outputParameters: { text: '${b.output.text}', small: '${b.output.small}' },
};

describe.each([
  ['memory', () => memoryStores],
  ['PostgreSQL', () => postgresStores()],
] as const)('large values on %s', (_, make) => {
  const makeStores = make();
  let stores: SharedStores;
  let payloads: AwayStore;
  let fallback: MemoryPayloadStore;
  const clock = new FakeClock();
  const engines: TestEngine[] = [];

  const makeWorker = () =>
    new FunctionWorker('make', () => ({ kind: 'completed', output: { text: LARGE, small: 7 } }));
  const lookWorker = () =>
    new FunctionWorker('look', ({ inputData }) => ({
      kind: 'completed',
      output: { text: inputData['all'] === undefined ? '' : LARGE, small: inputData['small'] ?? null },
    }));

  async function open(options: Partial<Omit<RuntimeParts, 'clock'>> = {}): Promise<TestEngine> {
    const it = await startEngine(await stores.open(options.crash), {
      clock,
      workers: [makeWorker(), lookWorker()],
      limits: LIMITS,
      payloadStores: { primary: payloads, fallback },
      ...options,
    });
    engines.push(it);
    return it;
  }
  const reaches = (it: TestEngine, id: string, wanted: string) =>
    eventually(async () => {
      clock.advance(200);
      return (await it.engine.get(id)).status === wanted;
    });

  beforeEach(async () => {
    stores = await makeStores();
    payloads = new AwayStore();
    fallback = Object.assign(new MemoryPayloadStore(), { name: 'other' });
  });
  afterEach(async () => {
    for (const one of engines.splice(0)) await stopEngine(one);
  });

  /** A workflow that waits, with large values, and nobody has it in memory. @returns its id. */
  async function leftWaiting(): Promise<string> {
    const first = await open();
    await register(first, flow);
    const id = await first.engine.start({ name: 'large', input: { given: LARGE } }, TESTER);
    await eventually(async () => (await first.engine.get(id)).tasks.length === 2);
    engines.splice(0);
    await stopEngine(first);
    return id;
  }

  test('are whole for workers, expressions and readers, also after a restart', async () => {
    const id = await leftWaiting();
    const second = await open();
    await reaches(second, id, 'COMPLETED');
    const { tasks, input, output } = await second.engine.get(id);
    expect(input).toEqual({ given: LARGE });
    expect(output).toEqual({ text: LARGE, small: 7 });
    expect(tasks.map(({ inputData }) => inputData)).toEqual([
      { whole: { given: LARGE } },
      { duration: '5 seconds' },
      { small: 7, all: { text: LARGE, small: 7 } },
    ]);
    const [stored] = [await (await stores.open()).executions.load(id)];
    expect(() => stored?.workflow.input['given']).toThrow('payload store');
    // Input and output of the workflow, input and output of both workers' tasks.
    expect(payloads.keys.length).toBeLessThanOrEqual(6);
  });

  test.each([
    ['payload:registered', 1],
    ['payload:registered', 2],
    ['payload:stored', 1],
    ['payload:stored', 3],
  ] as const)('a crash at %s (time %i) loses nothing, and what is left over is found', async (point, nth) => {
    const crash = new StopAt(point, nth);
    const dead = await startEngine(await stores.open(crash), {
      clock: new FakeClock(clock.now()),
      workers: [makeWorker(), lookWorker()],
      limits: LIMITS,
      payloadStores: { primary: payloads, fallback },
      crash,
    });
    await register(dead, flow);
    const workflowId = '7d3f3b43-58d5-4a3a-8a19-4a3e9e4f7b11';
    const start = (it: TestEngine) =>
      it.engine.start({ name: 'large', workflowId, input: { given: LARGE } }, TESTER);
    void start(dead).catch(() => undefined);
    await eventually(() => {
      dead.clock.advance(200);
      return crash.isStopped;
    });

    const second = await open();
    await start(second);
    await reaches(second, workflowId, 'COMPLETED');
    expect((await second.engine.get(workflowId)).output).toEqual({ text: LARGE, small: 7 });
    // A day later everything unused is swept, and what rows refer to is still there.
    const { executions } = await stores.open();
    const unused = await executions.takeUnusedPayloads(clock.now() + 86_400_000, 100);
    await payloads.remove(unused.map(({ key }) => key));
    await executions.forgetPayloads(unused.map(({ key }) => key));
    const third = await open({ identity: { homeId: 'home-2', host: 'test', pid: 2, roles: ['engine'] } });
    const { tasks, input } = await third.engine.get(workflowId);
    expect(input).toEqual({ given: LARGE });
    expect(tasks[0]?.outputData).toEqual({ text: LARGE, small: 7 });
    expect(await executions.takeUnusedPayloads(clock.now() + 86_400_000, 100)).toEqual([]);
  });

  test('go to the fallback while their store is away, and a task whose input is out of reach waits', async () => {
    const it = await open();
    await register(it, flow);
    payloads.isAway = true;
    const id = await it.engine.start({ name: 'large', input: { given: LARGE } }, TESTER);
    await eventually(() => fallback.keys.length > 0);
    payloads.isAway = false;
    await reaches(it, id, 'COMPLETED');
    expect((await it.engine.get(id)).input).toEqual({ given: LARGE });
  });

  test('that are lost hold up their own workflow alone, until they are found', async () => {
    const id = await leftWaiting();
    const second = await open();
    payloads.isLost = true;
    await eventually(() => {
      clock.advance(200);
      return payloads.asked > 0;
    });
    await second.runtime.committer.idle();
    const { asked } = payloads;
    // Another workflow's way through the engine takes longer than a question to the store.
    await second.engine.start({ name: 'large' }, TESTER);
    expect(payloads.asked).toBe(asked);
    expect(second.runtime.committer.depth).toEqual({ count: 0, bytes: 0 });

    payloads.isLost = false;
    await eventually(async () => {
      clock.advance(2_000);
      return (await second.engine.get(id)).status === 'COMPLETED';
    });
  });

  test('pass between a workflow and the one inside it, each with a copy of its own', async () => {
    const it = await open();
    await register(it, flow, {
      name: 'outer',
      tasks: [
        {
          name: 'inner',
          taskReferenceName: 's',
          type: 'SUB_WORKFLOW',
          subWorkflowParam: { name: 'large', version: 1 },
          inputParameters: { given: '${workflow.input.given}' },
        },
      ],
      outputParameters: { text: '${s.output.text}' },
    });
    const id = await it.engine.start({ name: 'outer', input: { given: LARGE } }, TESTER);
    await reaches(it, id, 'COMPLETED');
    const { output, tasks } = await it.engine.get(id);
    expect(output).toEqual({ text: LARGE });
    const child = tasks[0]?.subWorkflowId ?? '';
    expect((await it.engine.get(child)).input).toEqual({ given: LARGE });
    const owners = new Set(payloads.keys.map((key) => key.split('/')[0]));
    expect(owners.size).toBe(2);
  });
});
