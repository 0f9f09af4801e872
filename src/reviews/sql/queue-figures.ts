import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import { WAITING_STATES } from '../rules/review.js';

/** How long something took in a queue, over `count` reviews; null where there was none. */
export interface Took {
  readonly count: number;
  readonly p50: number | null;
  readonly p90: number | null;
}

/** How one review queue stands, and what happened in it in a span of time. Nothing of single people. */
export interface QueueFigures {
  readonly queue: string;
  /** Can still be decided. */
  readonly waiting: number;
  /** Of those: nobody has it. */
  readonly unclaimed: number;
  /** When the oldest of those was opened (ms). */
  readonly oldestAt: Instant | null;
  /** Of those: past its deadline. */
  readonly breached: number;
  /** Of those: less than a quarter of the time until its deadline is left. */
  readonly dueSoon: number;
  readonly arrived: number;
  /** By people. */
  readonly decided: number;
  readonly skipped: number;
  /** Ended by the clock. */
  readonly expired: number;
  /** Their workflow ended without them. */
  readonly cancelled: number;
  /** Of those that ended: at or after their deadline. */
  readonly late: number;
  /** From the opening until somebody first claimed it or voted; of what was taken up in the span. */
  readonly secondsToClaim: Took;
  /** From the opening until the decision; of what people decided in the span. */
  readonly secondsToDecide: Took;
}

export interface FiguresAsked {
  readonly now: Instant;
  /** The span [from, to). */
  readonly from: Instant;
  readonly to: Instant;
  /** Only these queues; all when absent. */
  readonly queues?: readonly string[] | undefined;
  /** So many queues at most, those with most that waits first. */
  readonly limit: number;
}

// Written out, so that the partial indexes serve.
const WAITS = `state IN (${WAITING_STATES.map((state) => `'${state}'`).join(', ')})`;
const STANDS_STILL = `(state IN ('ON_HOLD', 'INFO_REQUESTED')
  AND coalesce((policy->>'holdStopsClock')::boolean, false))`;

/** How many there were, and the time that half and nine tenths of them took at most. */
const took = (milliseconds: string, when: string): string => `
  count(*) FILTER (WHERE ${when})::int AS count,
  percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY greatest(0, ${milliseconds}))
    FILTER (WHERE ${when}) AS p`;

const inSeconds = (of: string): string => `json_build_object('count', coalesce(${of}.count, 0),
  'p50', round(${of}.p[1]) / 1000, 'p90', round(${of}.p[2]) / 1000)`;

/**
 * The figures of all queues in which something waits or happened. Reads what waits, and what lies in the span, through
 * indexes; nothing of what ended before.
 */
export const QUEUE_FIGURES = `
  WITH waiting AS (
    SELECT queue, count(*)::int AS waiting, count(*) FILTER (WHERE claimed_by IS NULL)::int AS unclaimed,
           min(created_at)::float8 AS oldest,
           count(*) FILTER (WHERE due_at < $1 AND NOT ${STANDS_STILL})::int AS breached,
           count(*) FILTER (WHERE due_at >= $1 AND due_at - (due_at - created_at) / 4 <= $1
                              AND NOT ${STANDS_STILL})::int AS due_soon
      FROM review WHERE ${WAITS} AND ($4::text[] IS NULL OR queue = ANY ($4)) GROUP BY queue
  ), arrived AS (
    SELECT queue, count(*)::int AS arrived FROM review
     WHERE created_at >= $2 AND created_at < $3 AND ($4::text[] IS NULL OR queue = ANY ($4)) GROUP BY queue
  ), taken AS (
    SELECT queue, ${took('taken_at - created_at', 'true')} FROM review
     WHERE taken_at >= $2 AND taken_at < $3 AND ($4::text[] IS NULL OR queue = ANY ($4)) GROUP BY queue
  ), ended AS (
    SELECT queue, ${took('decided_at - created_at', `state = 'COMPLETED'`)},
           count(*) FILTER (WHERE state = 'SKIPPED')::int AS skipped,
           count(*) FILTER (WHERE state = 'EXPIRED')::int AS expired,
           count(*) FILTER (WHERE state = 'CANCELLED')::int AS cancelled,
           count(*) FILTER (WHERE state <> 'CANCELLED' AND decided_at >= due_at)::int AS late
      FROM review
     WHERE coalesce(decided_at, cancelled_at) >= $2 AND coalesce(decided_at, cancelled_at) < $3
       AND ($4::text[] IS NULL OR queue = ANY ($4)) GROUP BY queue
  ), names AS (
    SELECT queue FROM waiting UNION SELECT queue FROM arrived UNION SELECT queue FROM taken UNION SELECT queue FROM ended
  )
  SELECT queue, coalesce(waiting, 0) AS waiting, coalesce(unclaimed, 0) AS unclaimed, oldest AS "oldestAt",
         coalesce(breached, 0) AS breached, coalesce(due_soon, 0) AS "dueSoon", coalesce(arrived, 0) AS arrived,
         coalesce(ended.count, 0) AS decided, coalesce(skipped, 0) AS skipped, coalesce(expired, 0) AS expired,
         coalesce(cancelled, 0) AS cancelled, coalesce(late, 0) AS late,
         ${inSeconds('taken')} AS "secondsToClaim", ${inSeconds('ended')} AS "secondsToDecide"
    FROM names LEFT JOIN waiting USING (queue) LEFT JOIN arrived USING (queue)
         LEFT JOIN taken USING (queue) LEFT JOIN ended USING (queue)
   ORDER BY coalesce(waiting, 0) DESC, queue LIMIT $5`;

export const queueFigures = (db: Queryable, asked: FiguresAsked): Promise<QueueFigures[]> =>
  db.query<QueueFigures>(QUEUE_FIGURES, [asked.now, asked.from, asked.to, asked.queues ?? null, asked.limit]);
