import { describe, expect, test } from 'vitest';
import type { ClaimedTask, TaskClaim } from '../../../src/engine/execution-store.js';
import { MemoryDefinitionStore } from '../../../src/engine/memory/memory-definition-store.js';
import { MemoryExecutionStore } from '../../../src/engine/memory/memory-execution-store.js';
import { chain, register, startEngine, stopEngine, TESTER } from '../../support/engine.js';
import { eventually } from '../../support/eventually.js';

/** Tells of a claim before whoever asked hears of it. */
class TellingStore extends MemoryExecutionStore {
  onClaim: () => void = () => undefined;

  override async claimTasks(claim: TaskClaim): Promise<readonly ClaimedTask[]> {
    const claimed = await super.claimTasks(claim);
    if (claimed.length > 0) this.onClaim();
    return claimed;
  }
}

async function open() {
  const executions = new TellingStore();
  const it = await startEngine({ executions, definitions: new MemoryDefinitionStore() });
  await register(it, chain('one', 'step'));
  await it.engine.start({ name: 'one' }, TESTER);
  return { ...it, executions };
}
const poll = { taskType: 'step', workerId: 'w', count: 5, timeoutMs: 0 };

describe('a poll', () => {
  test.each([0, 1_000])(
    'whose client leaves while its claim is on the way takes nothing with it (waits %i ms)',
    async (timeoutMs) => {
      const it = await open();
      const gone = new AbortController();
      it.executions.onClaim = () => gone.abort();
      expect(await it.engine.poll({ ...poll, timeoutMs, signal: gone.signal })).toEqual([]);
      it.executions.onClaim = () => undefined;
      const [claimed] = await eventually(async () => {
        const tasks = await it.engine.poll(poll);
        return tasks.length > 0 && tasks;
      });
      expect(claimed?.task).toMatchObject({ status: 'IN_PROGRESS', retryCount: 0 });
      await stopEngine(it);
    },
  );

  test('of a client that has left claims nothing', async () => {
    const it = await open();
    expect(await it.engine.poll({ ...poll, signal: AbortSignal.abort() })).toEqual([]);
    expect(await it.engine.queueSizes(['step'])).toEqual(new Map([['step', 1]]));
    await stopEngine(it);
  });

  test('for a domain gets none of the tasks that were sent to no domain, after its time', async () => {
    const it = await open();
    expect(await it.engine.poll({ ...poll, domain: 'dev' })).toEqual([]);
    const waited = it.engine.poll({ ...poll, domain: 'dev', timeoutMs: 1_000 });
    await eventually(() => it.runtime.polls.waitingCount === 1);
    it.clock.advance(1_000);
    expect(await waited).toEqual([]);
    expect(await it.engine.poll({ ...poll, domain: '' })).toHaveLength(1);
    await stopEngine(it);
  });
});
