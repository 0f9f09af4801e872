import type { ReportData } from '../../data/report-data.js';
import { trendChart } from '../charts/charts.js';
import type { Block, Line } from '../document.js';
import { findingsEquation } from '../equation.js';
import { counted, percent, whole } from '../words.js';

/** What was found, and what became of it. */
export function findingsBlocks(data: ReportData): Block[] {
  const { findings } = data;
  const { closedBy, dedup } = findings;
  const trend: Block[] =
    findings.trend.length === 0
      ? []
      : [
          { kind: 'chart', title: 'Findings week by week', drawing: trendChart(findings.trend) },
          {
            kind: 'table',
            caption: 'Findings of each report, the oldest first, as it said them',
            columns: [
              { heading: 'Period', width: 2 },
              { heading: 'New', isNumber: true },
              { heading: 'Closed', isNumber: true },
              { heading: 'Open at the end', isNumber: true },
            ],
            rows: findings.trend.map((week) => [week.label, week.new, week.closed, week.open]),
            empty: 'None.',
          },
        ];
  return [
    { kind: 'equation', equation: findingsEquation(data) },
    {
      kind: 'text',
      text: `A finding is one secret or threat in one version of an object, however often it stands there. Closed: ${whole(closedBy.decided)} by a decision, ${whole(closedBy.excepted)} by an exception, ${whole(closedBy.rescanned)} because a later scan found them no more, ${whole(closedBy.gone)} because the object is gone. ${dedup.distinct === dedup.occurrences && !dedup.isEstimated ? `${counted(dedup.occurrences, 'place')}, each with something of its own.` : `${counted(dedup.occurrences, 'place')} with ${dedup.isEstimated ? 'about ' : ''}${counted(dedup.distinct, 'distinct secret or threat', 'distinct secrets or threats')}.`}`,
    },
    ...trend,
    {
      kind: 'table',
      caption: 'Open at the end',
      columns: [
        { heading: 'Severity' },
        { heading: 'Kind' },
        { heading: 'Bucket', width: 2.5 },
        { heading: 'Findings', isNumber: true },
      ],
      rows: findings.open.map((row) => [
        [severityLine(row.severity)],
        row.kind,
        [{ text: row.bucket }, { text: row.endpointId, tone: 'soft' }],
        row.count,
      ]),
      empty: 'No finding is open.',
    },
    {
      kind: 'table',
      caption: 'New ones by rule',
      columns: [
        { heading: 'Rule', width: 2.8 },
        { heading: 'Kind' },
        { heading: 'Severity' },
        { heading: 'Findings', isNumber: true },
        { heading: 'Objects', isNumber: true },
        { heading: 'Decided', isNumber: true },
        { heading: 'Let go', isNumber: true, width: 1.3 },
      ],
      rows: findings.byRule.map((rule) => [
        [{ text: rule.title }, { text: rule.ruleId, tone: 'soft' }],
        rule.kind,
        [severityLine(rule.severity)],
        rule.findings,
        rule.objects,
        rule.decided,
        rule.decided === 0
          ? '–'
          : `${whole(rule.falsePositives)} (${percent(rule.falsePositives, rule.decided)})`,
      ]),
      empty: 'Nothing new was found.',
    },
    {
      kind: 'table',
      caption: 'Where new ones came from more than once',
      columns: [
        { heading: 'Source', width: 3.5 },
        { heading: 'Findings', isNumber: true },
        { heading: 'Objects', isNumber: true },
      ],
      rows: findings.repeatSources.map((row) => [
        [{ text: row.source, isCode: true }],
        row.findings,
        row.objects,
      ]),
      empty: 'Nowhere.',
    },
  ];
}

const severityLine = (severity: string): Line =>
  severity === 'critical' || severity === 'high'
    ? { text: severity, tone: 'bad', isStrong: true }
    : { text: severity };
