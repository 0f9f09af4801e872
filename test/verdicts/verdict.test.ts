import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NotCovered, ScanReport } from '../../src/verdicts/ledger.js';
import { CLEAN_VERDICTS, judge, REQUIRED_ENGINES, type VerdictInput } from '../../src/verdicts/verdict.js';

const REASONS = [
  'encrypted',
  'limit',
  'unsupported',
  'timeout',
  'corrupt',
  'engine_missing',
  'database_unknown',
  'engine_error',
  'rule_disabled',
] as const;

const report = (kind: ScanReport['kind'], parts: Partial<ScanReport> = {}): ScanReport => ({
  kind,
  engines: [{ name: kind, version: '1' }],
  bytesScanned: 10,
  bytesTotal: 10,
  members: 1,
  notCovered: [],
  counts: { infected: 0, secrets: 0, suspicious: 0, lowConfidence: 0 },
  ...parts,
});
const gap = (reason: NotCovered['reason']): NotCovered => ({ path: '', reason });
const both = (secrets: Partial<ScanReport> = {}, malware: Partial<ScanReport> = {}): VerdictInput => ({
  required: ['secrets', 'malware'],
  reports: [report('secrets', secrets), report('malware', malware)],
});

const anyReport = fc.record({
  kind: fc.constantFrom('secrets' as const, 'malware' as const),
  bytesScanned: fc.nat(10),
  notCovered: fc.array(fc.constantFrom(...REASONS).map(gap), { maxLength: 3 }),
  counts: fc.record({
    infected: fc.nat(1),
    secrets: fc.nat(1),
    suspicious: fc.nat(1),
    lowConfidence: fc.nat(2),
  }),
});
const anyInput: fc.Arbitrary<VerdictInput> = fc.record({
  required: fc.subarray(['secrets', 'malware'] as const),
  reports: fc.array(
    anyReport.map(({ kind, ...parts }) => report(kind, parts)),
    { maxLength: 3 },
  ),
});

const isRequired = ({ required }: VerdictInput, kind: ScanReport['kind']) =>
  required.length === 0 || required.includes(kind);

