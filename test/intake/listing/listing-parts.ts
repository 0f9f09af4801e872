import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { Database } from '../../../src/database/database.js';
import { ListingBell } from '../../../src/intake/listing/listing-bell.js';
import { Lister, type ListerParts } from '../../../src/intake/listing/lister.js';
import { ASSUMED_PRICES } from '../../../src/intake/listing/estimate.js';
import type { BackfillOptions, Run } from '../../../src/intake/listing/run.js';
import { ListingRuns } from '../../../src/intake/listing/runs.service.js';
import { Alerts } from '../../../src/outbound/alerts.js';
import { OutboxBell } from '../../../src/outbound/outbox-bell.js';
import { PostgresOutbox } from '../../../src/outbound/postgres-outbox.js';
import type { ObjectStorage } from '../../../src/s3/object-storage.js';
import type { Verdict } from '../../../src/verdicts/verdict.js';
import { startTestS3, type TestS3 } from '../../s3/endpoint.js';
import { intakeParts, type IntakeParts } from '../intake-parts.js';

export const ALICE = { actor: 'user:alice', cause: 'request' };

export const options = (some: Partial<BackfillOptions> = {}): BackfillOptions => ({
  versions: 'all',
  rescan: false,
  dryRun: false,
  start: true,
  ...some,
});

const log = pino({ level: 'silent' });
const running = new AbortController().signal;

/** Runs, listers and a bucket behind them; the bucket outlives the tests of a file, the database does not. */
export class ListingTest {
  readonly runs: ListingRuns;
  s3!: TestS3;
  private nodes = 0;

  constructor(readonly parts: IntakeParts) {
    const { database, clock, buckets, bell } = parts;
    this.runs = new ListingRuns(database, clock, buckets, new ListingBell(), bell);
    beforeAll(async () => {
      this.s3 = await startTestS3();
    });
    afterAll(() => this.s3.close());
    beforeEach(() => parts.test.truncate());
  }

  /** A node's lister, as it would be in a process of its own. */
  lister(some: Partial<ListerParts> & { database?: Database; storage?: ObjectStorage } = {}): Lister {
    const { database, clock, buckets, rules, bell } = this.parts;
    this.nodes += 1;
    return new Lister({
      database,
      clock,
      buckets,
      rules,
      bell,
      alerts: new Alerts(new PostgresOutbox(clock, new OutboxBell()), { ALERT_TO: ['ops@example.org'] }),
      log,
      storage: this.s3.storage,
      owner: `node-${this.nodes}`,
      highWater: 1_000_000,
      prices: ASSUMED_PRICES,
      ...some,
    });
  }

  /** Turns until nothing gets on. */
  async work(lister: Lister, turns = 1_000): Promise<void> {
    for (let n = 0; n < turns; n += 1) {
      if (!(await lister.turn(running))) return;
      if (n % 4 === 0) await this.analyze();
    }
  }

  /** What autovacuum does in a database that lives longer than a test: without it plans are for empty tables. */
  async analyze(): Promise<void> {
    const admin = new pg.Client(this.parts.test.adminUrl);
    await admin.connect();
    try {
      await admin.query('ANALYZE object_version, scan, verdict, backlog_item, listing_item');
    } finally {
      await admin.end();
    }
  }

  /** What the dispatcher and the workers would do with all that waits: every scan gets this verdict. */
  async scanAll(verdict: Verdict = 'clean', limit = 1_000_000): Promise<number> {
    const { test, clock } = this.parts;
    const at = Math.floor(clock.now());
    const rows = await test.query(
      `WITH taken AS (
         DELETE FROM backlog_item WHERE scan_id IN (
           SELECT scan_id FROM backlog_item WHERE NOT postponed AND not_before <= $2 ORDER BY enqueued_at, scan_id LIMIT $3)
         RETURNING scan_id, object_id
       ), said AS (
         INSERT INTO verdict (object_id, scan_id, generation, verdict, reason, engines, bytes_scanned, bytes_total,
                              not_covered, at)
         SELECT t.object_id, t.scan_id, s.generation, $1, '', '[]', 0, 0, '[]', $2
           FROM taken t JOIN scan s ON s.id = t.scan_id RETURNING id, object_id, generation
       ), shown AS (
         UPDATE object_version o SET verdict = $1, verdict_id = said.id, verdict_generation = said.generation
           FROM said WHERE o.id = said.object_id
       )
       UPDATE scan s SET started_at = $2, verdict_at = $2, closed_at = $2 FROM taken t WHERE s.id = t.scan_id
       RETURNING s.id`,
      [verdict, at, limit],
    );
    return rows.length;
  }

  async count(table: string, where = 'true'): Promise<number> {
    const [row] = await this.parts.test.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM ${table} WHERE ${where}`,
    );
    return row?.n ?? -1;
  }

  backfill(
    some: Partial<BackfillOptions> = {},
    where: { bucket?: string; prefix?: string } = {},
  ): Promise<Run> {
    const { bucket = 'uploads', prefix = '' } = where;
    return this.runs.backfill({ bucket, prefix, options: options(some) }, ALICE);
  }
}

export async function listingTest(): Promise<ListingTest> {
  return new ListingTest(await intakeParts());
}

/** Uploads side by side. */
export async function upload(
  s3: TestS3,
  keys: readonly string[],
  body: (key: string) => string = (key) => key,
  bucket = 'uploads',
): Promise<void> {
  for (let at = 0; at < keys.length; at += 50) {
    await Promise.all(keys.slice(at, at + 50).map((key) => s3.put(key, body(key), bucket)));
  }
}
