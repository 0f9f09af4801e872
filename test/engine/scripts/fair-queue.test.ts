import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FairQueue } from '../../../src/engine/scripts/fair-queue.js';

interface Item {
  readonly group: string;
  readonly member: string;
  readonly number: number;
}

/** Serves everything, each item taking as long as its group says; names the order. */
function serve(queue: FairQueue<Item>, msOf: (group: string) => number): Item[] {
  const served: Item[] = [];
  for (let item = queue.take(); item !== undefined; item = queue.take()) {
    served.push(item);
    queue.charge(item.group, msOf(item.group));
  }
  return served;
}

const items = (group: string, count: number, member = 'one'): Item[] =>
  Array.from({ length: count }, (_, number) => ({ group, member, number }));

describe('the fair queue', () => {
  test('gives a group of long items no more time than a group of short ones', () => {
    const queue = new FairQueue<Item>();
    for (const item of [...items('slow', 10), ...items('quick', 20)]) queue.add(item);
    const order = serve(queue, (group) => (group === 'slow' ? 4_000 : 1)).map(({ group }) => group);
    expect(order.slice(0, 21)).toEqual(['slow', ...Array.from({ length: 20 }, () => 'quick')]);
  });

  test('lets members of a group take turns', () => {
    const queue = new FairQueue<Item>();
    for (const item of [...items('g', 3, 'a'), ...items('g', 1, 'b')]) queue.add(item);
    expect(serve(queue, () => 1).map(({ member }) => member)).toEqual(['a', 'b', 'a', 'a']);
  });

  test('a group that comes back starts level: it saved nothing up', () => {
    const queue = new FairQueue<Item>();
    const [first, second] = items('idle', 2);
    queue.add(first!);
    queue.take();
    for (const item of items('busy', 100)) queue.add(item);
    for (let n = 0; n < 50; n += 1) queue.charge(queue.take()!.group, 10);
    for (const item of [second!, ...items('idle', 100)]) queue.add(item);
    const next = serve(queue, () => 10).slice(0, 40);
    const idle = next.filter(({ group }) => group === 'idle').length;
    expect(idle).toBeGreaterThanOrEqual(19);
    expect(idle).toBeLessThanOrEqual(21);
  });

  test('a group that left in debt still owes it when it comes back at once', () => {
    const queue = new FairQueue<Item>();
    for (const item of [...items('slow', 1), ...items('quick', 30)]) queue.add(item);
    expect(queue.take()?.group).toBe('slow');
    queue.charge('slow', 100);
    queue.add(items('slow', 1)[0]!);
    expect(serve(queue, () => 10).findIndex(({ group }) => group === 'slow')).toBeGreaterThanOrEqual(10);
  });

  test('serves everything once, and each member in its order', () => {
    const anItem = fc.record({
      group: fc.constantFrom('a', 'b', 'c'),
      member: fc.constantFrom('x', 'y'),
      ms: fc.nat(50),
    });
    fc.assert(
      fc.property(fc.array(anItem), (given) => {
        const queue = new FairQueue<Item>();
        const all = given.map(({ group, member }, number) => ({ group, member, number }));
        for (const item of all) queue.add(item);
        expect(queue.size).toBe(all.length);
        const served = serve(queue, (group) => given.find((one) => one.group === group)?.ms ?? 0);
        expect(queue.size).toBe(0);
        expect(new Set(served)).toEqual(new Set(all));
        for (const group of ['a', 'b', 'c']) {
          for (const member of ['x', 'y']) {
            const numbers = served.filter((one) => one.group === group && one.member === member);
            expect(numbers.map(({ number }) => number)).toEqual(
              numbers.map(({ number }) => number).sort((a, b) => a - b),
            );
          }
        }
      }),
    );
  });
});
