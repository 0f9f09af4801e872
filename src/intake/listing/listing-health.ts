import type { Database } from '../../database/database.js';
import { HealthCheck, type HealthResult } from '../../ops/health.js';
import { silentBuckets } from './sql/bucket-watch.js';

// The first few say what is wrong; the rest is in the list of runs.
const SHOWN = 5;

/** Whether the events of the buckets arrive, as far as comparing buckets with the ledger tells. */
export class EventsHealth extends HealthCheck {
  readonly name = 'bucket_events';

  constructor(private readonly database: Database) {
    super();
  }

  async check(): Promise<readonly HealthResult[]> {
    const silent = await silentBuckets(this.database, SHOWN);
    if (silent.length === 0) {
      return [{ name: this.name, healthy: true, detail: 'no upload is known that no event told of' }];
    }
    return silent.map(({ bucket, missed, missedSince = 0 }) => ({
      name: this.name,
      healthy: true,
      degraded: true,
      state: 'missed',
      detail: `${missed} uploads to ${bucket} were found that no event told of, the oldest of ${new Date(missedSince).toISOString()}; they are scanned`,
      remedy: `Check the notification of ${bucket} and what carries it: sallyport doctor.`,
    }));
  }
}
