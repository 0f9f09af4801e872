import { Injectable } from '@nestjs/common';
import { ReviewQueueReadings } from '../../../../metrics/queue-readings.js';
import type { Reviewer } from '../../../../rules/review.js';
import type { QueueFigures, Took } from '../../../../sql/queue-figures.js';
import { ReviewSight } from '../../answers/review-sight.js';
import { context, moment, section } from '../../block-kit.js';
import { proseSpan } from '../../slack-text.js';
import { SlackVerb, type Told } from '../verb.js';

const MOST_QUEUES = 20;

/** How the queues stand that somebody sees. */
@Injectable()
export class StatsVerb extends SlackVerb {
  readonly name = 'stats';
  readonly usage = 'stats';
  readonly does = 'what waits, what is overdue, and what was decided in a day';

  constructor(
    private readonly readings: ReviewQueueReadings,
    private readonly sight: ReviewSight,
  ) {
    super();
  }

  async said(_: unknown, who: Reviewer): Promise<Told> {
    const { queues: seen } = (await this.sight.roster()).acting(who);
    const { queues, isTruncated } = await (seen === undefined
      ? this.readings.current()
      : this.readings.of(seen));
    return queueStats(queues, isTruncated);
  }
}

/** At most twenty queues, those with most that waits first. */
export function queueStats(queues: readonly QueueFigures[], isTruncated: boolean): Told {
  if (queues.length === 0) return { text: 'Nothing waits, and nothing was asked for a day.' };
  const shown = queues.slice(0, MOST_QUEUES);
  const more = queues.length - shown.length;
  return {
    text: `${total(queues, 'waiting')} waiting, ${total(queues, 'breached')} of them overdue`,
    blocks: [
      ...shown.map((queue) => section(queueLines(queue), 450)),
      context([
        ...(more > 0 || isTruncated ? [`And ${more > 0 ? more : 'some'} more queues.`] : []),
        'Arrivals and decisions are those of the last 24 hours.',
      ]),
    ],
  };
}

const total = (queues: readonly QueueFigures[], of: 'waiting' | 'breached'): number =>
  queues.reduce((sum, queue) => sum + queue[of], 0);

function queueLines(queue: QueueFigures): string[] {
  const oldest = queue.oldestAt === null ? '' : `, the oldest since ${moment(queue.oldestAt)}`;
  return [
    `*${proseSpan(queue.queue, 60)}*: ${queue.waiting} waiting, ${queue.unclaimed} of them with nobody${oldest}`,
    `${queue.breached} overdue, ${queue.dueSoon} due soon · ${queue.arrived} came, ${queue.decided} decided, ${queue.skipped + queue.expired + queue.cancelled} ended otherwise${tookText(queue.secondsToDecide)}`,
  ];
}

const tookText = ({ p50, p90 }: Took): string =>
  p50 === null || p90 === null
    ? ''
    : `, time to decide: median ${spanText(p50)}, 90 % within ${spanText(p90)}`;

/** `40 s`, `12 min`, `3 h`, `2 days`. */
export function spanText(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
