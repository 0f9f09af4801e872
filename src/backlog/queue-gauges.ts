import { Inject, Injectable } from '@nestjs/common';
import type { Registry } from 'prom-client';
import { Clock } from '../clock.js';
import { BoundedLabels } from '../engine/observability/bounded-labels.js';
import { LOG, type Log } from '../ops/log.js';
import { METRICS } from '../ops/metrics.js';
import { Scraped } from '../ops/scraped.js';
import { QueueReadings, type QueueReading } from './queue-readings.js';
import type { LaneRow } from './sql/queue-lanes.js';

// Buckets are registered by people; those of them that come later share a label.
const MAX_BUCKETS = 500;
const LABELS = ['endpoint', 'bucket', 'source'];

/** What the backlog holds, read at a scrape. */
@Injectable()
export class QueueGauges {
  private readonly buckets = new BoundedLabels(MAX_BUCKETS);

  constructor(
    @Inject(METRICS) registry: Registry,
    @Inject(LOG) log: Log,
    readings: QueueReadings,
    clock: Clock,
  ) {
    const backlog = new Scraped<QueueReading>(
      registry,
      () => readings.current(),
      (error) =>
        log.debug({ err: error }, 'the figures of the backlog could not be read; the last ones are shown'),
    );
    const counted = (name: string, help: string, rows: (read: QueueReading) => readonly Counted[]) =>
      backlog.gauge(name, help, LABELS, (it, read) => {
        for (const { lane, value } of rows(read)) it.inc(this.labelsOf(lane), value);
      });
    counted('sallyport_backlog_waiting', 'Scans that wait to be started', (read) =>
      read.waiting.map((lane) => ({ lane, value: lane.count })),
    );
    counted('sallyport_backlog_waiting_bytes', 'What they have to read', (read) =>
      read.waiting.map((lane) => ({ lane, value: lane.bytes })),
    );
    counted('sallyport_backlog_running', 'Scans that were started and have no verdict yet', (read) =>
      read.running.map((lane) => ({ lane, value: lane.count })),
    );
    counted('sallyport_backlog_running_bytes', 'The bytes of their objects', (read) =>
      read.running.map((lane) => ({ lane, value: lane.bytes })),
    );
    counted('sallyport_backlog_dead_letters', 'Scans that could not be started', (read) =>
      read.dead.map((lane) => ({ lane, value: lane.count })),
    );
    backlog.gauge(
      'sallyport_backlog_oldest_age_seconds',
      'For how long the one that waits longest has waited',
      LABELS,
      (it, read) => {
        const ages = new Map<string, { labels: Labels; age: number }>();
        for (const lane of read.waiting) {
          const labels = this.labelsOf(lane);
          const age = Math.max(0, clock.now() - lane.oldest_at) / 1000;
          const key = JSON.stringify(labels);
          if (age >= (ages.get(key)?.age ?? 0)) ages.set(key, { labels, age });
        }
        for (const { labels, age } of ages.values()) it.set(labels, age);
      },
    );
    backlog.gauge('sallyport_backlog_pauses', 'Queues that somebody stopped', [], (it, read) =>
      it.set(read.pauses.length),
    );
  }

  private labelsOf(lane: LaneRow): Labels {
    const name = this.buckets.of(JSON.stringify([lane.endpoint_id, lane.bucket]));
    const isOther = !name.startsWith('[');
    return {
      endpoint: isOther ? name : lane.endpoint_id,
      bucket: isOther ? name : lane.bucket,
      source: lane.source_class,
    };
  }
}

type Labels = { readonly endpoint: string; readonly bucket: string; readonly source: string };

interface Counted {
  readonly lane: LaneRow;
  readonly value: number;
}
