import type { Database } from '../database/database.js';
import { findHeld } from '../database/sql/restoration.js';
import { HealthCheck, type HealthResult } from '../ops/health.js';

/** Says on every page and in every status that a restored service is held, and what lets it go on. */
export class RestoredHealth extends HealthCheck {
  readonly name = 'restore';

  constructor(private readonly db: Database) {
    super();
  }

  async check(): Promise<readonly HealthResult[]> {
    const held = await findHeld(this.db);
    if (held === undefined)
      return [{ name: this.name, healthy: true, detail: 'nothing is held after a restore' }];
    const { backupAt, reconciledAt } = held;
    return [
      {
        name: this.name,
        healthy: true,
        degraded: true,
        state: 'held',
        detail: `restored from a backup of ${new Date(backupAt).toISOString()}: uploads are taken and scanned, but nothing is done to objects and no mail, Slack message or webhook leaves`,
        remedy:
          reconciledAt === undefined
            ? 'Compare the buckets with the ledger: sallyport restore reconcile. Then let it go on: sallyport restore release.'
            : 'Look at what differs: sallyport restore status. Then let it go on: sallyport restore release.',
      },
    ];
  }
}
