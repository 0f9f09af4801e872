import { afterEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../../support/clock.js';
import { register, startEngine, stopEngine, TESTER, type TestEngine } from '../../support/engine.js';
import { eventually } from '../../support/eventually.js';
import { memoryStores } from './stores.js';

const waits = {
  name: 'waits',
  tasks: [{ name: 'w', taskReferenceName: 'w', type: 'WAIT', inputParameters: { duration: '20 seconds' } }],
};

describe('timers that come due together', () => {
  const open: TestEngine[] = [];
  afterEach(async () => {
    for (const one of open.splice(0)) await stopEngine(one);
  });

  /** So many workflows that a node started which is gone, and a node that never saw them. */
  async function parked(count: number): Promise<{ ids: string[]; clock: FakeClock; node: TestEngine }> {
    const stores = await (await memoryStores()).open();
    const clock = new FakeClock();
    const starter = await startEngine(stores, { clock, fires: false });
    await register(starter, waits);
    const ids = await Promise.all(
      Array.from({ length: count }, () => starter.engine.start({ name: 'waits' }, TESTER)),
    );
    await stopEngine(starter);
    const node = await startEngine(stores, { clock });
    open.push(node);
    return { ids, clock, node };
  }

  const seen = (ids: readonly string[], { runtime }: TestEngine): number =>
    ids.filter((id) => runtime.cache.has(id)).length;

  test('by the thousand are read before, and fire without being read again', async () => {
    const { ids, clock, node } = await parked(1_000);
    await eventually(() => {
      if (clock.sleeping.count > 0) clock.advance(500);
      return seen(ids, node) === ids.length;
    });
    const status = async () =>
      new Set((await node.engine.search({ limit: 500 })).items.map((one) => one.status));
    expect(await status()).toEqual(new Set(['RUNNING']));
    const { misses } = node.runtime.cache;
    await eventually(async () => {
      if (clock.sleeping.count > 0) clock.advance(500);
      return (await node.engine.count({ status: ['COMPLETED'] })) === ids.length;
    });
    expect(node.runtime.cache.misses).toBe(misses);
  });

  test('in smaller numbers are not: they take no time that matters', async () => {
    const { ids, clock, node } = await parked(50);
    let mostSeen = 0;
    await eventually(async () => {
      mostSeen = Math.max(mostSeen, seen(ids, node));
      if (clock.sleeping.count > 0) clock.advance(500);
      return (await node.engine.count({ status: ['COMPLETED'] })) === ids.length;
    });
    expect(mostSeen).toBe(0);
  });
});
