import { describe, expect, test } from 'vitest';
import { StoreFailure, type BatchRequest, type TaskClaim } from '../../../src/engine/execution-store.js';
import { MemoryDefinitionStore } from '../../../src/engine/memory/memory-definition-store.js';
import { MemoryExecutionStore } from '../../../src/engine/memory/memory-execution-store.js';
import type { Task } from '../../../src/engine/model/execution.js';
import type { TaskResult } from '../../../src/engine/ports.js';
import { chain, register, startEngine, stopEngine, TESTER } from '../../support/engine.js';
import { eventually } from '../../support/eventually.js';

/** Counts claims, and lets batches wait when it is told to. */
class SlowStore extends MemoryExecutionStore {
  claims = 0;
  private gate = Promise.resolve();
  open: () => void = () => undefined;
  fault: StoreFailure | undefined;

  holdBatches(): void {
    this.gate = new Promise((resolve) => (this.open = resolve));
  }

  override async commitBatch(
    request: BatchRequest,
    decide: Parameters<MemoryExecutionStore['commitBatch']>[1],
  ): ReturnType<MemoryExecutionStore['commitBatch']> {
    await this.gate;
    if (this.fault !== undefined) throw this.fault;
    return await super.commitBatch(request, decide);
  }

  override async claimTasks(claim: TaskClaim): ReturnType<MemoryExecutionStore['claimTasks']> {
    this.claims += 1;
    return await super.claimTasks(claim);
  }
}

/** An engine with so many one-task workflows, the first of which is held by a worker. */
async function open(workflows: number) {
  const executions = new SlowStore();
  const it = await startEngine({ executions, definitions: new MemoryDefinitionStore() });
  await register(it, chain('one', 'step'));
  for (let index = 0; index < workflows; index++) await it.engine.start({ name: 'one' }, TESTER);
  const [claimed] = await it.engine.poll({ taskType: 'step', workerId: 'w', count: 1, timeoutMs: 0 });
  if (claimed === undefined) throw new Error('Nothing to claim');
  const waiting = async (): Promise<number | undefined> => (await it.engine.queueSizes(['step'])).get('step');
  executions.claims = 0;
  return { ...it, executions, held: claimed.task, waiting };
}

const done = ({ taskId, workflowInstanceId }: Task): TaskResult => ({
  taskId,
  workflowInstanceId,
  workerId: 'w',
  status: 'COMPLETED',
});

describe('a report that asks for the next task', () => {
  test('has it claimed while it is written, when others are known to wait', async () => {
    const it = await open(2);
    it.executions.holdBatches();
    const answer = it.engine.reportAndPoll(done(it.held), TESTER, { workerId: 'w' });
    await eventually(async () => (await it.waiting()) === 0);
    expect((await it.engine.getTask(it.held.taskId)).status).toBe('IN_PROGRESS');
    it.executions.open();
    const [next] = await answer;
    expect(next?.task).toMatchObject({ status: 'IN_PROGRESS', workerId: 'w' });
    expect(next?.task.taskId).not.toBe(it.held.taskId);
    expect((await it.engine.getTask(it.held.taskId)).status).toBe('COMPLETED');
    expect(it.executions.claims).toBe(1);
    await stopEngine(it);
  });

  test('looks again when all that waited were gone, since it may have brought one itself', async () => {
    const it = await open(1);
    await register(it, chain('two', 'step', 'step'));
    await it.engine.start({ name: 'two' }, TESTER);
    const [first] = await it.engine.reportAndPoll(done(it.held), TESTER, { workerId: 'w' });
    if (first === undefined) throw new Error('Nothing was handed out');
    it.executions.claims = 0;
    const [second] = await it.engine.reportAndPoll(done(first.task), TESTER, { workerId: 'w' });
    expect(second?.task.workflowInstanceId).toBe(first.task.workflowInstanceId);
    expect(it.executions.claims).toBe(2);
    expect(await it.engine.reportAndPoll(done(it.held), TESTER, { workerId: 'w' })).toEqual([]);
    await stopEngine(it);
  });

  test('leaves the next one to others when it is refused', async () => {
    const it = await open(2);
    it.executions.holdBatches();
    it.executions.fault = new StoreFailure('data', 'no row can hold it');
    const answer = it.engine.reportAndPoll(done(it.held), TESTER, { workerId: 'w' });
    const refused = expect(answer).rejects.toThrow('no row can hold it');
    await eventually(async () => (await it.waiting()) === 0);
    it.executions.open();
    await refused;
    await eventually(async () => (await it.waiting()) === 1);
    await stopEngine(it);
  });

  test('leaves the next one to others when its worker has gone meanwhile', async () => {
    const it = await open(2);
    const gone = new AbortController();
    it.executions.holdBatches();
    const answer = it.engine.reportAndPoll(done(it.held), TESTER, { workerId: 'w', signal: gone.signal });
    await eventually(async () => (await it.waiting()) === 0);
    gone.abort();
    it.executions.open();
    expect(await answer).toEqual([]);
    expect((await it.engine.getTask(it.held.taskId)).status).toBe('COMPLETED');
    await eventually(async () => (await it.waiting()) === 1);
    await stopEngine(it);
  });

  test.each(['IN_PROGRESS', 'COMPLETED'] as const)(
    'of somebody who holds nothing (%s) takes nothing before it is written',
    async (status) => {
      const it = await open(2);
      const report = { ...done(it.held), taskId: 'another', status };
      await expect(it.engine.reportAndPoll(report, TESTER, { workerId: 'w' })).rejects.toThrow('another');
      expect(it.executions.claims).toBe(0);
      await stopEngine(it);
    },
  );
});
