import { describe, expect, test } from 'vitest';
import { StoreFailure, type ClaimedTask, type TaskClaim } from '../../../src/engine/execution-store.js';
import { MemoryExecutionStore } from '../../../src/engine/memory/memory-execution-store.js';
import { Claims } from '../../../src/engine/runtime/claims.js';
import { FairTags } from '../../../src/engine/runtime/fair-tags.js';
import { SILENT } from '../../../src/engine/runtime/runtime-log.js';
import { WorkflowCache } from '../../../src/engine/runtime/workflow-cache.js';
import { FakeClock } from '../../support/clock.js';
import { eventually } from '../../support/eventually.js';
import { start } from '../conformance/fixtures.js';

/** Counts the statements, and plays tasks that somebody else has locked. */
class CountingStore extends MemoryExecutionStore {
  readonly sizes: number[] = [];
  locked = false;

  override async claimTasks(
    claim: TaskClaim,
    _taken?: (tasks: readonly ClaimedTask[]) => void,
  ): Promise<readonly ClaimedTask[]> {
    this.sizes.push(claim.takers.length);
    return this.locked ? [] : await super.claimTasks(claim);
  }
}

function make() {
  const store = new CountingStore();
  const clock = new FakeClock();
  const again: string[] = [];
  const claims = new Claims({
    store,
    clock,
    cache: new WorkflowCache(1_000_000),
    fairTags: new FairTags(),
    ageingMs: 600_000,
    refused: () => [],
    again: (taskType) => again.push(taskType),
    returned: () => undefined,
    observers: [],
    log: SILENT,
  });
  const take = (count = 1) =>
    claims.take(
      'work',
      Array.from({ length: count }, () => ({ workerId: 'w', owner: undefined })),
    );
  return { claims, store, take, again };
}

describe('claims', () => {
  test('of all who ask at the same time are one statement, each task to one of them', async () => {
    const { store, take } = make();
    for (let n = 0; n < 60; n++) await start(store);
    const claimed = await Promise.all(Array.from({ length: 60 }, () => take()));
    expect(store.sizes).toEqual([60]);
    expect(new Set(claimed.flat().map(({ task }) => task.taskId)).size).toBe(60);
  });

  test('that found too little are not repeated for those who asked before', async () => {
    const { store, take } = make();
    await start(store);
    const claimed = await Promise.all(Array.from({ length: 600 }, () => take()));
    expect(claimed.flat()).toHaveLength(1);
    expect(store.sizes).toEqual([200]);
    await start(store);
    expect(await take()).toHaveLength(1);
  });

  test('that fail after they had too little ask nothing more for those who were told so', async () => {
    const { store, take } = make();
    const asked: number[] = [];
    let end: () => void = () => undefined;
    store.claimTasks = async ({ takers }, taken) => {
      asked.push(takers.length);
      if (asked.length === 1) {
        await start(store);
        const [task] = await MemoryExecutionStore.prototype.claimTasks.call(store, {
          taskType: 'work',
          takers: [...takers],
          now: 0,
          ageingMs: 600_000,
        });
        if (task === undefined) throw new Error('there is one');
        taken?.([task]);
        await new Promise<void>((resolve) => (end = resolve));
        return [task];
      }
      if (asked.length > 2) return [];
      // Beside the first, and lost before it is stored.
      taken?.([]);
      throw new StoreFailure('transient', 'the connection is gone');
    };
    const first = take();
    await eventually(() => asked.length === 1);
    const second = take();
    const told = expect(second).rejects.toThrow('the connection is gone');
    await eventually(() => asked.length === 2);
    end();
    await told;
    expect(await first).toHaveLength(1);
    expect(await take()).toEqual([]);
    expect(asked).toEqual([1, 1, 1]);
  });

  test('that are on their way are waited for by who refuses a task, and no later ones', async () => {
    const { claims, store, take } = make();
    const ends: (() => void)[] = [];
    store.claimTasks = async (_, taken) => {
      taken?.([]);
      await new Promise<void>((resolve) => ends.push(resolve));
      return [];
    };
    await claims.answered('work');
    const first = take();
    await eventually(() => ends.length === 1);
    let isAnswered = false;
    const answered = claims.answered('work').then(() => (isAnswered = true));
    await claims.answered('other work');
    expect(isAnswered).toBe(false);
    ends[0]?.();
    await answered;
    await first;
    const second = take();
    await eventually(() => ends.length === 2);
    ends[1]?.();
    await second;
    await claims.answered('work');
  });

  test('that meet a row which cannot be handed out do not say that who asked sent something wrong', async () => {
    const { store, take } = make();
    store.claimTasks = async () => {
      throw new StoreFailure('data', 'bigint out of range');
    };
    const error = await take().catch((failure: unknown) => failure);
    expect(error).toMatchObject({ message: expect.stringMatching(/type work .*: bigint out of range/) });
    expect(error).not.toHaveProperty('status');
  });

  test('are repeated soon when tasks were locked by somebody, and not when there are none', async () => {
    const { store, take, again } = make();
    expect(await take()).toEqual([]);
    await start(store);
    store.locked = true;
    expect(await take()).toEqual([]);
    await eventually(() => again.length === 1);
    expect(again).toEqual(['work']);
    store.locked = false;
    expect(await take()).toHaveLength(1);
  });
});
