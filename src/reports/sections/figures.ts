import type { Queryable } from '../../database/queryable.js';
import { coverage } from '../../verdicts/verdicts.queries.js';
import { coverageOf, type Sums } from '../arithmetic.js';
import type { Findings } from '../data/findings.js';
import type { People } from '../data/people.js';
import type { Restated } from '../data/record.js';
import type { FindingTally, Span } from './findings.js';
import { readBalance } from './people.js';

/** What a report states of its period in numbers, by name: what later facts may change, and the next report then restates. */
export type Figures = Readonly<Record<string, number>>;

/** An earlier report as it was published, and as the reports after it restated it. */
export interface StatedReport extends Span {
  readonly reportId: string;
  readonly label: string;
  readonly figures: Figures;
}

/** So many reports before are counted anew. */
const LOOKED_AT = 5;
const WEEKS_OF_TREND = 12;

/** The parts of a report that its figures are taken from. */
export interface Balances {
  readonly coverage: Pick<Sums, 'uploaded' | 'gap' | 'groups'>;
  readonly findings: FindingTally['balance'];
  readonly reviews: Omit<People['balance'], 'addsUp'>;
}

export function figuresOf({ coverage: { uploaded, gap, groups }, findings, reviews }: Balances): Figures {
  const { opening, created, decided, ended, closing } = reviews;
  return {
    ...named('coverage', { uploaded, gap, ...groups }),
    ...named('findings', findings),
    ...named('reviews', { opening, created, decided, ended, closing }),
  };
}

/** The figures of an earlier period, counted anew by the same state of the database. */
export async function countedAnew(tx: Queryable, { from, to }: Span, tally: FindingTally): Promise<Figures> {
  const { uploaded, verdicts, copies } = await coverage(tx, from, to);
  return figuresOf({
    coverage: coverageOf(uploaded, verdicts, copies),
    findings: tally.balance,
    reviews: await readBalance({ tx, from, to }),
  });
}

const named = (section: string, counts: Readonly<Record<string, number>>): Figures =>
  Object.fromEntries(Object.entries(counts).map(([name, count]) => [`${section}.${name}`, count]));

interface PastRow {
  readonly id: string;
  readonly label: string;
  readonly from: number;
  readonly to: number;
  readonly figures: Figures;
  readonly restated: readonly Restated[];
}

/** The reports of a kind that the clock had made of periods up to a moment, the newest first. */
const pastReports = (tx: Queryable, kind: string, until: number, limit: number): Promise<PastRow[]> =>
  tx.query<PastRow>(
    `SELECT id, label, period_from::float8 AS from, period_to::float8 AS to, figures, coalesce(restated, '[]') AS restated
       FROM report WHERE scheduled AND kind = $1 AND period_to <= $2 AND figures IS NOT NULL
      ORDER BY period_to DESC LIMIT $3`,
    [kind, until, limit],
  );

/** What the last reports of this kind stated, with what was restated since: the newest first. */
export async function statedReports(tx: Queryable, kind: string, until: number): Promise<StatedReport[]> {
  const rows = await pastReports(tx, kind, until, LOOKED_AT);
  const later = new Map<string, Record<string, number>>();
  // From the oldest on: what was said last holds.
  for (const { restated } of rows.toReversed())
    for (const { reportId, figure, now } of restated)
      later.set(reportId, { ...later.get(reportId), [figure]: now });
  return rows.map(({ id, label, from, to, figures }) => ({
    reportId: id,
    label,
    from,
    to,
    figures: { ...figures, ...later.get(id) },
  }));
}

/** Which figures later facts changed, the oldest report first. @param now of the same reports, in their order. */
export const restatedOf = (stated: readonly StatedReport[], now: readonly Figures[]): Restated[] =>
  stated
    .map(({ reportId, label, figures }, index) =>
      Object.entries(now[index] ?? {})
        .filter(([figure, value]) => figures[figure] !== undefined && figures[figure] !== value)
        .map(([figure, value]) => ({ reportId, label, figure, stated: figures[figure] ?? 0, now: value })),
    )
    .toReversed()
    .flat();

/** The weeks before a moment, as their reports said, the oldest first. */
export async function trendBefore(tx: Queryable, until: number): Promise<Findings['trend']> {
  const rows = await pastReports(tx, 'weekly', until, WEEKS_OF_TREND - 1);
  return rows.toReversed().map(({ label, figures }) => trendOf(label, figures));
}

export const trendOf = (label: string, figures: Figures): Findings['trend'][number] => ({
  label,
  new: (figures['findings.new'] ?? 0) + (figures['findings.reopened'] ?? 0),
  closed: figures['findings.closed'] ?? 0,
  open: figures['findings.closing'] ?? 0,
});
