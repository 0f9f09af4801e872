import type { Previous } from '../../data/record.js';
import type { ReportData } from '../../data/report-data.js';
import type { Block, Cell, Line } from '../document.js';
import { minute, whole } from '../words.js';
import { AS_OF_MAKING } from './tables.js';

const READINGS = {
  signed: { text: '✓ somebody read it and signed', tone: 'good', isStrong: true },
  open: { text: 'waits for somebody to read it', tone: 'warn' },
  overdue: { text: '× overdue: nobody read it in time', tone: 'bad', isStrong: true },
  expired: { text: '× expired: nobody read it', tone: 'bad', isStrong: true },
  none: { text: 'nobody was asked to read it', tone: 'warn' },
} as const satisfies Record<Previous['reading'], Line>;

/** The report before, and whether somebody read it. */
export function previousBlocks({ previous }: ReportData): Block[] {
  if (previous === null) return [{ kind: 'text', text: 'There is no report before this one.' }];
  const facts: [string, Cell][] = [
    [
      'Report',
      [
        { text: previous.label, isStrong: true },
        { text: previous.reportId, isCode: true },
      ],
    ],
    ['SHA-256 of its report.json', [{ text: previous.sha256 ?? 'not known', isCode: true }]],
    ['Reading', [READINGS[previous.reading]]],
    ['Read by', previous.readBy ?? 'nobody'],
    ['When (UTC)', previous.readAt === null ? '–' : minute(previous.readAt)],
    ['Outcome', previous.outcome ?? '–'],
    ['Comment', previous.comment === null || previous.comment === '' ? '–' : previous.comment],
  ];
  if (previous.signatures !== null)
    facts.push([
      'Signatures',
      `${whole(previous.signatures.reached)} of ${whole(previous.signatures.required)} needed`,
    ]);
  return [
    { kind: 'text', tone: 'soft', text: `${AS_OF_MAKING}: whether somebody had read it.` },
    { kind: 'facts', facts },
  ];
}

/** Figures of earlier reports that later facts changed. */
export const restatedBlocks = ({ restated }: ReportData): Block[] => [
  {
    kind: 'text',
    text: 'An earlier report is never changed. What became known after it was made stands here, beside what it said.',
  },
  {
    kind: 'table',
    caption: 'Restated figures',
    columns: [
      { heading: 'Report', width: 2 },
      { heading: 'Figure', width: 2.5 },
      { heading: 'Said', isNumber: true },
      { heading: 'Is now', isNumber: true },
      { heading: 'Difference', isNumber: true },
    ],
    rows: restated.map((row) => [
      [{ text: row.label }, { text: row.reportId, tone: 'soft', isCode: true }],
      row.figure,
      String(row.stated),
      String(row.now),
      [
        {
          text: `${row.now > row.stated ? '+' : ''}${String(row.now - row.stated).replace('-', '−')}`,
          tone: 'warn',
        },
      ],
    ]),
    empty: 'No figure of an earlier report changed.',
  },
];
