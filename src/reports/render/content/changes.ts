import type { ReportData } from '../../data/report-data.js';
import type { Block } from '../document.js';
import { counted, minute, spaced, whole } from '../words.js';
import { moreOf } from './tables.js';

/** What was changed, by whom. */
export const changeBlocks = ({ changes }: ReportData): Block[] => [
  {
    kind: 'text',
    text: `From the audit record. ${whole(changes.accessChanges)} of the changes are of accounts, keys and rights. ${counted(changes.failedSignIns, 'sign-in')} failed.`,
  },
  {
    kind: 'table',
    caption: 'Changes by kind',
    columns: [
      { heading: 'Kind', width: 4 },
      { heading: 'Changes', isNumber: true },
    ],
    rows: changes.byKind.map((row) => [spaced(row.kind), row.count]),
    empty: 'Nothing was changed.',
  },
  {
    kind: 'table',
    caption: 'Changes',
    columns: [
      { heading: 'When (UTC)', width: 1.2 },
      { heading: 'Who', width: 1.4 },
      { heading: 'What', width: 2.2 },
      { heading: 'Of what', width: 2.2 },
    ],
    rows: changes.register.rows.map((row) => [
      minute(row.at),
      row.actor,
      [
        { text: row.what === '' ? row.action : row.what },
        { text: `${spaced(row.kind)}: ${row.action}`, tone: 'soft' },
        { text: `event ${row.id}`, tone: 'soft', isCode: true },
      ],
      [{ text: row.subject, isCode: true }],
    ]),
    empty: 'Nothing was changed.',
    ...moreOf(changes.register),
  },
];
