import { DeleteObjectCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { EventsHealth } from '../../../src/intake/listing/listing-health.js';
import type { ReconcileOptions } from '../../../src/intake/listing/run.js';
import { watchBuckets } from '../../../src/intake/listing/sql/bucket-watch.js';
import { ObjectStorage } from '../../../src/s3/object-storage.js';
import { StorageError } from '../../../src/s3/storage-error.js';
import { awsMessage } from '../intake-parts.js';
import { startLyingServer } from '../../s3/lying-listing.js';
import { ALICE, listingTest, upload } from './listing-parts.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const it_ = await listingTest();
const { parts, runs } = it_;
const { test, clock, database, intake } = parts;
const webhook = { kind: 'webhook' } as const;
const MINUTE = 60_000;

/** The endpoint stamps uploads with the real time, and the fake clock follows it. */
const toRealTime = (plusMs: number) => clock.advance(Date.now() + plusMs - clock.now());

let prefixes = 0;
let prefix = '';
beforeEach(async () => {
  prefixes += 1;
  prefix = `r${prefixes}/`;
  toRealTime(0);
  await watchBuckets(database, parts.buckets.list(), Date.now());
});

const reconcile = async (
  some: Partial<ReconcileOptions> = {},
  where: { bucket?: string; prefix?: string } = {},
) => {
  const run = await runs.reconcile(
    {
      bucket: where.bucket ?? 'uploads',
      prefix: where.prefix ?? prefix,
      options: { graceMs: 10 * MINUTE, ...some },
    },
    ALICE,
  );
  await it_.work(it_.lister({ pageSize: 7 }));
  return runs.find(run.id);
};
const tell = (key: string, versionId: string | undefined, eTag: string) =>
  intake.accept(awsMessage({ key, eTag, ...(versionId !== undefined && { versionId }) }), webhook);

/** Uploads, of which every event arrives but those of `lost`. */
async function uploaded(keys: readonly string[], lost: readonly string[] = []) {
  const objects = [];
  for (const key of keys) {
    const object = await it_.s3.put(`${prefix}${key}`, `bytes of ${key}`);
    objects.push(object);
    if (!lost.includes(key)) await tell(object.key, object.versionId, object.eTag);
  }
  return objects;
}

/** Takes away what the other tests uploaded, perhaps within the same second. */
async function emptied(): Promise<void> {
  for (;;) {
    const { Versions = [], DeleteMarkers = [] } = await it_.s3.client.send(
      new ListObjectVersionsCommand({ Bucket: 'uploads' }),
    );
    if (Versions.length + DeleteMarkers.length === 0) return;
    for (const { Key, VersionId } of [...Versions, ...DeleteMarkers])
      await it_.s3.client.send(new DeleteObjectCommand({ Bucket: 'uploads', Key, VersionId }));
  }
}

describe('comparing a bucket with the ledger', () => {
  const keys = Array.from({ length: 40 }, (_, i) => `k${i}`);

  it('finds the upload whose event was dropped, scans it before older work, and counts the rest as known', async () => {
    await uploaded(keys, ['k17', 'k3']);
    toRealTime(20 * MINUTE);
    const run = await reconcile();
    expect(run.counts).toMatchObject({
      listed: 40,
      known: 38,
      missing: 2,
      enqueued: 2,
      vanished: 0,
      older: 0,
    });
    const found = await test.query(
      `SELECT b.priority, b.source_class, o.key FROM backlog_item b JOIN object_version o ON o.id = b.object_id
        WHERE b.input->>'source' = 'reconcile' ORDER BY o.key`,
    );
    expect(found).toEqual(
      ['k17', 'k3'].map((key) => ({ priority: 40, source_class: 'upload', key: `${prefix}${key}` })),
    );
    await it_.scanAll();
    await it_.work(it_.lister());
    expect(await runs.find(run.id)).toMatchObject({ state: 'completed', verdicts: { clean: 2 } });
    const again = await reconcile();
    expect(again).toMatchObject({ state: 'completed', counts: { missing: 0, enqueued: 0, known: 40 } });
  });

  it('leaves uploads of the last minutes to their events', async () => {
    await uploaded(['a', 'b'], ['b']);
    expect((await reconcile()).counts).toMatchObject({ known: 1, young: 1, missing: 0, enqueued: 0 });
  });

  it('tells what was there before the bucket was watched, and scans it only when that is asked for', async () => {
    await uploaded(['a', 'b', 'c'], ['a', 'b', 'c']);
    await test.query('UPDATE bucket_watch SET since = $1', [Date.now() + 60 * MINUTE]);
    toRealTime(120 * MINUTE);
    expect((await reconcile()).counts).toMatchObject({ older: 3, missing: 0, enqueued: 0 });
    expect((await reconcile({ includeOlder: true })).counts).toMatchObject({ older: 3, enqueued: 3 });
    expect(await new EventsHealth(database).check()).toMatchObject([{ healthy: true }]);
  });

  it('marks what vanished without an event, and nothing else', async () => {
    const objects = await uploaded(keys);
    const gone = objects.slice(5, 20);
    for (const { bucket, key, versionId } of gone) {
      await it_.s3.client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId }));
    }
    toRealTime(20 * MINUTE);
    const run = await reconcile();
    expect(run.counts).toMatchObject({ known: 25, vanished: 15, missing: 0 });
    const marked = await test.query<{ key: string }>(
      'SELECT key FROM object_version WHERE deleted_at IS NOT NULL ORDER BY key',
    );
    expect(marked.map(({ key }) => key)).toEqual(gone.map(({ key }) => key).sort());
    expect((await reconcile()).counts.vanished).toBe(0);
  });

  it('tells versions of one key apart, also where a page ends between them', async () => {
    for (let i = 0; i < 20; i += 1) await uploaded(['many'], i % 5 === 0 ? ['many'] : []);
    const rows = await test.query<{ version_id: string }>('SELECT version_id FROM object_version LIMIT 3');
    for (const { version_id: VersionId } of rows) {
      await it_.s3.client.send(
        new DeleteObjectCommand({ Bucket: 'uploads', Key: `${prefix}many`, VersionId }),
      );
    }
    toRealTime(20 * MINUTE);
    expect((await reconcile()).counts).toMatchObject({ listed: 17, known: 13, missing: 4, vanished: 3 });
  });

  it('of a bucket without versions finds lost uploads and deletions', async () => {
    await upload(
      it_.s3,
      ['x', 'y', 'z'].map((key) => `${prefix}${key}`),
      (key) => key,
      'plain',
    );
    const run = await runs.backfill(
      { bucket: 'plain', prefix, options: { versions: 'all', rescan: false, dryRun: false, start: true } },
      ALICE,
    );
    await it_.work(it_.lister());
    await it_.scanAll();
    await it_.s3.client.send(new DeleteObjectCommand({ Bucket: 'plain', Key: `${prefix}x` }));
    await it_.s3.put(`${prefix}y`, 'newer bytes', 'plain');
    toRealTime(20 * MINUTE);
    expect((await reconcile({}, { bucket: 'plain' })).counts).toMatchObject({
      listed: 2,
      known: 1,
      missing: 1,
      vanished: 1,
    });
    expect(await it_.count('object_version', 'is_latest')).toBe(2);
    expect((await runs.find(run.id)).counts.enqueued).toBe(3);
  });

  it('an upload during the listing is not taken for vanished', async () => {
    await uploaded(keys);
    const storage = Object.create(it_.s3.storage) as ObjectStorage;
    let isFirst = true;
    storage.listPages = async function* (...args) {
      for await (const page of it_.s3.storage.listPages(...args)) {
        // Its event is here before its page is compared, and its page was listed before it came.
        if (isFirst) await uploaded(['k05-during']);
        isFirst = false;
        yield page;
      }
    };
    const run = await runs.reconcile({ bucket: 'uploads', prefix, options: { graceMs: 0 } }, ALICE);
    await it_.work(it_.lister({ storage, pageSize: 50 }));
    expect((await runs.find(run.id)).counts.vanished).toBe(0);
    expect(await it_.count('object_version', 'deleted_at IS NOT NULL')).toBe(0);
  });

  it('whoever may not look says nothing of an object', async () => {
    const [object] = await uploaded(['a']);
    await it_.s3.client.send(
      new DeleteObjectCommand({ Bucket: 'uploads', Key: object?.key, VersionId: object?.versionId }),
    );
    toRealTime(20 * MINUTE);
    const storage = Object.create(it_.s3.storage) as ObjectStorage;
    storage.head = () => Promise.reject(new StorageError('denied', 'AccessDenied', 'no'));
    const run = await runs.reconcile({ bucket: 'uploads', prefix }, ALICE);
    await it_.work(it_.lister({ storage }));
    expect((await runs.find(run.id)).counts.vanished).toBe(0);
  });

  it('goes on where it was after a crash between two pages', async () => {
    await uploaded(keys, ['k30']);
    toRealTime(20 * MINUTE);
    const run = await runs.reconcile({ bucket: 'uploads', prefix }, ALICE);
    const storage = Object.create(it_.s3.storage) as ObjectStorage;
    let pages = 0;
    storage.listPages = async function* (...args) {
      for await (const page of it_.s3.storage.listPages(...args)) {
        if ((pages += 1) === 3) throw new Error('killed');
        yield page;
      }
    };
    await expect(it_.work(it_.lister({ storage, pageSize: 7 }))).rejects.toThrow('killed');
    expect((await runs.find(run.id)).counts.listed).toBe(14);
    await it_.work(it_.lister({ pageSize: 7 }));
    expect((await runs.find(run.id)).counts).toMatchObject({ listed: 40, known: 39, missing: 1 });
  });

  it('of the same bucket is begun once while it lasts', async () => {
    const first = await runs.reconcile({ bucket: 'uploads', prefix }, ALICE);
    expect((await runs.reconcile({ bucket: 'uploads', prefix }, ALICE)).id).toBe(first.id);
  });
});

