import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvLines } from '../../../src/reports/render/csv.js';
import { drawSample, drawStratified, usualSize } from '../../../src/reports/population/sample.js';

const ids = fc.uniqueArray(fc.uuid(), { maxLength: 120 });
const members = fc.uniqueArray(
  fc.record({ id: fc.uuid(), stratum: fc.constantFrom('release', 'delete', 'keep', '') }),
  { selector: ({ id }) => id, maxLength: 120 },
);

describe('the usual size of a sample', () => {
  it.each([
    [0, 0],
    [7, 7],
    [25, 25],
    [26, 25],
    [167, 26],
    [300, 45],
    [400, 60],
    [10_000, 60],
  ])('of %i is %i', (population, size) => {
    expect(usualSize(population)).toBe(size);
  });
});

describe('a sample', () => {
  it('is the same in whichever order its population comes, and repeated ids count once', () => {
    fc.assert(
      fc.property(ids, fc.string(), fc.nat(200), (population, seed, size) => {
        const drawn = drawSample(population, seed, size);
        expect(drawSample([...population.toReversed(), ...population], seed, size)).toEqual(drawn);
        expect(new Set(drawn).size).toBe(Math.min(size, population.length));
        expect(population).toEqual(expect.arrayContaining(drawn));
      }),
    );
  });

  it('holds the smaller one of the same seed', () => {
    fc.assert(
      fc.property(ids, fc.string(), fc.nat(60), fc.nat(60), (population, seed, size, more) => {
        const larger = drawSample(population, seed, size + more);
        expect(drawSample(population, seed, size)).toEqual(larger.slice(0, size));
      }),
    );
  });

  it('is another one for another seed', () => {
    const population = Array.from({ length: 500 }, (_, index) => `review-${index}`);
    expect(drawSample(population, 'one')).not.toEqual(drawSample(population, 'two'));
  });

  const hasPython = spawnSync('python3', ['--version']).status === 0;
  it.skipIf(!hasPython)('is drawn again from decisions.csv by the command in the documentation', async () => {
    const docs = readFileSync(new URL('../../../docs/auditing.md', import.meta.url), 'utf8');
    const [, command] = /```sh\n(python3 -c [^`]+)```/.exec(docs) ?? [];
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-sample-'));
    const population = Array.from({ length: 40 }, (_, index) => `review-${index}`);
    // Each twice, as with two votes, and with a reason that looks like rows.
    const rows = population.flatMap((id) =>
      [id, id].map((one) => ({ id: one, reason: 'a\r\nreview-99,"b"' })),
    );
    let csv = '';
    const columns = [
      { heading: 'review_id', value: (row: (typeof rows)[number]) => row.id },
      { heading: 'reason', value: (row: (typeof rows)[number]) => row.reason },
    ];
    for await (const line of csvLines(columns, rows, { bom: true })) csv += line;
    writeFileSync(join(folder, 'decisions.csv'), csv);
    const env = { ...process.env, SEED: 'the seed', SIZE: '9' };
    const said = execFileSync('sh', ['-c', command ?? 'false'], { cwd: folder, env, encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    expect(said.trim().split('\n')).toEqual(drawSample(population, 'the seed', 9));
  });
});

describe('a stratified sample', () => {
  it('has the size that was asked for, and somebody of each stratum where that suffices', () => {
    fc.assert(
      fc.property(members, fc.string(), fc.nat(150), (population, seed, size) => {
        const strata = drawStratified(population, seed, size);
        const wanted = Math.min(size, population.length);
        expect(strata.flatMap((one) => one.ids).length).toBe(wanted);
        if (wanted >= strata.length) for (const one of strata) expect(one.ids.length).toBeGreaterThan(0);
        for (const { stratum, ids: drawn, population: count } of strata) {
          const its = population.filter((one) => one.stratum === stratum).map(({ id }) => id);
          expect(count).toBe(its.length);
          expect(drawn).toEqual(drawSample(its, seed, drawn.length));
        }
      }),
    );
  });

  it('gives each stratum its share, within one', () => {
    const population = [
      ...Array.from({ length: 300 }, (_, index) => ({ id: `r${index}`, stratum: 'release' })),
      ...Array.from({ length: 97 }, (_, index) => ({ id: `d${index}`, stratum: 'delete' })),
      { id: 'k', stratum: 'keep' },
    ];
    const drawn = drawStratified(population, 'seed', 40).map((one) => [one.stratum, one.ids.length]);
    expect(drawn).toEqual([
      ['delete', 10],
      ['keep', 1],
      ['release', 29],
    ]);
  });
});
