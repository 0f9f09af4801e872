import { pino } from 'pino';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { BacklogBell } from '../../src/backlog/backlog-bell.js';
import { RestoreService } from '../../src/backup/restore.service.js';
import { Database } from '../../src/database/database.js';
import { ListingBell } from '../../src/intake/listing/listing-bell.js';
import { ListingRuns } from '../../src/intake/listing/runs.service.js';
import { HealthRegistry } from '../../src/ops/health.js';
import { OutboxBell } from '../../src/outbound/outbox-bell.js';
import { Buckets, type BucketPolicy } from '../../src/s3/buckets.js';
import { startTestS3 } from '../s3/endpoint.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { markRestored } from '../support/restoration.js';

const OPERATOR = 'user:alice';
const MANY = 101;

class ManyBuckets extends Buckets {
  constructor(private readonly policies: readonly BucketPolicy[]) {
    super();
  }
  list(): readonly BucketPolicy[] {
    return this.policies;
  }
  find(endpointId: string, bucket: string): BucketPolicy | undefined {
    return this.policies.find((one) => one.endpointId === endpointId && one.bucket === bucket);
  }
  byName(bucket: string): BucketPolicy | undefined {
    return this.policies.find((one) => one.bucket === bucket);
  }
}

const test = await testDatabase();
const db = new Database(test.url, { maxConnections: 8 });
const s3 = await startTestS3();
const services: RestoreService[] = [];
let clock: FakeClock;
let held: string;

/** A service and its runs, as one process has them. */
function processOf(
  count: number,
  { quarantineBucket = 'quarantine' }: { readonly quarantineBucket?: string } = {},
) {
  const buckets = new ManyBuckets(
    Array.from({ length: count }, (_, n) => ({
      endpointId: 'embedded',
      bucket: `b${n}`,
      actionMode: 'quarantine' as const,
      required: [],
      quarantineBucket,
    })),
  );
  const runs = new ListingRuns(db, clock, buckets, new ListingBell(), new BacklogBell());
  const log = pino({ level: 'silent' });
  const health = new HealthRegistry();
  const service = new RestoreService(
    s3.config,
    log,
    db,
    clock,
    buckets,
    runs,
    s3.storage,
    new OutboxBell(),
    health,
  );
  services.push(service);
  return { runs, service };
}

beforeEach(async () => {
  await test.truncate();
  clock = new FakeClock(Date.parse('2026-03-02T00:00:00Z'));
  held = await markRestored(db);
});
afterAll(async () => {
  for (const service of services) await service.beforeApplicationShutdown();
  await db.close();
  await s3.close();
});

/** As the lister ends them. */
const endRuns = () =>
  db.query<{ bucket: string }>(
    `UPDATE listing_run SET state = 'completed', listed_at = 1, ended_at = 1 WHERE state = 'running' RETURNING bucket`,
  );
const found = async (service: RestoreService) => (await service.state()).restoration?.reconciliation;
const looked = (service: RestoreService) =>
  eventually(async () => {
    const now = await found(service);
    return now?.quarantine != null || now?.error != null;
  });

describe('the comparison after a restore', () => {
  it.each([
    ['half done', async () => undefined],
    ['paused', (runs: ListingRuns, id: string) => runs.pause(id, OPERATOR)],
  ])('takes no comparison for its own that the backup knew %s', async (_, change) => {
    const { runs, service } = processOf(1);
    const nightly = await runs.reconcile(
      { bucket: 'b0' },
      { actor: 'system:schedules', cause: 'schedule nightly' },
    );
    await db.query(`UPDATE listing_run SET place_key = 'm', checked_key = 'm'`);
    await change(runs, nightly.id);
    await service.reconcile(OPERATOR);
    const [own, ...others] = (await found(service))?.buckets ?? [];
    expect(others).toEqual([]);
    expect(own?.id).not.toBe(nightly.id);
    expect(await runs.find(own?.id ?? '')).toMatchObject({
      state: 'running',
      cause: `restore ${held}`,
      place: undefined,
      checkedKey: undefined,
      options: { graceMs: 0 },
    });
  });

  it(`lists a few of ${MANY} buckets at a time, goes on to the last, and each once`, async () => {
    const { service } = processOf(MANY);
    const begun = (await service.reconcile(OPERATOR)).restoration?.reconciliation;
    expect(begun).toMatchObject({ waiting: MANY - 4, isComplete: false });
    await looked(service);
    const listed: string[] = [];
    for (let next = await endRuns(); next.length > 0; next = await endRuns()) {
      listed.push(...next.map(({ bucket }) => bucket));
      await eventually(async () => {
        clock.advance(2_000);
        return (await found(service))?.waiting === Math.max(0, MANY - 4 - listed.length);
      });
    }
    expect(listed).toHaveLength(MANY);
    expect(new Set(listed).size).toBe(MANY);
    expect(await found(service)).toMatchObject({ waiting: 0, isComplete: true });
  });

  it('that a process left in the middle is gone on with, and not begun anew', async () => {
    const { service } = processOf(10);
    await service.reconcile(OPERATOR);
    await looked(service);
    await service.beforeApplicationShutdown();
    await endRuns();
    const next = processOf(10).service;
    const { restoration } = await next.reconcile(OPERATOR);
    expect(restoration?.reconciliation).toMatchObject({ waiting: 2 });
    expect(restoration?.reconciliation?.buckets.map(({ bucket, state }) => [bucket, state])).toEqual([
      ...['b0', 'b1', 'b2', 'b3'].map((bucket) => [bucket, 'completed']),
      ...['b4', 'b5', 'b6', 'b7'].map((bucket) => [bucket, 'running']),
    ]);
  });

  it('is not complete where S3 did not tell of a quarantined object, and nothing is let go on by it', async () => {
    await db.query(
      `INSERT INTO quarantined_object (scan_id, endpoint_id, bucket, key, etag, quarantine_bucket, quarantine_key, size_bytes, state, created_at, updated_at)
       VALUES (gen_random_uuid(), 's3', 'b0', 'k', 'e', 'quarantine', 'k', 1, 'moved', 1, 1)`,
    );
    const { service } = processOf(1);
    s3.endpoints.reachability.failed('s3', { code: 'ECONNREFUSED' });
    await service.reconcile(OPERATOR);
    await looked(service);
    await endRuns();
    expect(await found(service)).toMatchObject({ quarantine: { unknown: 1 }, isComplete: false });
    await expect(
      service.release({ reason: 'looked at it', withoutReconciling: false }, OPERATOR),
    ).rejects.toThrow(/not compared with the ledger to the end/);
  });

  it('keeps what it found of quarantined objects where a later part of it fails, and says which', async () => {
    const { service } = processOf(1, { quarantineBucket: 'nowhere' });
    await service.reconcile(OPERATOR);
    await looked(service);
    await endRuns();
    expect(await found(service)).toMatchObject({
      quarantine: { compared: 0, unknown: 0 },
      left: null,
      error: expect.stringMatching(/^quarantine buckets: .*NoSuchBucket/) as string,
      isComplete: true,
    });
  });
});
