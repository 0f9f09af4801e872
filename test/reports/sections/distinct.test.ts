import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COUNTED_EXACTLY, DistinctCount } from '../../../src/reports/sections/distinct.js';
import { firstOf } from '../../../src/reports/sections/findings.js';

const countOf = (texts: Iterable<string>): DistinctCount => {
  const count = new DistinctCount();
  for (const text of texts) count.add(text);
  return count;
};
const names = (many: number): string[] => Array.from({ length: many }, (_, number) => `name ${number}`);

describe('counting what is different', () => {
  it('is exact for few, however often each comes', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (texts) => {
        const count = countOf([...texts, ...texts]);
        expect(count.count).toBe(new Set(texts).size);
        expect(count.isEstimated).toBe(false);
      }),
    );
    const most = countOf(names(COUNTED_EXACTLY));
    expect([most.count, most.isEstimated]).toEqual([COUNTED_EXACTLY, false]);
  });

  it('is near for many, says so, and does not depend on their order', () => {
    const many = names(200_000);
    const count = countOf(many);
    expect(count.isEstimated).toBe(true);
    expect(Math.abs(count.count / many.length - 1)).toBeLessThan(0.03);
    expect(countOf(many.toReversed()).count).toBe(count.count);
  });

  it('keeps no more than it may', () => {
    const count = countOf(names(100_000));
    expect((count as unknown as { kept: Set<number> }).kept.size).toBeLessThanOrEqual(COUNTED_EXACTLY);
  });
});

describe('one look at objects with findings', () => {
  it('ends before the rows become too many, and has one object at least', () => {
    const object = (id: string, rows: number) => ({ id, rows });
    const ids = (...found: readonly { id: string; rows: number }[]) => firstOf(found).map(({ id }) => id);
    expect(ids(object('a', 10), object('b', 20))).toEqual(['a', 'b']);
    expect(ids(object('a', 1_000_000), object('b', 1))).toEqual(['a']);
    expect(ids(object('a', 15_000), object('b', 15_000), object('c', 1))).toEqual(['a']);
    expect(ids()).toEqual([]);
  });
});