describe('events that do not arrive', () => {
  it('are an alert once, with the bucket and since when, until a comparison misses nothing', async () => {
    await emptied();
    const health = new EventsHealth(database);
    const [first] = await uploaded(['one', 'two'], ['one', 'two']);
    const since = await it_.s3.storage.head(first!);
    toRealTime(20 * MINUTE);
    await test.query('UPDATE bucket_watch SET since = $1', [Date.parse(since.lastModified) + 15 * MINUTE]);
    await reconcile({}, { prefix: '' });
    expect(await health.check()).toMatchObject([
      { degraded: true, detail: expect.stringContaining('2 uploads to uploads') as string },
    ]);
    const [watch] = await test.query<{ missed: string; alerted_at: string; missed_since: string }>(
      `SELECT missed, alerted_at, missed_since FROM bucket_watch WHERE bucket = 'uploads'`,
    );
    expect(Number(watch?.missed_since)).toBe(Date.parse(since.lastModified));
    await uploaded(['three'], ['three']);
    toRealTime(40 * MINUTE);
    await reconcile({}, { prefix: '' });
    const [later] = await test.query<{ missed: string; alerted_at: string }>(
      `SELECT missed, alerted_at FROM bucket_watch WHERE bucket = 'uploads'`,
    );
    expect(later).toMatchObject({ missed: '3', alerted_at: watch?.alerted_at });
    const mails = await test.query<{ payload: { subject: string; text: string } }>(
      'SELECT payload FROM outbox',
    );
    expect(mails).toHaveLength(1);
    expect(mails[0]?.payload.subject).toBe('Sallyport: events of uploads do not arrive');
    expect(mails[0]?.payload.text).toContain(since.lastModified);
    await it_.scanAll();
    await reconcile({}, { prefix: '' });
    expect(await health.check()).toMatchObject([
      { healthy: true, detail: expect.stringContaining('no upload') as string },
    ]);
  });
});