describe('the verdict', () => {
  const counts = (parts: Partial<ScanReport['counts']>) => ({
    counts: { infected: 0, secrets: 0, suspicious: 0, lowConfidence: 0, ...parts },
  });
  const all = counts({ infected: 1, secrets: 1, suspicious: 1 });
  const table: readonly [string, VerdictInput, string, string, boolean][] = [
    ['nothing found, everything seen', both(), 'clean', '', false],
    ['weak findings only', both(counts({ lowConfidence: 3 })), 'clean', '', false],
    ['everything at once', both(all, { notCovered: REASONS.map(gap) }), 'infected', 'malware_found', false],
    [
      'secrets before suspicion',
      both(counts({ secrets: 1 }), counts({ suspicious: 1 })),
      'secrets',
      'secrets_found',
      false,
    ],
    [
      'suspicion before encryption',
      both({ notCovered: [gap('encrypted')] }, counts({ suspicious: 1 })),
      'suspicious',
      'suspicious_content',
      false,
    ],
    [
      'encryption before limits',
      both({ notCovered: [gap('limit'), gap('encrypted')] }),
      'encrypted',
      'encrypted_content',
      false,
    ],
    [
      'limits before the unsupported',
      both({ notCovered: [gap('unsupported'), gap('limit')] }),
      'incomplete',
      'limit_reached',
      false,
    ],
    [
      'the unsupported',
      both({ notCovered: [gap('unsupported')] }),
      'unsupported',
      'unsupported_content',
      false,
    ],
    [
      'no engine',
      both({}, { notCovered: [gap('engine_missing')] }),
      'incomplete',
      'malware_engine_missing',
      true,
    ],
    [
      'no known database',
      both({}, { notCovered: [gap('database_unknown')] }),
      'incomplete',
      'malware_database_unknown',
      true,
    ],
    [
      'no engine and a limit',
      both({ notCovered: [gap('limit')] }, { notCovered: [gap('engine_missing')] }),
      'incomplete',
      'limit_reached',
      false,
    ],
    [
      'no engine and encryption',
      both({ notCovered: [gap('encrypted')] }, { notCovered: [gap('engine_missing')] }),
      'encrypted',
      'encrypted_content',
      false,
    ],
    ['bytes that nobody read', both({ bytesScanned: 9 }), 'incomplete', 'bytes_not_scanned', false],
    [
      'no malware report',
      { required: ['secrets', 'malware'], reports: [report('secrets')] },
      'incomplete',
      'malware_scan_missing',
      false,
    ],
    [
      'no engine where its bucket asks for none',
      { ...both({}, { notCovered: [gap('engine_missing')] }), required: ['secrets'] },
      'clean (secrets)',
      '',
      false,
    ],
    [
      'a bad rule where its bucket asks for no rules',
      { ...both({ notCovered: [gap('rule_disabled')] }), required: ['malware'] },
      'clean (malware)',
      '',
      false,
    ],
    [
      'malware where its bucket asks for secrets alone',
      { ...both({}, counts({ infected: 1 })), required: ['secrets'] },
      'infected',
      'malware_found',
      false,
    ],
    [
      'a limit of what its bucket requires',
      { ...both({ notCovered: [gap('limit')] }), required: ['secrets'] },
      'incomplete',
      'limit_reached',
      false,
    ],
    [
      'a bucket that names no engine',
      { ...both({}, { notCovered: [gap('engine_missing')] }), required: [] },
      'incomplete',
      'malware_engine_missing',
      true,
    ],
    [
      'no report at all',
      { required: ['secrets', 'malware'], reports: [] },
      'incomplete',
      'secrets_scan_missing',
      false,
    ],
  ];
  it.each(table)('on %s', (_, input, verdict, reason, degradedOnly) => {
    expect(judge(input)).toEqual({ verdict, reason, degradedOnly });
  });

  it('is never clean once a gap is added to what is required, or bytes are taken away', () => {
    fc.assert(
      fc.property(
        anyInput,
        fc.nat(2),
        fc.constantFrom(...REASONS),
        fc.boolean(),
        (input, place, reason, takeBytes) => {
          const counting = input.reports.filter(({ kind }) => isRequired(input, kind));
          fc.pre(counting.length > 0);
          const chosen = counting[place % counting.length];
          const reports = input.reports.map((entry) => {
            if (entry !== chosen) return entry;
            return takeBytes
              ? { ...entry, bytesScanned: entry.bytesTotal - 1 }
              : { ...entry, notCovered: [...entry.notCovered, gap(reason)] };
          });
          expect(CLEAN_VERDICTS).not.toContain(judge({ ...input, reports }).verdict);
        },
      ),
    );
  });

  it('is never clean without every required engine', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const missing = REQUIRED_ENGINES.some(
          (kind) => isRequired(input, kind) && !input.reports.some((entry) => entry.kind === kind),
        );
        if (missing) expect(CLEAN_VERDICTS).not.toContain(judge(input).verdict);
      }),
    );
  });

  it('is the bare word only where both engines are required', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const { verdict } = judge(input);
        const isWhole = REQUIRED_ENGINES.every((kind) => isRequired(input, kind));
        if (verdict.startsWith('clean')) expect(verdict === 'clean').toBe(isWhole);
      }),
    );
  });

  it('only gets worse with another finding', () => {
    const RANK = ['infected', 'secrets', 'suspicious', 'encrypted', 'incomplete', 'unsupported'];
    const rankOf = (verdict: string) => (verdict.startsWith('clean') ? RANK.length : RANK.indexOf(verdict));
    fc.assert(
      fc.property(
        anyInput,
        fc.constantFrom('infected' as const, 'secrets' as const, 'suspicious' as const),
        (input, what) => {
          fc.pre(input.reports.length > 0);
          const [first, ...rest] = input.reports;
          if (first === undefined) return;
          const worse = { ...first, counts: { ...first.counts, [what]: 1 } };
          const before = rankOf(judge(input).verdict);
          const after = rankOf(judge({ ...input, reports: [worse, ...rest] }).verdict);
          expect(after).toBeLessThanOrEqual(Math.min(before, RANK.indexOf(what)));
        },
      ),
    );
  });

  it('does not depend on the order of the reports', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        expect(judge({ ...input, reports: input.reports.toReversed() })).toEqual(judge(input));
      }),
    );
  });
});
