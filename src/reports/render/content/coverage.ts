import { sizeText } from '../../../outbound/safe-text.js';
import { reasonWords } from '../../../verdicts/reason-words.js';
import { VERDICTS } from '../../../verdicts/verdict.js';
import type { ReportData } from '../../data/report-data.js';
import { coverageChart } from '../charts/charts.js';
import type { Block, Tone } from '../document.js';
import { coverageEquation, inventoryEquation, pendingEquation } from '../equation.js';
import { counted, minute, minuteOrDash, percent, spaced, whole } from '../words.js';
import { moreOf, spreadTable } from './tables.js';

/** What was uploaded, and what became of each upload. */
export function coverageBlocks(data: ReportData): Block[] {
  const { coverage } = data;
  const { groups } = coverage;
  const blocks: Block[] = [
    { kind: 'equation', equation: coverageEquation(data) },
    {
      kind: 'text',
      text: `${counted(coverage.uploaded, 'upload')}, ${sizeText(coverage.bytes)}, counted from what intake accepted and not from the verdicts. ${whole(groups.clean)} were looked at whole by what their buckets require and nothing was found; in ${whole(groups.found)} something was found; ${whole(groups.notWhole)} were not looked at whole, each with its reason below; ${whole(groups.notScanned)} needed no scan; ${whole(groups.pending)} still waited.`,
    },
  ];
  if (coverage.copies.opened > 0 || coverage.copies.accountedFor > 0)
    blocks.push({
      kind: 'text',
      tone: 'soft',
      text: 'A copy that a release wrote is no upload: what was scanned is the upload that it came from. Copies are counted apart, on both sides.',
    });
  if (coverage.accountedFor > 0)
    blocks.push({ kind: 'chart', title: 'Uploads by what became of them', drawing: coverageChart(coverage) });
  blocks.push(
    verdictTable(data),
    {
      kind: 'table',
      caption: 'Reasons of the verdicts that are not clean',
      columns: [
        { heading: 'Verdict' },
        { heading: 'Reason', width: 3 },
        { heading: 'Uploads', isNumber: true },
      ],
      rows: coverage.reasons.map((row) => [row.verdict, reasonWords(row.verdict, row.reason), row.count]),
      empty: 'Every upload is clean.',
    },
    {
      kind: 'table',
      caption: 'Skipped by a rule or policy',
      columns: [
        { heading: 'Policy', width: 4 },
        { heading: 'Uploads', isNumber: true },
      ],
      rows: coverage.skippedBy.map((row) => [row.policy, row.count]),
      empty: 'No upload was skipped by a rule.',
    },
    { kind: 'equation', equation: pendingEquation(data) },
    spreadTable('From upload to first verdict', [
      ['All first verdicts of the period', coverage.timeToVerdict],
    ]),
    bucketTable(data),
    ...inventoryBlocks(data),
    {
      kind: 'table',
      caption: 'Gaps: what the equations leave open',
      columns: [
        { heading: 'What' },
        { heading: 'Object', width: 2.5 },
        { heading: 'When (UTC)', width: 1.1 },
        { heading: 'Note', width: 1.6 },
      ],
      rows: coverage.gaps.rows.map((row) => [
        spaced(row.what),
        [{ text: row.object, isCode: true }],
        minuteOrDash(row.at),
        row.note,
      ]),
      empty: 'None: nothing is left open.',
      ...moreOf(coverage.gaps),
    },
    {
      kind: 'table',
      caption: 'Uploads that are not clean',
      columns: [
        { heading: 'Object', width: 2.6 },
        { heading: 'Verdict', width: 1.5 },
        { heading: 'Decision and action', width: 1.2 },
        { heading: 'Uploaded (UTC)', width: 1.1 },
        { heading: 'Size', width: 0.8, isNumber: true },
      ],
      rows: coverage.notClean.rows.map((row) => [
        [{ text: row.object, isCode: true }],
        [
          { text: row.verdict, isStrong: true, tone: toneOf(row.verdict) },
          { text: reasonWords(row.verdict, row.reason), tone: 'soft' },
        ],
        row.decision === null && row.action === null
          ? '–'
          : [{ text: row.decision ?? 'no decision' }, { text: row.action ?? 'no action', tone: 'soft' }],
        minute(row.uploadedAt),
        row.sizeBytes === null ? '–' : sizeText(row.sizeBytes),
      ]),
      empty: 'None.',
      ...moreOf(coverage.notClean),
    },
  );
  return blocks;
}

