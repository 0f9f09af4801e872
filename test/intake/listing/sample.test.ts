import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { NOTHING_FOUND } from '../../../src/intake/listing/estimate.js';
import { extrapolate } from '../../../src/intake/listing/sample.js';
import { compareKeys } from '../../../src/s3/key-order.js';

const PAGE = 1000;

/** Estimates a listing of these keys, of which the first page is known. @returns estimate and requests. */
async function estimated(keys: readonly string[], prefix = '', samples = 80) {
  const sorted = [...keys].sort();
  let looks = 0;
  const rest = await extrapolate({
    prefix,
    after: sorted[PAGE - 1] ?? '',
    samples,
    look: async (after) => {
      looks += 1;
      let from = 0;
      let to = sorted.length;
      while (from < to) {
        const middle = (from + to) >> 1;
        if (compareKeys(sorted[middle] ?? '', after) <= 0) from = middle + 1;
        else to = middle;
      }
      const page = sorted.slice(from, from + PAGE);
      const found = { ...NOTHING_FOUND, entries: page.length, objects: page.length, bytes: page.length * 7 };
      const some = page.filter((_, i) => i % 50 === 0 || i === page.length - 1);
      return { entries: page.length, keys: some, isLast: from + PAGE >= sorted.length, found };
    },
  });
  return { objects: PAGE + rest.found.objects, bytes: rest.found.bytes, seen: rest.seen, looks };
}

const many = (count: number, key: (i: number) => string) => Array.from({ length: count }, (_, i) => key(i));
const hash = (i: number) => createHash('md5').update(String(i)).digest('hex');
const two = (n: number) => String(n).padStart(2, '0');
const day = (i: number) => new Date(Date.UTC(2020, 0, 1) + i * 3_600_000 * 0.3).toISOString();

describe('a bucket that is too large to be listed is estimated by samples', () => {
  it.each<[string, readonly string[]]>([
    ['numbered keys', many(200_000, (i) => `scan-${String(i).padStart(9, '0')}.pdf`)],
    ['hashed keys', many(200_000, (i) => `${hash(i)}.bin`)],
    [
      'a few folders of very different size',
      [
        ...many(3_000, (i) => `archive/${i}`),
        ...many(150_000, (i) => `logs/${hash(i)}`),
        ...many(20_000, (i) => `tmp/${hash(i)}/x`),
        ...many(400, (i) => `zz/${i}`),
      ],
    ],
    ['keys by date', many(150_000, (i) => `in/${day(i).replaceAll('-', '/')}`)],
    ['keys by tenant and number', many(160_000, (i) => `tenant-${two(i % 40)}/${i}`)],
  ])('%s', async (_, keys) => {
    const { objects, looks, seen } = await estimated(keys);
    expect(looks).toBeLessThanOrEqual(80);
    expect(seen).toBeLessThan(keys.length);
    // A rough figure, and said to be one.
    expect(objects / keys.length).toBeGreaterThan(1 / 3);
    expect(objects / keys.length).toBeLessThan(3);
  });

  it('and one that has hardly more than was seen is told exactly', async () => {
    expect((await estimated(many(1_400, (i) => `k${String(i).padStart(5, '0')}`))).objects).toBe(1_400);
  });

  it('and strange keys do not stop it', async () => {
    const keys = many(30_000, (i) => `\u00e9${String.fromCodePoint(0xe000 + (i % 500))}${i}\n%`);
    const { objects } = await estimated(keys);
    expect(objects).toBeGreaterThanOrEqual(1_000);
    expect(Number.isFinite(objects)).toBe(true);
  });
});
