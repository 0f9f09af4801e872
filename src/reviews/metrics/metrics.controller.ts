import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { CurrentPrincipal, type Principal } from '../../access/principal.js';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import { Forbidden, InvalidInput } from '../../errors.js';
import { instant, text } from '../request-fields.js';
import { seenQueues } from '../review-desk.js';
import { firstHour, HOUR_MS, measuredHours } from '../sql/queue-hours.js';
import { gapsBetween } from './gaps.js';
import { figuresView, nothing, ReviewMetrics, ReviewMetricsHistory } from './metrics.view.js';
import { ReviewQueueReadings, WINDOW_MS } from './queue-readings.js';
import { SeesReviews } from '../review-access.js';

const MAX_HOURS = 31 * 24;
const DEFAULT_HOURS = 7 * 24;

const HistoryQuery = z.object({
  queue: text(100).min(1),
  /** Whole hours are told: those that begin in [from, to). The last seven days when absent. */
  from: instant.optional(),
  to: instant.optional(),
});

/** How the review queues stand and stood: numbers of queues, none of single people. */
@ApiTags('reviews')
@Controller('api/v1/reviews/metrics')
export class ReviewMetricsController {
  constructor(
    private readonly readings: ReviewQueueReadings,
    private readonly db: Database,
    private readonly clock: Clock,
  ) {}

  /** Of the queues that one may see. */
  @Get()
  @SeesReviews()
  @ApiOkResponse({ standardSchema: ReviewMetrics })
  async now(@CurrentPrincipal() principal: Principal): Promise<z.infer<typeof ReviewMetrics>> {
    const seen = seenQueues(principal);
    const { at, queues, isTruncated } = await (seen === undefined
      ? this.readings.current()
      : this.readings.of(seen));
    return {
      at: iso(at),
      windowSeconds: WINDOW_MS / 1000,
      queues: queues.map(figuresView),
      isTruncated,
    };
  }

  /** Of one queue, hour by hour, for at most 31 days; kept for 90. */
  @Get('history')
  @SeesReviews()
  @ApiOkResponse({ standardSchema: ReviewMetricsHistory })
  async history(
    @Query({ schema: HistoryQuery }) { queue, ...span }: z.infer<typeof HistoryQuery>,
    @CurrentPrincipal() principal: Principal,
  ): Promise<z.infer<typeof ReviewMetricsHistory>> {
    if (seenQueues(principal)?.includes(queue) === false)
      throw new Forbidden(`You have no grant for the queue ${queue}.`);
    const now = this.clock.now();
    const to = span.to === undefined ? now : Date.parse(span.to);
    const from = span.from === undefined ? to - DEFAULT_HOURS * HOUR_MS : Date.parse(span.from);
    if (from >= to) throw InvalidInput.field('from', 'must be before to');
    if (to - from > MAX_HOURS * HOUR_MS)
      throw InvalidInput.field('from', 'must be at most 31 days before to; ask for the rest by itself');
    const first = await firstHour(this.db);
    const hours = await measuredHours(this.db, { queue, from, to, limit: MAX_HOURS });
    // Before the first there was no measuring; the hour under way has not ended.
    const begin = Math.max(wholeHour(from), first ?? Infinity);
    const end = Math.min(wholeHour(to), Math.floor(now / HOUR_MS) * HOUR_MS);
    const starts = hours.map((hour) => hour.from);
    return {
      queue,
      intervalSeconds: HOUR_MS / 1000,
      items: hours.map((hour) => ({
        from: iso(hour.from),
        to: iso(hour.from + HOUR_MS),
        ...(hour.figures === null ? nothing(queue) : figuresView(hour.figures)),
      })),
      gaps: gapsBetween({ from: begin, to: end }, starts, HOUR_MS).map((gap) => ({
        from: iso(gap.from),
        to: iso(gap.to),
      })),
    };
  }
}

const iso = (at: number): string => new Date(at).toISOString();
/** The first hour that begins then or later. */
const wholeHour = (at: number): number => Math.ceil(at / HOUR_MS) * HOUR_MS;
