import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Hits, Prefilter } from '../../../../../src/tasks/scan/secrets/engine/prefilter.js';

const letters = fc.string({
  unit: fc.constantFrom('a', 'b', 'A', 'B', '-', 'ÿ'),
  minLength: 1,
  maxLength: 6,
});

function naive(literals: readonly string[], text: string): Set<string> {
  const found = new Set<string>();
  const lower = (value: string): string => value.replace(/[A-Z]/g, (char) => char.toLowerCase());
  literals.forEach((literal, index) => {
    for (let at = 0; (at = lower(text).indexOf(lower(literal), at)) >= 0; at++)
      found.add(`${index}@${at + literal.length}`);
  });
  return found;
}

test('every place where a literal ends is hit, in any case, also across pieces', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(letters, { maxLength: 8 }),
      fc.array(letters, { maxLength: 20 }),
      (literals, pieces) => {
        const prefilter = new Prefilter(literals);
        const found = new Set<string>();
        let state: number = Prefilter.start;
        let before = 0;
        for (const piece of pieces) {
          const hits = new Hits();
          const bytes = Buffer.from(piece, 'latin1');
          state = prefilter.run(bytes, 0, bytes.length, state, hits);
          for (let i = 0; i < hits.length; i++)
            for (const literal of prefilter.endings(hits.states[i]!))
              found.add(`${literal}@${before + hits.positions[i]!}`);
          before += bytes.length;
        }
        expect(found).toEqual(naive(literals, pieces.join('')));
      },
    ),
  );
});

test('a long text, which is run over in stretches side by side, has the same hits in ascending order', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(letters, { minLength: 1, maxLength: 8 }),
      fc.array(fc.oneof(letters, fc.constant('c'.repeat(300))), { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 4_000, max: 12_000 }),
      (literals, pieces, length) => {
        const text = pieces.join('').padEnd(length, pieces.join(' ')).slice(0, length);
        const hits = new Hits();
        new Prefilter(literals).run(Buffer.from(text, 'latin1'), 0, length, Prefilter.start, hits);
        const positions = [...hits.positions.subarray(0, hits.length)];
        expect(positions).toEqual(positions.toSorted((a, b) => a - b));
        const prefilter = new Prefilter(literals);
        const found = positions.flatMap((position, i) =>
          prefilter.endings(hits.states[i]!).map((literal) => `${literal}@${position}`),
        );
        expect(new Set(found)).toEqual(naive(literals, text));
      },
    ),
    { numRuns: 60 },
  );
});

test('more hits than there was room for are all kept', () => {
  const hits = new Hits();
  const bytes = Buffer.alloc(5_000, 'a');
  new Prefilter(['a']).run(bytes, 0, bytes.length, Prefilter.start, hits);
  expect(hits.length).toBe(5_000);
  expect(hits.positions[4_999]).toBe(5_000);
});
