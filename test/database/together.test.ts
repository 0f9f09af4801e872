import { describe, expect, it } from 'vitest';
import { Together } from '../../src/database/together.js';

const double =
  (batches: number[][], refuse: (items: readonly number[]) => unknown = () => undefined) =>
  async (items: readonly number[]): Promise<readonly number[]> => {
    batches.push([...items]);
    await new Promise((resolve) => setImmediate(resolve));
    const error = refuse(items);
    if (error !== undefined) throw error;
    return items.map((item) => item * 2);
  };

describe('things that are asked for at the same time', () => {
  it('go together, and each gets its own result', async () => {
    const batches: number[][] = [];
    const together = new Together(double(batches));
    expect(await Promise.all([1, 2, 3].map((item) => together.do(item)))).toEqual([2, 4, 6]);
    expect(batches).toEqual([[1, 2, 3]]);
  });

  it('gather while a batch is on its way', async () => {
    const batches: number[][] = [];
    const run = double(batches);
    const later: Promise<number>[] = [];
    const together: Together<number, number> = new Together(async (items) => {
      if (batches.length === 0) later.push(together.do(2), together.do(3));
      return run(items);
    });
    expect(await together.do(1)).toBe(2);
    expect(await Promise.all(later)).toEqual([4, 6]);
    expect(batches).toEqual([[1], [2, 3]]);
  });

  it('come in batches of what fits, and one that fits nowhere comes alone', async () => {
    const batches: number[][] = [];
    const together = new Together(double(batches), { most: 5, sizeOf: (item) => item });
    await Promise.all([3, 2, 9, 1].map((item) => together.do(item)));
    expect(batches).toEqual([[3, 2], [9], [1]]);
  });

  it('come one after another when they are about the same', async () => {
    const batches: number[][] = [];
    const together = new Together(double(batches), { keyOf: (item) => String(item % 10) });
    await Promise.all([1, 11, 2, 21].map((item) => together.do(item)));
    expect(batches).toEqual([[1, 2], [11], [21]]);
  });

  it('are done alone when their batch failed, so that only the culprit fails', async () => {
    const batches: number[][] = [];
    const together = new Together(
      double(batches, (items) => (items.includes(2) ? new Error('not two') : undefined)),
    );
    const results = await Promise.allSettled([1, 2, 3].map((item) => together.do(item)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(batches).toEqual([[1, 2, 3], [1], [2], [3]]);
  });

  it('all fail at once when the database is away', async () => {
    const batches: number[][] = [];
    const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const together = new Together(double(batches, () => away));
    const results = await Promise.allSettled([1, 2].map((item) => together.do(item)));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(batches).toEqual([[1, 2]]);
  });

  it('are tried again when they met somebody in a deadlock, but not for ever', async () => {
    const batches: number[][] = [];
    const deadlock = Object.assign(new Error('deadlock detected'), { code: '40P01' });
    const passing = new Together(double(batches, () => (batches.length < 3 ? deadlock : undefined)));
    expect(await passing.do(4)).toBe(8);
    expect(batches).toHaveLength(3);
    await expect(new Together(double(batches, () => deadlock)).do(1)).rejects.toBe(deadlock);
    expect(batches.length).toBeLessThan(12);
  });

  it('are refused when results and items do not match', async () => {
    const together = new Together<number, number>(async () => []);
    await expect(together.do(1)).rejects.toThrow('0 came back');
  });
});
