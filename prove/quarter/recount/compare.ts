import type { ReportData } from '../../../src/reports/data/report-data.js';
import { recountCoverage } from './coverage.js';
import { recountExceptions } from './exceptions.js';
import { recountFindings } from './findings.js';
import { recountDecisions, recountReviews } from './reviews.js';
import type { Tables, Week } from './tables.js';

type Counts = Readonly<Record<string, number>>;

/** Everything that the recount says of a week, section by section. */
export function recount(tables: Tables, week: Week) {
  return {
    coverage: recountCoverage(tables, week),
    findings: recountFindings(tables, week),
    reviews: recountReviews(tables, week),
    decisions: recountDecisions(tables, week),
    exceptions: recountExceptions(tables, week),
  };
}
export type Recount = ReturnType<typeof recount>;

/** How many numbers were held against each other, and those that differ. */
export interface Comparison {
  readonly compared: number;
  readonly problems: readonly string[];
}

/** Holds a report against the recount, number by number. What is 0 may be left out on either side. */
export function compareReport(report: ReportData, counted: Recount): Comparison {
  let compared = 0;
  const problems: string[] = [];
  const hold = (what: string, stated: Counts, recounted: Counts): void => {
    for (const name of new Set([...Object.keys(stated), ...Object.keys(recounted)])) {
      compared += 1;
      const [said, is] = [stated[name] ?? 0, recounted[name] ?? 0];
      if (said !== is)
        problems.push(`${report.period.label} ${what}.${name}: stated ${said}, recounted ${is}`);
    }
  };
  const { coverage, findings, people, decisions, controls, exceptions } = report;
  hold('coverage', numbersOf(coverage), numbersOf(counted.coverage, 'uploaded', 'bytes'));
  hold('coverage.copies', coverage.copies, counted.coverage.copies);
  hold('coverage.byVerdict', coverage.byVerdict, counted.coverage.byVerdict);
  hold('coverage.groups', coverage.groups, counted.coverage.groups);
  hold(
    'coverage.reasons',
    summed(coverage.reasons, (row) => `${row.verdict} ${row.reason}`),
    counted.coverage.reasons,
  );
  hold(
    'coverage.skippedBy',
    summed(coverage.skippedBy, ({ policy }) => policy),
    counted.coverage.skippedBy,
  );
  hold('coverage.pending', numbersOf(coverage.pending), counted.coverage.pending);
  hold('coverage.buckets', bucketsOf(coverage), counted.coverage.buckets);
  hold('findings.balance', numbersOf(findings.balance), counted.findings.balance);
  hold('findings.closedBy', findings.closedBy, counted.findings.closedBy);
  hold(
    'findings.open',
    summed(findings.open, (row) => `${row.severity} ${row.kind} ${row.bucket}`),
    counted.findings.open,
  );
  hold('people.balance', numbersOf(people.balance), counted.reviews.balance);
  hold(
    'people.ageing',
    summed(people.ageing, ({ toDays }) => String(toDays ?? 'older')),
    counted.reviews.ageing,
  );
  hold('people.sla', slaOf(people), counted.reviews.sla);
  hold('people.deeds', people.deeds, deedsOf(counted.reviews.deeds));
  hold('decisions', { total: decisions.total }, { total: counted.decisions.total });
  const { failed, noted } = counted.decisions;
  for (const { id, result, exceptions: rows } of controls.filter((one) => OF_DECISIONS.includes(one.id))) {
    const [fails, notes] = [failed[id] ?? 0, noted[id] ?? 0];
    hold('controls', { [id]: rows.total }, { [id]: fails + notes });
    compared += 1;
    const is = fails > 0 ? 'fail' : notes > 0 ? 'note' : 'pass';
    if (result !== is)
      problems.push(`${report.period.label} controls.${id}: stated ${result}, recounted ${is}`);
  }
  hold('exceptions', numbersOf(exceptions), counted.exceptions);
  compared += 1;
  const oldest = people.oldest.map(({ reviewId }) => reviewId).join();
  if (oldest !== counted.reviews.oldest.join()) problems.push(`${report.period.label} people.oldest differs`);
  return { compared, problems };
}

/** The numbers that something has itself; of these names alone where some are given. */
function numbersOf(of: object, ...names: readonly string[]): Counts {
  const numbers = Object.entries(of).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number',
  );
  return Object.fromEntries(
    numbers.filter(([name]) => (names.length === 0 ? !DERIVED.has(name) : names.includes(name))),
  );
}
/** Sums of what is compared beside it. */
const DERIVED: ReadonlySet<string> = new Set(['accountedFor', 'gap']);

function summed<Row extends { readonly count: number }>(
  rows: readonly Row[],
  nameOf: (row: Row) => string,
): Counts {
  const sums: Record<string, number> = {};
  for (const row of rows) sums[nameOf(row)] = (sums[nameOf(row)] ?? 0) + row.count;
  return sums;
}

function bucketsOf({ buckets }: ReportData['coverage']): Counts {
  const counts: Record<string, number> = {};
  for (const { bucket, endpointId: _, bytes: __, ...numbers } of buckets)
    for (const [name, value] of Object.entries(numbers)) counts[`${bucket} ${name}`] = value;
  return counts;
}

const slaOf = ({ sla }: ReportData['people']): Counts => ({
  met: sla.reduce((sum, { met }) => sum + met, 0),
  breached: sla.reduce((sum, { breached }) => sum + breached, 0),
});

/** Lines of the timelines, as the report calls what they tell of. */
const deedsOf = (events: Counts): Counts => ({
  escalated: events['escalated'] ?? 0,
  reassigned: (events['reassigned'] ?? 0) + (events['delegated'] ?? 0),
  expired: events['expired'] ?? 0,
  autoDecided: events['auto'] ?? 0,
  reminded: events['reminded'] ?? 0,
  askedBack: events['asked'] ?? 0,
  overridden: events['override'] ?? 0,
});

const OF_DECISIONS = [
  'self_approval',
  'below_quorum',
  'after_expiry',
  'not_in_group',
  'admin_override',
  'without_reason',
  'automatic_decision',
];

/** What a report states that later facts can change, by the names that it has for it. */
export function figuresOf({ coverage, findings, reviews }: Recount): Counts {
  const named = (section: string, counts: Counts): [string, number][] =>
    Object.entries(counts).map(([name, value]) => [`${section}.${name}`, value]);
  return Object.fromEntries([
    ['coverage.uploaded', coverage.uploaded],
    ...named('coverage', coverage.groups),
    ...named('findings', findings.balance),
    ...named('reviews', reviews.balance),
  ]);
}
