import { expect, test } from 'vitest';
import type { ClaimedTask } from '../../../src/engine/execution-store.js';
import { MemoryExecutionStore } from '../../../src/engine/memory/memory-execution-store.js';
import { Dispatcher } from '../../../src/engine/runtime/dispatcher.js';
import { SILENT } from '../../../src/engine/runtime/runtime-log.js';
import { Slots } from '../../../src/engine/runtime/slots.js';
import { FakeClock } from '../../support/clock.js';
import { FunctionWorker } from '../../support/engine.js';
import { eventually } from '../../support/eventually.js';
import { NOW, start } from '../conformance/fixtures.js';

/** One slot, tasks that wait, and a lock that hides them from claims. */
async function make(waiting: number) {
  const store = new MemoryExecutionStore();
  for (let n = 0; n < waiting; n++) await start(store);
  const slots = new Slots([new FunctionWorker('work', undefined, 1)]);
  const lock = { isHeld: false };
  const claims = {
    async take(taskType: string): Promise<readonly ClaimedTask[]> {
      const takers = [{ workerId: 'node', owner: 'node' }];
      const claim = { taskType, takers, now: NOW, ageingMs: 600_000 };
      return lock.isHeld ? [] : await store.claimTasks(claim);
    },
  };
  const started: string[] = [];
  const runner = { start: ({ taskId }: { taskId: string }) => void started.push(taskId) };
  const dispatcher = new Dispatcher({
    clock: new FakeClock(),
    slots,
    claims,
    runner,
    signal: { raise: () => undefined },
    log: SILENT,
    incarnation: () => 'node',
  });
  /** The run that takes the slot ends. */
  const end = (): void => {
    slots.free('work');
    dispatcher.freed('work');
  };
  return { dispatcher, slots, lock, started, end };
}

test('tasks that a claim found locked are worked off as each slot becomes free', async () => {
  const { dispatcher, slots, lock, started, end } = await make(3);
  lock.isHeld = true;
  dispatcher.wake('work');
  await eventually(() => !slots.isBacklogged('work'));
  lock.isHeld = false;
  dispatcher.wake('work');
  for (const count of [1, 2, 3]) {
    await eventually(() => started.length === count, { timeoutMs: 2_000, what: `run ${count}` });
    end();
  }
  // Nothing waits, so a new task need not queue behind it.
  await eventually(() => !slots.isBacklogged('work'));
  expect(new Set(started).size).toBe(3);
});
