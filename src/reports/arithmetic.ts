import type { Copies } from '../verdicts/verdicts.queries.js';
import { VERDICTS, type Verdict } from '../verdicts/verdict.js';

/** What an auditor asks of a verdict. */
export type VerdictGroup = 'clean' | 'found' | 'notWhole' | 'notScanned' | 'pending';

/** Uploads of a period and what became of them; `gap` is 0 when every upload is accounted for. */
export interface Sums {
  /** Counted from what intake accepted, not from the verdicts. */
  readonly uploaded: number;
  /** Copies that a release wrote: no uploads, and in neither side's count of them. */
  readonly copies: Copies;
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

const GROUPS: Readonly<Record<Verdict, VerdictGroup>> = {
  pending: 'pending',
  clean: 'clean',
  'clean (secrets)': 'clean',
  'clean (malware)': 'clean',
  infected: 'found',
  secrets: 'found',
  suspicious: 'found',
  encrypted: 'notWhole',
  incomplete: 'notWhole',
  unsupported: 'notWhole',
  archived: 'notWhole',
  denied: 'notWhole',
  failed: 'notWhole',
  gone: 'notScanned',
  superseded: 'notScanned',
  skipped: 'notScanned',
};

export const groupOf = (verdict: Verdict): VerdictGroup => GROUPS[verdict];

/** uploaded + copies = sum of the verdicts + copies, checked from two independent counts. */
export function coverageOf(
  uploaded: number,
  counts: Readonly<Partial<Record<Verdict, number>>>,
  copies: Copies = { opened: 0, accountedFor: 0 },
): Sums {
  const byVerdict = Object.fromEntries(VERDICTS.map((verdict) => [verdict, counts[verdict] ?? 0])) as Record<
    Verdict,
    number
  >;
  const accountedFor = VERDICTS.reduce((total, verdict) => total + byVerdict[verdict], 0);
  const gap = uploaded + copies.opened - accountedFor - copies.accountedFor;
  const groups = { clean: 0, found: 0, notWhole: 0, notScanned: 0, pending: 0 };
  for (const verdict of VERDICTS) groups[groupOf(verdict)] += byVerdict[verdict];
  return { uploaded, copies, byVerdict, accountedFor, gap, addsUp: gap === 0, groups };
}

/** `2 uploaded + 1 copy written by a release = 2 clean + 1 copy written by a release`; of copies only where there are some. */
export function equationOf({
  uploaded,
  copies,
  byVerdict,
}: Pick<Sums, 'uploaded' | 'copies' | 'byVerdict'>): string {
  const sums = VERDICTS.filter((verdict) => byVerdict[verdict] > 0).map(
    (verdict) => `${byVerdict[verdict]} ${verdict}`,
  );
  const hasCopies = copies.opened > 0 || copies.accountedFor > 0;
  const left = [`${uploaded} uploaded`, ...(hasCopies ? [copiesText(copies.opened)] : [])];
  const right = [...sums, ...(hasCopies ? [copiesText(copies.accountedFor)] : [])];
  return `${left.join(' + ')} = ${right.join(' + ') || '0'}`;
}

const copiesText = (count: number): string =>
  count === 1 ? '1 copy written by a release' : `${count} copies written by a release`;
