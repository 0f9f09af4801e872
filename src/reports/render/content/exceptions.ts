import type { ReportData } from '../../data/report-data.js';
import type { Block } from '../document.js';
import { minute, spaced, whole } from '../words.js';
import { moreOf } from './tables.js';

/** What people let stand, until when. */
export const exceptionBlocks = ({ exceptions }: ReportData): Block[] => [
  {
    kind: 'text',
    text: `${whole(exceptions.inForce)} in force at the end: ${whole(exceptions.new)} new in the period, ${whole(exceptions.extended)} extended, ${whole(exceptions.expired)} expired; ${whole(exceptions.expiring)} expire within 14 days.`,
  },
  {
    kind: 'table',
    caption: 'Exceptions register',
    columns: [
      { heading: 'Exception', width: 2.6 },
      { heading: 'State', width: 1.2 },
      { heading: 'Owner and approver', width: 1.7 },
      { heading: 'Justification', width: 2.2 },
      { heading: 'Expires (UTC)', width: 1.3 },
      { heading: 'Uses', isNumber: true, width: 0.7 },
    ],
    rows: exceptions.register.rows.map((row) => [
      [
        { text: `${spaced(row.kind)}: ${row.ruleId}`, isStrong: true },
        { text: `${spaced(row.scope)}, ${row.findingKind}`, tone: 'soft' },
        ...(row.where === null ? [] : [{ text: row.where, isCode: true }]),
        { text: row.id, tone: 'soft', isCode: true },
      ],
      [
        { text: spaced(row.state).toLowerCase(), isStrong: true },
        ...row.marks.map((mark) => ({ text: spaced(mark), tone: 'warn' as const })),
      ],
      [
        { text: row.owner },
        { text: row.approver === null ? 'approved by nobody' : `approved by ${row.approver}`, tone: 'soft' },
      ],
      row.justification,
      [
        { text: minute(row.expiresAt) },
        { text: `since ${minute(row.createdAt)}`, tone: 'soft' },
        ...(row.decidedAt === null
          ? []
          : [{ text: `decided ${minute(row.decidedAt)}`, tone: 'soft' as const }]),
        ...(row.endedAt === null ? [] : [{ text: `ended ${minute(row.endedAt)}`, tone: 'soft' as const }]),
      ],
      row.uses,
    ]),
    empty: 'There is no exception.',
    ...moreOf(exceptions.register),
  },
];
