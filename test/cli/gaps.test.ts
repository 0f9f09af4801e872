import { describe, expect, it } from 'vitest';
import { gapLines } from '../../src/cli/gaps.js';

const corrupt = { path: '', reason: 'corrupt', detail: 'gzip: it ends too early' };
const member = (n: number) => ({ path: `a.zip!${n}`, reason: 'encrypted' });

describe('what was not looked at', () => {
  it('is said once, however many scanners say it', () => {
    expect(gapLines([corrupt, member(1), corrupt, { ...corrupt, detail: undefined }])).toEqual([
      'not looked at  the object itself  corrupt  gzip: it ends too early',
      'not looked at  a.zip!1  encrypted',
      'not looked at  the object itself  corrupt',
    ]);
  });

  it('counts what is not shown without what is said twice', () => {
    const gaps = Array.from({ length: 25 }, (_, n) => member(n));
    expect(gapLines([...gaps, ...gaps])).toHaveLength(21);
    expect(gapLines([...gaps, ...gaps]).at(-1)).toBe('5 more were not looked at');
    expect(gapLines([corrupt, corrupt], 9).at(-1)).toBe('7 more were not looked at');
    expect(gapLines([])).toEqual([]);
  });
});
