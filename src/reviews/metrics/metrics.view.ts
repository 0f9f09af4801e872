import { z } from 'zod';
import type { QueueFigures } from '../sql/queue-figures.js';

const Took = z.object({
  count: z.number().int(),
  p50: z.number().nullable(),
  p90: z.number().nullable(),
});

const Figures = z.object({
  queue: z.string(),
  waiting: z.number().int().describe('Can still be decided.'),
  unclaimed: z.number().int().describe('Of those: nobody has it.'),
  oldestAt: z.string().nullable().describe('When the one of those that waits longest was opened; ISO 8601.'),
  breached: z.number().int().describe('Of those: past its deadline, and its clock runs.'),
  dueSoon: z.number().int().describe('Of those: less than a quarter of the time until its deadline is left.'),
  arrived: z.number().int().describe('Opened in the span.'),
  decided: z.number().int().describe('Ended in the span by a decision of people.'),
  skipped: z.number().int(),
  expired: z.number().int().describe('Ended by the clock.'),
  cancelled: z.number().int().describe('Their workflow ended without them.'),
  late: z.number().int().describe('Of those that ended: at or after their deadline.'),
  secondsToClaim: Took.describe('From the opening until somebody first claimed it or voted.'),
  secondsToDecide: Took.describe('From the opening until people decided.'),
});

export const ReviewMetrics = z
  .object({
    at: z.string().describe('When it was counted; ISO 8601.'),
    windowSeconds: z.number().int().describe('What happened is counted for so long back.'),
    queues: z.array(Figures),
    isTruncated: z.boolean().describe('There are more queues: those with most that waits are told.'),
  })
  .meta({ id: 'ReviewMetrics' });

export const ReviewMetricsHistory = z
  .object({
    queue: z.string(),
    intervalSeconds: z.number().int(),
    items: z.array(Figures.extend({ from: z.string(), to: z.string() })),
    gaps: z
      .array(z.object({ from: z.string(), to: z.string() }))
      .describe('Nobody measured then: nothing is known, and nothing made up.'),
  })
  .meta({ id: 'ReviewMetricsHistory' });

const iso = (at: number): string => new Date(at).toISOString();

export const figuresView = ({ queue, ...figures }: QueueFigures) => ({
  queue,
  ...figures,
  oldestAt: figures.oldestAt === null ? null : iso(figures.oldestAt),
});

/** Of a queue in which nothing was and nothing happened. */
export const nothing = (queue: string): ReturnType<typeof figuresView> => ({
  queue,
  waiting: 0,
  unclaimed: 0,
  oldestAt: null,
  breached: 0,
  dueSoon: 0,
  arrived: 0,
  decided: 0,
  skipped: 0,
  expired: 0,
  cancelled: 0,
  late: 0,
  secondsToClaim: { count: 0, p50: null, p90: null },
  secondsToDecide: { count: 0, p50: null, p90: null },
});
