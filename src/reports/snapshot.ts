import type { Instant } from '../clock.js';
import type { Queryable } from '../database/queryable.js';
import { VERSION } from '../ops/version.js';
import type { ReportData, ReportKind } from './data/report-data.js';
import { MAPPINGS } from './mapping.js';
import { readChanges } from './sections/changes.js';
import { controlsOf } from './sections/controls.js';
import { readCoverage } from './sections/coverage.js';
import { readDecisions } from './sections/decisions.js';
import { readExceptions } from './sections/exceptions.js';
import {
  type Figures,
  countedAnew,
  figuresOf,
  restatedOf,
  statedReports,
  trendBefore,
  trendOf,
} from './sections/figures.js';
import { tallyFindings } from './sections/findings.js';
import { readHealth } from './sections/health.js';
import { readPeople } from './sections/people.js';
import { readPrevious } from './sections/previous.js';
import { readProcess } from './sections/process.js';
import { readScanning } from './sections/scanning.js';
import { iso, type Asked } from './sections/section.js';

/** What a report is to tell of. */
export interface SnapshotOf {
  readonly reportId: string;
  readonly kind: ReportKind;
  readonly label: string;
  readonly from: Instant;
  readonly to: Instant;
  readonly timeZone: string;
  readonly organisation: string;
  /** The clock's: it restates what the ones before said. */
  readonly scheduled: boolean;
  readonly now: Instant;
}

export interface Snapshot {
  readonly data: ReportData;
  readonly figures: Figures;
}

/** Everything that a report says, by one state of the database: the caller's transaction is REPEATABLE READ. */
export async function takeSnapshot(tx: Queryable, of: SnapshotOf): Promise<Snapshot> {
  const asked: Asked = { tx, from: of.from, to: Math.min(of.to, of.now) };
  const stated = of.scheduled ? await statedReports(tx, of.kind, of.from) : [];
  // All periods in one look at what was ever found.
  const [tally, ...earlier] = await tallyFindings(tx, [asked, ...stated]);
  if (tally === undefined) throw new Error('findings were not tallied');
  const again: Figures[] = [];
  for (const [index, one] of earlier.entries()) {
    const span = stated[index];
    if (span !== undefined) again.push(await countedAnew(tx, span, one));
  }
  const coverage = await readCoverage(asked, of.reportId);
  const people = await readPeople(asked);
  const figures = figuresOf({ coverage, findings: tally.balance, reviews: people.balance });
  const scanning = await readScanning(asked);
  const decisions = await readDecisions(asked, of.reportId);
  const health = await readHealth(asked);
  const previous = await readPrevious(asked, of.kind);
  const trend = [...(await trendBefore(tx, of.from)), trendOf(of.label, figures)];
  const data: ReportData = {
    schema: 'sallyport.report/2',
    reportId: of.reportId,
    kind: of.kind,
    organisation: of.organisation,
    scope: await scope(asked),
    period: {
      label: of.label,
      from: iso(of.from),
      to: iso(of.to),
      timeZone: of.timeZone,
      complete: of.to <= of.now,
    },
    asOf: iso(asked.to),
    software: VERSION,
    coverage,
    scanning,
    findings: tally.findings(trend),
    people,
    decisions: decisions.register,
    controls: controlsOf({ decisions, coverage, scanning, health, previous }),
    exceptions: await readExceptions(asked),
    changes: await readChanges(asked),
    health,
    process: await readProcess(asked),
    previous,
    restated: restatedOf(stated, again),
    mapping: [...MAPPINGS],
  };
  return { data, figures };
}

async function scope({ tx, to }: Asked): Promise<ReportData['scope']> {
  const buckets = await tx.query<ReportData['scope']['buckets'][number]>(
    `SELECT endpoint_id AS "endpointId", name AS bucket FROM bucket
      WHERE created_at < $1 AND (removed_at IS NULL OR removed_at >= $1) ORDER BY name, endpoint_id`,
    [to],
  );
  const queues = await tx.query<{ queue: string }>(
    'SELECT DISTINCT queue FROM review WHERE created_at < $1 ORDER BY queue LIMIT 1000',
    [to],
  );
  return { buckets, queues: queues.map(({ queue }) => queue) };
}
