import type { Control } from '../../data/controls.js';
import type { ReportData } from '../../data/report-data.js';
import type { Block, Line } from '../document.js';
import { counted, minuteOrDash } from '../words.js';
import { moreOf } from './tables.js';

const RESULTS = {
  pass: { text: '✓ pass', tone: 'good', isStrong: true },
  fail: { text: '× fail', tone: 'bad', isStrong: true },
  note: { text: '! note', tone: 'warn', isStrong: true },
  unknown: { text: '? unknown', tone: 'warn', isStrong: true },
} as const satisfies Record<Control['result'], Line>;

/** Each check, and the rows behind it. */
export function controlBlocks({ controls }: ReportData): Block[] {
  return [
    {
      kind: 'table',
      caption: 'Checks',
      columns: [
        { heading: 'Check', width: 3.2 },
        { heading: 'Result' },
        { heading: 'Looked at', isNumber: true },
        { heading: 'Cases', isNumber: true },
      ],
      rows: controls.map((control) => [
        [
          { text: control.title, isStrong: true },
          { text: control.how, tone: 'soft' },
        ],
        [RESULTS[control.result]],
        control.population,
        control.exceptions.total,
      ]),
      empty: 'No check was made.',
    },
    {
      kind: 'text',
      tone: 'soft',
      text: 'Fail: at least one case that must not be. Note: allowed, and worth a look. Unknown: it could not be looked at.',
    },
    ...controls.filter(({ exceptions }) => exceptions.total > 0).flatMap(casesOf),
  ];
}

const casesOf = (control: Control): Block[] => [
  {
    kind: 'table',
    caption: `${control.title}: ${counted(control.exceptions.total, 'case')}`,
    columns: [
      { heading: 'What', width: 3 },
      { heading: 'When (UTC)', width: 1.1 },
      { heading: 'Note', width: 2.4 },
    ],
    rows: control.exceptions.rows.map((row) => [
      [{ text: row.what }, { text: row.id, tone: 'soft', isCode: true }],
      minuteOrDash(row.at),
      row.note,
    ]),
    empty: 'The cases are in the data file alone.',
    ...moreOf(control.exceptions),
  },
];
