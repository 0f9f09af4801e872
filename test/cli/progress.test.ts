import { describe, expect, test } from 'vitest';
import { Progress, progressLine } from '../../src/cli/progress.js';

function shown(columns: number | undefined) {
  const notes: string[] = [];
  const drawn: string[] = [];
  let at = 0;
  const terminal =
    columns === undefined ? undefined : { write: (t: string) => drawn.push(t), columns: () => columns };
  const output = {
    out: () => undefined,
    note: (line: string) => void notes.push(line),
    style: { colour: false },
    ...(terminal !== undefined && { terminal }),
  };
  return { notes, drawn, output, now: () => at, pass: (ms: number) => void (at += ms) };
}

describe('the line of long work', () => {
  test('has a bar, the counts, the time and what is left of it', () => {
    expect(progressLine({ done: 250, total: 1000, detail: 'RUNNING' }, 'objects', 12_000)).toBe(
      `${'█'.repeat(7)}${'░'.repeat(21)} 25 %  250 of 1000 objects  12.0 s, about 36.0 s to go  RUNNING`,
    );
  });

  test('says 100 % only when all is done', () => {
    expect(progressLine({ done: 9_999, total: 10_000 }, 'objects', 1)).toContain(' 99 %');
    expect(progressLine({ done: 10_000, total: 10_000 }, 'objects', 1)).toContain(' 100 %');
    expect(progressLine({ done: 12, total: 10 }, 'objects', 1)).toContain(' 100 %');
  });

  test('without a total has the count alone', () => {
    expect(progressLine({ done: 3 }, 'objects', 1_000)).toBe('3 objects  1.0 s');
    expect(progressLine({ done: 0, total: 0 }, 'objects', 1_000)).toBe('0 objects  1.0 s');
  });

  test('is drawn over itself on a terminal, within its width, and is gone at the end', () => {
    const { notes, drawn, output, now, pass } = shown(40);
    const progress = new Progress('objects', output, now);
    progress.show({ done: 1, total: 2 });
    progress.show({ done: 1, total: 2 });
    pass(100);
    progress.show({ done: 2, total: 2 });
    progress.end();
    expect(drawn).toHaveLength(3);
    for (const text of drawn) expect(text.startsWith('\r\u001b[2K')).toBe(true);
    expect(Array.from(drawn[0] ?? '').length - 5).toBeLessThan(40);
    expect(drawn.at(-1)).toBe('\r\u001b[2K');
    expect(notes).toEqual([]);
  });

  test('is a plain line every five seconds where nobody looks on', () => {
    const { notes, output, now, pass } = shown(undefined);
    const progress = new Progress('objects', output, now);
    for (let step = 0; step <= 100; step += 1) {
      progress.show({ done: step, total: 100 });
      pass(100);
    }
    progress.end();
    expect(notes.map((line) => / (\d+ %)/.exec(line)?.[1])).toEqual(['0 %', '50 %', '100 %']);
  });

  test('ends with how far it came where nobody looks on, and says nothing twice', () => {
    const { notes, output, now, pass } = shown(undefined);
    const progress = new Progress('verdicts', output, now);
    progress.show({ done: 0, total: 3 });
    pass(1_000);
    progress.show({ done: 3, total: 3 });
    progress.show({ done: 3, total: 3 });
    progress.end();
    progress.end();
    expect(notes.map((line) => / (\d+ %)/.exec(line)?.[1])).toEqual(['0 %', '100 %']);
  });

  test('is nothing where a program reads', () => {
    new Progress('objects', undefined, () => 0).show({ done: 1 });
  });
});
