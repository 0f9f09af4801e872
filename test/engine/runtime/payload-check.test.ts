import { describe, expect, test } from 'vitest';
import { checkPayload, payloadProblems } from '../../../src/engine/runtime/payload-check.js';

const nested = (depth: number): object => (depth === 0 ? {} : { a: nested(depth - 1) });

describe('what a payload may not hold', () => {
  test('is told by its path, through lists and objects', () => {
    const value = { list: [1, { text: 'a\u0000' }, [Number.NaN]], ok: 'fine', '\ud800': 1, after: '\udc00' };
    expect(payloadProblems(value, 'input')).toEqual([
      { path: 'input.list.1.text', message: 'must not contain NUL or lone surrogates' },
      { path: 'input.list.2.0', message: 'is not a finite number' },
      { path: 'input', message: 'has a key with NUL or lone surrogates' },
      { path: 'input.after', message: 'must not contain NUL or lone surrogates' },
    ]);
  });

  test('is depth beyond 64 levels, and no less', () => {
    expect(payloadProblems(nested(63) as never, 'input')).toEqual([]);
    expect(payloadProblems(nested(64) as never, 'input')).toMatchObject([
      { path: `input${'.a'.repeat(64)}`, message: 'is nested deeper than 64 levels' },
    ]);
  });

  test('is told twenty times at most', () => {
    expect(
      payloadProblems(
        Array.from({ length: 100 }, () => Infinity),
        'input',
      ),
    ).toHaveLength(20);
  });

  test('is found in a list of millions without a copy of it', () => {
    const list = Array.from({ length: 4_000_000 }, () => 0);
    const before = process.memoryUsage().heapUsed;
    checkPayload(list, 'input', 16 * 1024 * 1024);
    // As pairs of index and value they would take some 400 MB.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024);
  });
});