const toneOf = (verdict: string): Tone =>
  ['infected', 'secrets', 'suspicious', 'failed'].includes(verdict) ? 'bad' : 'warn';

function verdictTable({ coverage }: ReportData): Block {
  const present = VERDICTS.filter((verdict) => coverage.byVerdict[verdict] > 0);
  return {
    kind: 'table',
    caption: 'Uploads by verdict',
    columns: [
      { heading: 'Verdict', width: 1.4 },
      { heading: 'Uploads', isNumber: true },
      { heading: 'Share', isNumber: true },
      { heading: 'Of all', width: 3 },
    ],
    rows: present.map((verdict) => [
      verdict,
      coverage.byVerdict[verdict],
      percent(coverage.byVerdict[verdict], coverage.accountedFor),
      { share: coverage.accountedFor === 0 ? 0 : coverage.byVerdict[verdict] / coverage.accountedFor },
    ]),
    empty: 'Nothing was uploaded in this period.',
  };
}

const bucketTable = ({ coverage }: ReportData): Block => ({
  kind: 'table',
  caption: 'Uploads by bucket',
  columns: [
    { heading: 'Bucket', width: 2.4 },
    { heading: 'Uploaded', isNumber: true },
    { heading: 'Bytes', isNumber: true },
    { heading: 'Clean', isNumber: true },
    { heading: 'Found', isNumber: true },
    { heading: 'Not whole', isNumber: true },
    { heading: 'Not scanned', isNumber: true },
    { heading: 'Pending', isNumber: true },
  ],
  rows: coverage.buckets.map((row) => [
    [{ text: row.bucket }, { text: row.endpointId, tone: 'soft' }],
    row.uploaded,
    sizeText(row.bytes),
    row.clean,
    row.found,
    row.notWhole,
    row.notScanned,
    row.pending,
  ]),
  empty: 'Nothing was uploaded to any bucket.',
});

function inventoryBlocks({ coverage: { inventory } }: ReportData): Block[] {
  const compared = inventory.filter(({ state }) => state === 'compared');
  const rest = inventory.filter(({ state }) => state !== 'compared');
  const blocks: Block[] = [{ kind: 'heading', text: 'The buckets, listed by themselves' }];
  for (const row of compared) blocks.push({ kind: 'equation', equation: inventoryEquation(row) });
  if (compared.length > 0)
    blocks.push({
      kind: 'table',
      caption: 'Listings that were compared with the ledger to their end',
      columns: [
        { heading: 'Bucket', width: 2 },
        { heading: 'Listed at (UTC)', width: 1.3 },
        { heading: 'Scanned only after the listing', isNumber: true, width: 1.3 },
        { heading: 'In the ledger, no longer in the bucket', isNumber: true, width: 1.6 },
        { heading: 'Keys that cannot be kept, of any time', isNumber: true, width: 1.6 },
      ],
      rows: compared.map((row) => [
        [{ text: row.bucket }, { text: row.endpointId, tone: 'soft' }],
        minuteOrDash(row.listedAt),
        row.missing,
        row.vanished,
        row.unusable,
      ]),
      empty: 'None.',
    });
  if (rest.length > 0 || compared.length === 0)
    blocks.push({
      kind: 'table',
      caption: 'Buckets of which no listing claims anything',
      columns: [{ heading: 'Bucket', width: 2 }, { heading: 'State' }, { heading: 'Why', width: 3 }],
      rows: rest.map((row) => [
        [{ text: row.bucket }, { text: row.endpointId, tone: 'soft' }],
        [{ text: spaced(row.state), tone: row.state === 'failed' ? 'bad' : 'warn' }],
        row.why ?? 'no reason is known',
      ]),
      empty: 'No bucket is registered.',
    });
  return blocks;
}