describe('a server whose listing lies', () => {
  it('ends the run with the reason, marks nothing as vanished behind it, and a resume goes on', async () => {
    await uploaded(['a', 'b']);
    toRealTime(20 * MINUTE);
    const liar = await startLyingServer(() => ({ entries: [{ key: `${prefix}b` }, { key: `${prefix}a` }] }));
    const run = await runs.reconcile({ bucket: 'uploads', prefix }, ALICE);
    await it_.work(it_.lister({ storage: liar.storage }));
    await liar.close();
    expect(await runs.find(run.id)).toMatchObject({
      state: 'failed',
      lastError: expect.stringContaining('out of order') as string,
    });
    expect(await it_.count('object_version', 'deleted_at IS NOT NULL')).toBe(0);
    await runs.resume(run.id, 'user:alice');
    await it_.work(it_.lister());
    expect(await runs.find(run.id)).toMatchObject({ state: 'completed', counts: { known: 2 } });
  });

  it('or that is busy is asked again later and later', async () => {
    const run = await runs.reconcile({ bucket: 'uploads', prefix }, ALICE);
    const storage = Object.create(it_.s3.storage) as ObjectStorage;
    let asked = 0;
    storage.listingKind = () => {
      asked += 1;
      return Promise.reject(new StorageError('throttled', 'SlowDown', 'busy'));
    };
    const lister = it_.lister({ storage });
    await it_.work(lister);
    await it_.work(lister);
    expect(asked).toBe(1);
    clock.advance(10_000);
    await it_.work(lister);
    expect(asked).toBe(2);
    expect(await runs.find(run.id)).toMatchObject({ state: 'running', failures: 2 });
    clock.advance(60_000);
    await it_.work(it_.lister());
    expect(await runs.find(run.id)).toMatchObject({ state: 'completed', failures: 0, lastError: undefined });
  });
});
