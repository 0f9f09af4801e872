import type { ReportData } from '../../data/report-data.js';
import { columnsChart } from '../charts/charts.js';
import type { Block } from '../document.js';
import { reviewsEquation } from '../equation.js';
import { minute, percent, whole } from '../words.js';
import { AS_OF_MAKING, spreadTable } from './tables.js';

type Ageing = ReportData['people']['ageing'][number];

/** What people had to decide, and how long it took. */
export function peopleBlocks(data: ReportData): Block[] {
  const { people } = data;
  const { deeds } = people;
  return [
    { kind: 'equation', equation: reviewsEquation(data) },
    spreadTable('How long it took', [
      ['From the opening to whoever first took it', people.timeToClaim],
      ['From the opening to the decision', people.timeToDecision],
      ['From the opening of a remedy to its proof', people.timeToRemedy],
    ]),
    {
      kind: 'table',
      caption: 'Deadlines met and missed',
      columns: [
        { heading: 'Queue', width: 2 },
        { heading: 'Severity' },
        { heading: 'Met', isNumber: true },
        { heading: 'Missed', isNumber: true },
        { heading: 'Met of all', isNumber: true },
      ],
      rows: people.sla.map((row) => [
        row.queue,
        row.severity,
        row.met,
        row.breached === 0 ? 0 : [{ text: whole(row.breached), tone: 'bad', isStrong: true }],
        percent(row.met, row.met + row.breached),
      ]),
      empty: 'No review had a deadline in this period.',
    },
    {
      kind: 'text',
      tone: 'soft',
      text: `${AS_OF_MAKING}: deadlines as they were set then, without reviews that were cancelled until then; and who held a review.`,
    },
    ...ageingBlocks(people.ageing),
    {
      kind: 'table',
      caption: 'The oldest that were open at the end',
      columns: [
        { heading: 'Review', width: 3 },
        { heading: 'Queue' },
        { heading: 'Open since (UTC)', width: 1.2 },
        { heading: 'Held by', width: 1.3 },
      ],
      rows: people.oldest.map((row) => [
        [{ text: row.title }, { text: row.reviewId, tone: 'soft', isCode: true }],
        row.queue,
        minute(row.openedAt),
        row.holder ?? 'nobody',
      ]),
      empty: 'No review is open.',
    },
    {
      kind: 'table',
      caption: 'What happened to reviews',
      columns: [
        { heading: 'Deed', width: 4 },
        { heading: 'Times', isNumber: true },
      ],
      rows: [
        ['Escalated', deeds.escalated],
        ['Given to somebody else', deeds.reassigned],
        ['Expired', deeds.expired],
        ['Decided by a policy, by nobody', deeds.autoDecided],
        ['Reminded', deeds.reminded],
        ['Asked back', deeds.askedBack],
        ['Decided over the heads of those asked', deeds.overridden],
      ],
      empty: 'None.',
    },
  ];
}

const ageWords = ({ fromDays, toDays }: Ageing): string =>
  toDays === null ? `over ${whole(fromDays)} d` : `${whole(fromDays)}–${whole(toDays)} d`;

function ageingBlocks(ageing: readonly Ageing[]): Block[] {
  const total = ageing.reduce((sum, { count }) => sum + count, 0);
  const table: Block = {
    kind: 'table',
    caption: 'Open reviews by their age in days',
    columns: [
      { heading: 'Age', width: 2 },
      { heading: 'Open', isNumber: true },
      { heading: 'Share', isNumber: true },
    ],
    rows: total === 0 ? [] : ageing.map((row) => [ageWords(row), row.count, percent(row.count, total)]),
    empty: 'No review is open.',
  };
  if (total === 0) return [table];
  const columns = ageing.map((row) => ({
    label: ageWords(row),
    count: row.count,
    ink: row.fromDays >= 14 ? ('bad' as const) : row.fromDays >= 3 ? ('warn' as const) : ('accent' as const),
  }));
  return [
    {
      kind: 'chart',
      title: 'Open reviews by age',
      drawing: columnsChart('Open reviews by their age in days', columns),
    },
    table,
  ];
}
