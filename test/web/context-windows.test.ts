import { describe, expect, it } from 'vitest';
import { mergedWindows, type ContextWindow } from '../../web/src/review/context-windows.js';

const around = (finding: number, path = 'a.env'): ContextWindow => ({
  fingerprint: `f${finding}`,
  path,
  why: null,
  lines: [finding - 1, finding, finding + 1].map((number) => ({
    number,
    text: `line ${number}`,
    isFinding: number === finding,
  })),
});
const numbers = (windows: readonly ContextWindow[]) =>
  mergedWindows(windows).map(({ lines }) => lines.map(({ number }) => number));

describe('the windows around findings', () => {
  it('show each line once, and every finding in it, where they overlap', () => {
    const [merged, ...others] = mergedWindows([around(3), around(2)]);
    expect(others).toEqual([]);
    expect(merged?.lines.map(({ number, isFinding }) => [number, isFinding])).toEqual([
      [1, false],
      [2, true],
      [3, true],
      [4, false],
    ]);
  });

  it('stay apart where lines are left out between them, and in other files', () => {
    expect(numbers([around(2), around(6), around(2, 'b.env')])).toEqual([
      [1, 2, 3],
      [5, 6, 7],
      [1, 2, 3],
    ]);
  });

  it('become one when a third joins them', () => {
    expect(numbers([around(2), around(8), around(5)])).toEqual([[1, 2, 3, 4, 5, 6, 7, 8, 9]]);
  });

  it('keep one that says why nothing is shown', () => {
    const gone: ContextWindow = { fingerprint: 'f', path: 'a.env', lines: [], why: 'It is too large.' };
    expect(mergedWindows([gone, around(2), gone])).toEqual([gone, around(2), gone]);
  });
});
