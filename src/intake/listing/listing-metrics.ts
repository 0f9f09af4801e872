import { Gauge, type Registry } from 'prom-client';
import type { Database } from '../../database/database.js';
import { silentBuckets } from './sql/bucket-watch.js';
import { openRuns } from './sql/runs.js';
import { outstanding } from './run.js';

const MAX_SERIES = 100;

/** What an operator wants to be told of listings; read when it is asked for, the same on every node. */
export function registerListingMetrics(metrics: Registry, database: Database): void {
  metrics.registerMetric(
    new Gauge({
      name: 'sallyport_missed_uploads',
      help: 'Uploads that were found and no event told of, by bucket, until a comparison misses nothing',
      labelNames: ['endpoint', 'bucket'],
      registers: [],
      async collect() {
        this.reset();
        for (const { endpointId, bucket, missed } of await silentBuckets(database, MAX_SERIES)) {
          this.set({ endpoint: endpointId, bucket }, missed);
        }
      },
    }),
  );
  metrics.registerMetric(
    new Gauge({
      name: 'sallyport_listing_waiting',
      help: 'Scans of open backfills, rescans and reconciliations that have no verdict yet',
      labelNames: ['kind', 'state'],
      registers: [],
      async collect() {
        this.reset();
        for (const run of await openRuns(database, MAX_SERIES)) {
          this.inc({ kind: run.kind, state: run.state }, outstanding(run));
        }
      },
    }),
  );
}
