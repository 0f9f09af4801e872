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

  it('says only of clean uploads that they were looked at whole, and its groups add up', () => {
    fc.assert(
      fc.property(counts, (byVerdict) => {
        const { groups, accountedFor } = coverageOf(0, byVerdict);
        expect(groups.clean).toBe(
          byVerdict.clean + byVerdict['clean (secrets)'] + byVerdict['clean (malware)'],
        );
        const total = groups.clean + groups.found + groups.notWhole + groups.notScanned + groups.pending;
        expect(total).toBe(accountedFor);
      }),
    );
  });

  it('adds up for an empty period', () => {
    expect(coverageOf(0, {})).toMatchObject({ addsUp: true, gap: 0, accountedFor: 0 });
  });
});
