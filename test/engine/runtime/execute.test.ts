import { afterEach, describe, expect, test } from 'vitest';
import { Overloaded } from '../../../src/errors.js';
import type { TaskWorker } from '../../../src/engine/ports.js';
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
import { memoryStores, postgresStores, type SharedStores } from './stores.js';

const patient = { waitMs: Infinity, references: [] };
const waits = {
  name: 'waits',
  tasks: [
    { name: 'step', taskReferenceName: 'first', type: 'SIMPLE' },
    { name: 'wait', taskReferenceName: 'gate', type: 'WAIT' },
  ],
};

describe.each([
  ['in memory', () => memoryStores],
  ['on PostgreSQL', () => postgresStores()],
])('executing a workflow and waiting for it, %s', (_, makeStores) => {
  const stores = makeStores();
  const clock = new FakeClock();
  const open: TestEngine[] = [];
  afterEach(async () => {
    for (const it of open.splice(0)) await stopEngine(it);
  });

  async function engineOn(shared: SharedStores, workers: readonly TaskWorker[] = []): Promise<TestEngine> {
    const identity = { homeId: `home-${open.length}`, host: 'test', pid: 1, roles: ['engine'] };
    const it = await startEngine(await shared.open(), { clock, workers, identity });
    open.push(it);
    await register(it, chain('two', 'step', 'step'), waits);
    return it;
  }

  test('answers with the whole workflow once its end is durable', async () => {
    const worker = new FunctionWorker('step', () => ({ kind: 'completed', output: { done: 1 } }));
    const it = await engineOn(await stores(), [worker]);
    const { execution, task, isLate } = await it.engine.execute(
      { name: 'two', input: { given: 7 } },
      patient,
      TESTER,
    );
    expect({ status: execution.status, task, isLate }).toEqual({
      status: 'COMPLETED',
      task: undefined,
      isLate: false,
    });
    const stored = await it.engine.get(execution.workflowId);
    expect(execution.tasks).toEqual(stored.tasks);
    expect(stored.tasks.map(({ outputData }) => outputData)).toEqual([{ done: 1 }, { done: 1 }]);
  });

  test('stops at a WAIT that only somebody ends', async () => {
    const it = await engineOn(await stores(), [new FunctionWorker('step')]);
    const { execution, task } = await it.engine.execute({ name: 'waits' }, patient, TESTER);
    expect(execution.status).toBe('RUNNING');
    expect(task).toMatchObject({ referenceTaskName: 'gate', status: 'IN_PROGRESS' });
  });

  test('stops when a named task has ended', async () => {
    const it = await engineOn(await stores(), [new FunctionWorker('step')]);
    const { task } = await it.engine.execute(
      { name: 'waits' },
      { waitMs: Infinity, references: ['first'] },
      TESTER,
    );
    expect(task).toMatchObject({ referenceTaskName: 'first', status: 'COMPLETED' });
  });

  test('answers with the state of the moment when the time is up', async () => {
    const it = await engineOn(await stores());
    const executing = it.engine.execute({ name: 'two' }, { waitMs: 3_000, references: [] }, TESTER);
    const running = eventually(async () => (await it.engine.count({ status: ['RUNNING'] })) === 1);
    await running;
    await eventually(() => clock.sleeping.nextAt !== undefined);
    clock.advance(3_000);
    expect(await executing).toMatchObject({ isLate: true, execution: { status: 'RUNNING' } });
  });

  test('sees what another node committed, without being told', async () => {
    const shared = await stores();
    const here = await engineOn(shared);
    const there = await engineOn(shared);
    const executing = here.engine.execute({ name: 'two', workflowId: 'w-1' }, patient, TESTER);
    await eventually(async () => (await there.engine.find('w-1')) !== undefined);
    await there.engine.terminate('w-1', 'enough', TESTER);
    let ended: string | undefined;
    void executing.then(({ execution }) => (ended = execution.status));
    const began = clock.now();
    await eventually(() => {
      if (ended === undefined) clock.advance(100);
      return ended === 'TERMINATED';
    });
    expect(clock.now() - began).toBeLessThan(10_000);
  });

  test('waits for the first workflow of an idempotency key', async () => {
    const it = await engineOn(await stores());
    const request = { name: 'two', idempotencyKey: 'once' };
    const first = it.engine.execute(request, patient, TESTER);
    await eventually(async () => (await it.engine.count({})) === 1);
    const second = it.engine.execute(request, patient, TESTER);
    it.runtime.run([new FunctionWorker('step')]);
    const ids = (await Promise.all([first, second])).map(({ execution }) => execution.workflowId);
    expect(new Set(ids).size).toBe(1);
    const third = await it.engine.execute(request, patient, TESTER);
    expect(third.execution.status).toBe('COMPLETED');
  });

  test('refuses more calls of one client than it may have waiting', async () => {
    const it = await engineOn(await stores());
    const waiting = Array.from({ length: 200 }, (_unused, index) =>
      it.runtime.waiters.wait(`w-${index}`, [], 'greedy'),
    );
    expect(() => it.runtime.waiters.wait('one-more', [], 'greedy')).toThrow(Overloaded);
    it.runtime.waiters.wait('another', [], 'modest').stop();
    waiting[0]?.stop();
    it.runtime.waiters.wait('one-more', [], 'greedy').stop();
    for (const one of waiting) one.stop();
  });

  test('is answered when the process stops', async () => {
    const it = await engineOn(await stores());
    const executing = it.engine.execute({ name: 'two' }, patient, TESTER);
    await eventually(async () => (await it.engine.count({ status: ['RUNNING'] })) === 1);
    open.splice(open.indexOf(it), 1);
    await stopEngine(it);
    expect(await executing).toMatchObject({ isLate: true, execution: { status: 'RUNNING' } });
  });
});
