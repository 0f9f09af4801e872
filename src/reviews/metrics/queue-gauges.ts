import { Inject, Injectable } from '@nestjs/common';
import type { Gauge, Registry } from 'prom-client';
import { Clock } from '../../clock.js';
import { BoundedLabels, OTHER } from '../../engine/observability/bounded-labels.js';
import { LOG, type Log } from '../../ops/log.js';
import { METRICS } from '../../ops/metrics.js';
import { Scraped } from '../../ops/scraped.js';
import type { QueueFigures, Took } from '../sql/queue-figures.js';
import { ReviewQueueReadings, type QueueReading } from './queue-readings.js';

// Queues come from definitions and their input: those of them that come later share a label.
const MAX_LABELS = 200;

type Sum = 'waiting' | 'unclaimed' | 'breached' | 'dueSoon' | 'arrived' | 'late';

/** How the review queues stand, read at a scrape. Every node tells the same: take one, or the maximum. */
@Injectable()
export class ReviewQueueGauges {
  private readonly labels = new BoundedLabels(MAX_LABELS);
  private readonly scraped: Scraped<QueueReading>;

  constructor(
    @Inject(METRICS) registry: Registry,
    @Inject(LOG) log: Log,
    readings: ReviewQueueReadings,
    clock: Clock,
  ) {
    this.scraped = new Scraped(
      registry,
      () => readings.current(),
      (error) =>
        log.debug({ err: error }, 'the figures of review queues could not be read; the last ones are shown'),
    );
    this.sum('sallyport_reviews_waiting', 'Reviews that wait for a decision', 'waiting');
    this.sum('sallyport_reviews_unclaimed', 'Of those: nobody has them', 'unclaimed');
    this.sum('sallyport_reviews_breached', 'Of those: past their deadline', 'breached');
    this.sum(
      'sallyport_reviews_due_soon',
      'Of those: less than a quarter of the time until their deadline is left',
      'dueSoon',
    );
    this.sum('sallyport_reviews_arrived_24h', 'Reviews opened in the last 24 hours', 'arrived');
    this.gauge(
      'sallyport_reviews_ended_24h',
      'Reviews that ended in the last 24 hours',
      ['queue', 'how'],
      (it, one, queue) => {
        for (const how of ['decided', 'skipped', 'expired', 'cancelled'] as const)
          it.inc({ queue, how }, one[how]);
      },
    );
    this.sum('sallyport_reviews_late_24h', 'Of those: at or after their deadline', 'late');
    this.oldest(clock);
    this.took(
      'sallyport_reviews_seconds_to_claim_24h',
      'From the opening until somebody claimed it or voted, of the last 24 hours',
      (one) => one.secondsToClaim,
    );
    this.took(
      'sallyport_reviews_seconds_to_decide_24h',
      'From the opening until people decided, of the last 24 hours',
      (one) => one.secondsToDecide,
    );
  }

  private sum(name: string, help: string, of: Sum): void {
    this.gauge(name, help, ['queue'], (it, one, queue) => it.inc({ queue }, one[of]));
  }

  private oldest(clock: Clock): void {
    this.scraped.gauge(
      'sallyport_reviews_oldest_age_seconds',
      'For how long the one that waits longest has waited',
      ['queue'],
      (it, { queues }) => {
        const ages = new Map<string, number>();
        for (const { queue: name, oldestAt } of queues) {
          if (oldestAt === null) continue;
          const queue = this.labels.of(name);
          // Several queues may share the label: the oldest of all.
          ages.set(queue, Math.max(ages.get(queue) ?? 0, (clock.now() - oldestAt) / 1000));
        }
        for (const [queue, age] of ages) it.set({ queue }, age);
      },
    );
  }

  private took(name: string, help: string, of: (one: QueueFigures) => Took): void {
    this.gauge(name, help, ['queue', 'quantile'], (it, one, queue) => {
      const { p50, p90 } = of(one);
      // The quantiles of several queues make none of all together.
      if (queue === OTHER || p50 === null || p90 === null) return;
      it.set({ queue, quantile: '0.5' }, p50);
      it.set({ queue, quantile: '0.9' }, p90);
    });
  }

  private gauge(
    name: string,
    help: string,
    labelNames: readonly string[],
    fill: (gauge: Gauge, one: QueueFigures, queue: string) => void,
  ): void {
    this.scraped.gauge(name, help, labelNames, (it, { queues }) => {
      for (const one of queues) fill(it, one, this.labels.of(one.queue));
    });
  }
}
