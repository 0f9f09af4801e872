import { CLEAN_VERDICTS, VERDICTS, type Verdict } from '../verdicts/verdict.js';

/** Uploads of a period and what became of them; `gap` is 0 when every upload is accounted for. */
export interface Coverage {
  /** Counted from what intake accepted, not from the verdicts. */
  readonly uploaded: number;
  readonly byVerdict: Readonly<Record<Verdict, number>>;
  readonly accountedFor: number;
  readonly gap: number;
  readonly addsUp: boolean;
  /** The same uploads by what an auditor asks: the groups add up to `accountedFor`. */
  readonly groups: {
    /** Looked at whole by what their buckets require, nothing found. The only group of which that can be said. */
    readonly clean: number;
    /** Something was found; the rest of such an object may not have been looked at. */
    readonly found: number;
    /** Not looked at whole, each with its reason. */
    readonly notWhole: number;
    /** Nothing left to look at, or a policy said so. */
    readonly notScanned: number;
    readonly pending: number;
  };
}

const FOUND: readonly Verdict[] = ['infected', 'secrets', 'suspicious'];
const NOT_WHOLE: readonly Verdict[] = [
  'encrypted',
  'incomplete',
  'unsupported',
  'archived',
  'denied',
  'failed',
];
const NOT_SCANNED: readonly Verdict[] = ['gone', 'superseded', 'skipped'];

/** uploaded = sum of the verdicts, checked from two independent counts. */
export function coverageOf(uploaded: number, counts: Readonly<Partial<Record<Verdict, number>>>): Coverage {
  const byVerdict = Object.fromEntries(VERDICTS.map((verdict) => [verdict, counts[verdict] ?? 0])) as Record<
    Verdict,
    number
  >;
  const sum = (verdicts: readonly Verdict[]): number =>
    verdicts.reduce((total, verdict) => total + byVerdict[verdict], 0);
  const accountedFor = sum(VERDICTS);
  const gap = uploaded - accountedFor;
  const groups = {
    clean: sum(CLEAN_VERDICTS),
    found: sum(FOUND),
    notWhole: sum(NOT_WHOLE),
    notScanned: sum(NOT_SCANNED),
    pending: byVerdict.pending,
  };
  return { uploaded, byVerdict, accountedFor, gap, addsUp: gap === 0, groups };
}
