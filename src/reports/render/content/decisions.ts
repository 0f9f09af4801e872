import { durationText } from '../../../outbound/safe-text.js';
import type { RegisteredDecision, RegisteredVote } from '../../data/people.js';
import type { ReportData } from '../../data/report-data.js';
import type { Block, Cell, Line } from '../document.js';
import { counted, minute, spaced, whole } from '../words.js';
import { moreOf } from './tables.js';

/** Who approved what, and when. */
export function decisionBlocks({ decisions, controls }: ReportData): Block[] {
  const titles = new Map<string, string>(controls.map(({ id, title }) => [id, title]));
  const failing = decisions.rows.filter(({ failed }) => failed.length > 0).length;
  return [
    {
      kind: 'text',
      text: `${counted(decisions.total, 'decision')}. Listed are first those that do not pass a check (${whole(failing)}), then the sample of ${whole(decisions.sample.size)}, then the others in their order. The same sample is drawn again with the seed ${decisions.sample.seed}.`,
    },
    {
      kind: 'table',
      caption: 'Decision register',
      columns: [
        { heading: 'Question', width: 3.2 },
        { heading: 'Outcome', width: 1.7 },
        { heading: 'Votes', width: 2.8 },
        { heading: 'Asked under', width: 1.9 },
      ],
      rows: decisions.rows.map((row) => [
        questionCell(row, titles),
        outcomeCell(row),
        row.votes.length === 0 ? 'no vote' : row.votes.flatMap(voteLines),
        underCell(row),
      ]),
      empty: 'Nothing was decided in this period.',
      ...moreOf(decisions),
      isRegister: true,
    },
  ];
}

function questionCell(row: RegisteredDecision, titles: ReadonlyMap<string, string>): Cell {
  const lines: Line[] = row.failed.map((id) => ({
    text: `× ${titles.get(id) ?? spaced(id)}`,
    tone: 'bad',
    isStrong: true,
  }));
  lines.push({ text: row.title, isStrong: true });
  if (row.object !== null) lines.push({ text: row.object, isCode: true });
  lines.push({ text: `review ${row.reviewId}`, tone: 'soft', isCode: true });
  lines.push({ text: `shown ${row.subjectDigest}`, tone: 'soft', isCode: true });
  if (row.sha256 !== null) lines.push({ text: `SHA-256 ${row.sha256}`, tone: 'soft', isCode: true });
  if (row.requester !== null) lines.push({ text: `asked by ${row.requester}`, tone: 'soft' });
  if (row.isSampled) lines.push({ text: 'in the sample', tone: 'soft' });
  return lines;
}

const outcomeCell = (row: RegisteredDecision): Cell => [
  { text: row.outcome, isStrong: true },
  { text: `by ${row.decidedBy}` },
  { text: `${minute(row.decidedAt)} UTC` },
  { text: `${spaced(row.via)}, proved by ${spaced(row.method)}`, tone: 'soft' },
  {
    text: `${whole(row.quorum.reached)} of ${whole(row.quorum.required)} needed`,
    tone: row.quorum.reached < row.quorum.required ? 'bad' : 'soft',
  },
  { text: row.reason === '' ? 'no reason given' : row.reason, tone: row.reason === '' ? 'warn' : 'soft' },
];

function voteLines(vote: RegisteredVote): Line[] {
  const marks = `${vote.isOverride ? ', over the heads of those asked' : ''}${vote.isWithdrawn ? ', withdrawn' : ''}`;
  return [
    {
      text: `${vote.outcome} by ${vote.by}${vote.onBehalfOf === null ? '' : ` for ${vote.onBehalfOf}`}${marks}`,
      ...(vote.isWithdrawn ? { tone: 'soft' as const } : {}),
    },
    { text: `${minute(vote.at)} UTC, ${spaced(vote.via)}, proved by ${spaced(vote.method)}`, tone: 'soft' },
    { text: vote.byId, tone: 'soft', isCode: true },
    ...(vote.reason === '' ? [] : [{ text: `“${vote.reason}”`, tone: 'soft' as const }]),
  ];
}

const underCell = (row: RegisteredDecision): Cell => [
  { text: row.queue },
  { text: row.task, tone: 'soft' },
  { text: row.definition, tone: 'soft' },
  { text: `took ${durationText(row.elapsedMs)}`, tone: 'soft' },
];
