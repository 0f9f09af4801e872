import type { KnownBlock } from '@slack/types';
import type { Instant } from '../../../../clock.js';
import type { QueueFigures } from '../../../sql/queue-figures.js';
import { header, linkButton, moment, section } from '../block-kit.js';
import { spanText } from '../commands/verbs/stats.verb.js';
import type { SlackContent } from '../delivery/slack-sender.js';
import { OPEN_ACTION } from '../review-buttons.js';
import { proseSpan } from '../slack-text.js';

/** So many queues have a line of their own. */
const QUEUES_NAMED = 10;

/** What a channel is told once a day or a week. */
export interface DigestFacts {
  readonly kind: 'daily' | 'weekly';
  readonly from: Instant;
  /** Of the channel's queues, those with most that waits first. */
  readonly queues: readonly QueueFigures[];
  /** Those who decided most. */
  readonly deciders: readonly { readonly name: string; readonly decided: number }[];
}

/** What waits, what is late, and what was decided by whom; one line where there is nothing of it. */
export function digestMessage(facts: DigestFacts, publicUrl: string): SlackContent {
  const { kind, from, queues, deciders } = facts;
  const all = sumsOf(queues);
  const title = kind === 'daily' ? 'Reviews: the day' : 'Reviews: the week';
  if (Object.values(all).every((count) => count === 0)) {
    const nothing = `${title}. Nothing waits, and nothing was asked or decided since ${moment(from)}.`;
    return { text: nothing, blocks: [section([nothing])] };
  }
  const lines = [waitingLine(all, queues), pastLine(all, from, deciders), ...tookLines(queues)];
  const blocks: KnownBlock[] = [
    header(title),
    section(lines),
    ...(queues.length > 1 ? [section(queueLines(queues))] : []),
    {
      type: 'actions',
      elements: [linkButton(OPEN_ACTION, 'Open the inbox', 'inbox', `${publicUrl}/reviews`)],
    },
  ];
  return { text: `${title}: ${all.waiting} wait, ${all.breached} overdue, ${all.decided} decided`, blocks };
}

type Sums = Record<
  'waiting' | 'unclaimed' | 'breached' | 'dueSoon' | 'arrived' | 'decided' | 'otherwise' | 'late',
  number
>;

function sumsOf(queues: readonly QueueFigures[]): Sums {
  const sum = (of: (queue: QueueFigures) => number): number =>
    queues.reduce((total, queue) => total + of(queue), 0);
  return {
    waiting: sum(({ waiting }) => waiting),
    unclaimed: sum(({ unclaimed }) => unclaimed),
    breached: sum(({ breached }) => breached),
    dueSoon: sum(({ dueSoon }) => dueSoon),
    arrived: sum(({ arrived }) => arrived),
    decided: sum(({ decided }) => decided),
    otherwise: sum(({ skipped, expired, cancelled }) => skipped + expired + cancelled),
    late: sum(({ late }) => late),
  };
}

function waitingLine(all: Sums, queues: readonly QueueFigures[]): string {
  if (all.waiting === 0) return '*Nothing waits* for a decision.';
  const since = queues.flatMap(({ oldestAt }) => (oldestAt === null ? [] : [oldestAt]));
  const oldest = since.length === 0 ? '' : `; the oldest since ${moment(Math.min(...since))}`;
  return `*${all.waiting} ${all.waiting === 1 ? 'waits' : 'wait'}* for a decision: ${all.breached} overdue, ${all.dueSoon} due soon, ${all.unclaimed} that nobody has${oldest}`;
}

function pastLine(all: Sums, from: Instant, deciders: DigestFacts['deciders']): string {
  const by = deciders.map(({ name, decided }) => `${proseSpan(name, 60)} ${decided}`).join(', ');
  const late = all.late === 0 ? '' : `; ${all.late} ended late`;
  const otherwise = all.otherwise === 0 ? '' : `, ${all.otherwise} ended otherwise`;
  return `Since ${moment(from)}: ${all.arrived} came, *${all.decided} decided*${by === '' ? '' : ` (${by})`}${otherwise}${late}`;
}

/** Of one queue: halves and nine tenths of several cannot be put together. */
function tookLines(queues: readonly QueueFigures[]): string[] {
  const [only] = queues;
  const took = queues.length === 1 && only !== undefined ? tookText(only) : '';
  return took === '' ? [] : [`T${took.slice(1)}`];
}

const tookText = ({ secondsToDecide: { p50, p90 } }: QueueFigures): string =>
  p50 === null || p90 === null ? '' : `time to decide: median ${spanText(p50)}, 90 % within ${spanText(p90)}`;

function queueLines(queues: readonly QueueFigures[]): string[] {
  const lines = queues.slice(0, QUEUES_NAMED).map((queue) => {
    const took = tookText(queue);
    return `•  *${proseSpan(queue.queue, 60)}*: ${queue.waiting} wait, ${queue.breached} overdue, ${queue.dueSoon} due soon; ${queue.decided} decided${took === '' ? '' : `, ${took}`}`;
  });
  const more = queues.length - lines.length;
  return more > 0 ? [...lines, `and ${more} more ${more === 1 ? 'queue' : 'queues'}`] : lines;
}
