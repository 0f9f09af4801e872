import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coverageOf } from '../../src/reports/arithmetic.js';
import { VERDICTS, type Verdict } from '../../src/verdicts/verdict.js';

const counts = fc.record(
  Object.fromEntries(VERDICTS.map((verdict) => [verdict, fc.nat(10_000)])),
) as fc.Arbitrary<Record<Verdict, number>>;

describe('coverage', () => {
  it('adds up exactly when every upload has one verdict', () => {
    fc.assert(
      fc.property(counts, fc.integer({ min: -5, max: 5 }), (byVerdict, lost) => {
        const total = Object.values(byVerdict).reduce((sum, count) => sum + count, 0);
        const coverage = coverageOf(total + lost, byVerdict);
        expect(coverage.addsUp).toBe(lost === 0);
        expect(coverage.gap).toBe(lost);
      }),
    );
  });

  it('counts what was looked at whole, and nothing else, as scanned', () => {
    const coverage = coverageOf(10, { clean: 3, infected: 1, secrets: 1, incomplete: 4, pending: 1 });
    expect(coverage.scannedShare).toBe(0.5);
  });

  it('calls an empty period covered', () => {
    expect(coverageOf(0, {})).toMatchObject({ addsUp: true, gap: 0, scannedShare: 1 });
  });
});
