import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { giveUp } from '../../../src/backlog/dead-letter.js';
import { Database } from '../../../src/database/database.js';
import { Conflict, InvalidInput } from '../../../src/errors.js';
import { coverage } from '../../../src/verdicts/verdicts.queries.js';
import { awsMessage } from '../intake-parts.js';
import { ALICE, listingTest, upload } from './listing-parts.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const it_ = await listingTest();
const { parts, runs } = it_;
const { test, clock, database, intake } = parts;

const ODD = [
  '../up',
  '/lead',
  'a b+c%20d#e?f',
  'new\nline',
  '\u{1f600}',
  '\ufffd',
  'folder/',
  'x'.repeat(1024),
];
const PLAIN = Array.from({ length: 2_950 }, (_, i) => `data/${String(i).padStart(6, '0')}`);
// 2,958 keys, 60 of them with a second version, 20 of those deleted since.
const VERSIONS = PLAIN.length + ODD.length + 60;
const LATEST = PLAIN.length + ODD.length - 20;

beforeAll(async () => {
  await upload(it_.s3, [...ODD, ...PLAIN]);
  await upload(it_.s3, PLAIN.slice(0, 60), (key) => `second of ${key}`);
  for (const Key of PLAIN.slice(0, 20)) {
    await it_.s3.client.send(new DeleteObjectCommand({ Bucket: 'uploads', Key }));
  }
}, 120_000);

const state = async (id: string) => (await runs.find(id)).state;
const perVersion = () =>
  test.query<{ n: number }>(`SELECT count(*)::int AS n FROM scan GROUP BY object_id ORDER BY n DESC LIMIT 1`);

describe('a backfill', () => {
  it('scans every version once, in the order of its turn, and ends with their verdicts', async () => {
    const from = clock.now();
    const run = await it_.backfill();
    await it_.work(it_.lister());
    expect(await it_.count('backlog_item')).toBe(VERSIONS);
    expect(await it_.count('backlog_item', 'priority = 10')).toBe(VERSIONS);
    expect(await it_.count('object_version', 'is_latest')).toBe(LATEST);
    expect(await it_.count('object_version', 'version_id IS NOT NULL')).toBe(VERSIONS);
    expect(await state(run.id)).toBe('running');
    await it_.scanAll();
    await it_.work(it_.lister());
    const done = await runs.find(run.id);
    expect(done).toMatchObject({
      state: 'completed',
      verdicts: { clean: VERSIONS },
      counts: { listed: VERSIONS, enqueued: VERSIONS, settled: VERSIONS, known: 0, markers: 20 },
    });
    expect(done.counts.settledBytes).toBe(done.counts.listedBytes);
    expect((await coverage(database, from, clock.now() + 1)).uploaded).toBe(VERSIONS);
    const actions = await test.query<{ action: string }>(
      'SELECT action FROM audit_event WHERE subject = $1 ORDER BY action',
      [`run:${run.id}`],
    );
    expect(actions.map(({ action }) => action)).toEqual(['backfill.completed', 'backfill.requested']);
  });

  it('begins with an estimate that is right, and waits for a yes', async () => {
    const run = await it_.backfill({ start: false });
    await it_.work(it_.lister());
    const estimated = await runs.find(run.id);
    expect(estimated.state).toBe('estimated');
    expect(estimated.estimate).toMatchObject({
      isExact: true,
      objects: VERSIONS,
      toScan: VERSIONS,
      alreadyDone: 0,
      requests: { list: 4, get: 2 * VERSIONS, putTags: VERSIONS },
      throughput: { basis: 'assumed' },
    });
    expect(await it_.count('backlog_item')).toBe(0);
    await runs.start(run.id, 'user:alice');
    await it_.work(it_.lister());
    expect((await runs.find(run.id)).counts).toMatchObject({
      listed: estimated.estimate?.objects,
      listedBytes: estimated.estimate?.bytes,
    });
  });

  it('extrapolates an estimate when the bucket is larger than it may look into, and says so', async () => {
    const estimateBounds = { pages: 3, samples: 30 };
    const run = await it_.backfill({ start: false });
    await it_.work(it_.lister({ estimateBounds, pageSize: 50 }));
    const { estimate } = await runs.find(run.id);
    expect(estimate?.isExact).toBe(false);
    expect(estimate?.seen).toBeLessThan(VERSIONS);
    expect(estimate?.objects).toBeGreaterThan(VERSIONS / 3);
    expect(estimate?.objects).toBeLessThan(VERSIONS * 3);
  });

  it('that is a dry run ends with its estimate', async () => {
    const run = await it_.backfill({ dryRun: true });
    await it_.work(it_.lister());
    expect(await state(run.id)).toBe('completed');
    expect(await it_.count('object_version')).toBe(0);
    await expect(runs.start(run.id, 'user:alice')).rejects.toThrow(Conflict);
  });

  it('of what is there now leaves older versions out, and one of a time what is outside of it', async () => {
    const current = await it_.backfill({ versions: 'current' });
    await it_.work(it_.lister());
    expect((await runs.find(current.id)).counts).toMatchObject({ enqueued: LATEST, outOfScope: 80 });
    const future = await it_.backfill({ uploadedAfter: Date.UTC(2100, 0, 1) });
    await it_.work(it_.lister());
    expect((await runs.find(future.id)).counts).toMatchObject({ enqueued: 0, outOfScope: VERSIONS });
    await expect(it_.backfill({ uploadedAfter: 2, uploadedBefore: 1 })).rejects.toThrow(InvalidInput);
  });

  it('counts what the ledger has as done, and scans it again only when that is asked for', async () => {
    const first = await it_.backfill({}, { prefix: 'data/0000' });
    await it_.work(it_.lister());
    // What is on its way to a verdict is not asked for a second time either.
    const beside = await it_.backfill({ rescan: true }, { prefix: 'data/0000' });
    await it_.work(it_.lister());
    expect((await runs.find(beside.id)).counts).toMatchObject({ enqueued: 0, known: 160 });
    await it_.scanAll('infected');
    const second = await it_.backfill({}, { prefix: 'data/0000' });
    await it_.work(it_.lister());
    expect(await runs.find(second.id)).toMatchObject({
      state: 'completed',
      counts: { known: 160, enqueued: 0 },
      estimate: { alreadyDone: 160, toScan: 0 },
    });
    const again = await it_.backfill({ rescan: true }, { prefix: 'data/0000' });
    await it_.work(it_.lister());
    expect((await runs.find(again.id)).counts).toMatchObject({ known: 0, enqueued: 160 });
    expect(await it_.count('scan', 'generation = 2')).toBe(160);
    expect((await runs.find(first.id)).verdicts).toEqual({ infected: 160 });
  });

  it('keeps to the trigger rules: what they deny is in the ledger as skipped, and counted as an upload', async () => {
    await test.query(
      `INSERT INTO trigger_rule (name, effect, position, prefix, event_kinds, workflow_name, priority, enabled)
       VALUES ('no_zeros', 'deny', 1, 'data/000000', '{created}', 'scan_upload', 50, true)`,
    );
    const from = clock.now();
    const run = await it_.backfill({}, { prefix: 'data/00000' });
    await it_.work(it_.lister());
    expect((await runs.find(run.id)).counts).toMatchObject({ skipped: 2, enqueued: 18 });
    const skipped = await test.query(
      `SELECT o.verdict, v.reason FROM object_version o JOIN verdict v ON v.id = o.verdict_id`,
    );
    expect(skipped).toEqual([1, 2].map(() => ({ verdict: 'skipped', reason: 'no_zeros' })));
    expect((await coverage(database, from, clock.now() + 1)).uploaded).toBe(20);
  });

  it('of an object whose event comes later leads to one scan', async () => {
    await it_.backfill({}, { prefix: 'data/00294' });
    await it_.work(it_.lister());
    const [row] = await test.query<{ key: string; version_id: string; size_bytes: string }>(
      'SELECT key, version_id, size_bytes FROM object_version LIMIT 1',
    );
    await intake.accept(awsMessage({ key: row?.key ?? '', versionId: row?.version_id ?? '' }), {
      kind: 'webhook',
    });
    expect(await perVersion()).toEqual([{ n: 1 }]);
  });

  it('of a bucket that is not registered is refused by name', async () => {
    await expect(it_.backfill({}, { bucket: 'elsewhere' })).rejects.toMatchObject({
      problems: [{ path: 'bucket' }],
    });
  });

  it('of a bucket without versions knows what its events told already', async () => {
    await upload(it_.s3, ['p1', 'p2', 'p3'], (key) => key, 'plain');
    const head = await it_.s3.storage.head({ endpointId: 'embedded', bucket: 'plain', key: 'p1' });
    await intake.accept(
      awsMessage({ bucket: 'plain', key: 'p1', eTag: head.eTag, size: head.sizeBytes, sequencer: 'A' }),
      { kind: 'webhook' },
    );
    const run = await it_.backfill({}, { bucket: 'plain' });
    await it_.work(it_.lister());
    expect((await runs.find(run.id)).counts).toMatchObject({ listed: 3, known: 1, enqueued: 2 });
    expect(await it_.count('object_version', 'version_id IS NULL')).toBe(3);
  });
});

describe('steering a backfill', () => {
  it('it lists no more than may wait, and goes on as they are scanned', async () => {
    const run = await it_.backfill();
    const lister = it_.lister({ highWater: 1_500, pageSize: 500 });
    await it_.work(lister);
    // Up to a page more than may wait.
    expect(await it_.count('backlog_item')).toBeGreaterThanOrEqual(1_500);
    expect(await it_.count('backlog_item')).toBeLessThan(2_000);
    let turns = 0;
    while ((await state(run.id)) === 'running' && turns < 20) {
      await it_.scanAll('clean', 700);
      await it_.work(lister);
      expect(await it_.count('backlog_item')).toBeLessThanOrEqual(2_000);
      turns += 1;
    }
    expect(await runs.find(run.id)).toMatchObject({ state: 'completed', verdicts: { clean: VERSIONS } });
  });

  it('a pause holds what waits too; a resume goes on where it was', async () => {
    const run = await it_.backfill();
    await it_.work(it_.lister({ highWater: 1_000 }));
    const before = await it_.count('backlog_item');
    await runs.pause(run.id, 'user:alice');
    expect(await it_.scanAll()).toBe(0);
    await it_.work(it_.lister());
    expect(await it_.count('backlog_item')).toBe(before);
    await expect(runs.pause(run.id, 'user:alice')).rejects.toThrow(Conflict);
    await runs.resume(run.id, 'user:alice');
    await it_.work(it_.lister());
    expect(await it_.scanAll()).toBe(VERSIONS);
    await it_.work(it_.lister());
    expect(await state(run.id)).toBe('completed');
    expect(await perVersion()).toEqual([{ n: 1 }]);
  });

  it('a cancellation takes back what has not begun, says so in the ledger, and a later backfill scans it', async () => {
    const from = clock.now();
    const run = await it_.backfill();
    await it_.work(it_.lister({ highWater: 1_000 }));
    await it_.scanAll('clean', 300);
    const waiting = await it_.count('backlog_item');
    await runs.cancel(run.id, 'user:alice');
    expect(await it_.count('backlog_item')).toBe(0);
    expect(await it_.count('object_version', `verdict = 'skipped'`)).toBe(waiting);
    expect((await coverage(database, from, clock.now() + 1)).verdicts).toEqual({
      clean: 300,
      skipped: waiting,
    });
    await it_.work(it_.lister());
    expect(await it_.count('backlog_item')).toBe(0);
    await expect(runs.resume(run.id, 'user:alice')).rejects.toThrow(Conflict);
    const later = await it_.backfill();
    await it_.work(it_.lister());
    expect((await runs.find(later.id)).counts).toMatchObject({ known: 300, enqueued: VERSIONS - 300 });
  });

  it('while a page is being stored, a pause is heard before the next one, and nothing is half done', async () => {
    const run = await it_.backfill();
    const lister = it_.lister({ pageSize: 100 });
    const working = it_.work(lister);
    while ((await it_.count('backlog_item')) < 200) await new Promise((resolve) => setImmediate(resolve));
    await runs.pause(run.id, 'user:alice');
    await working;
    const { counts, step } = await runs.find(run.id);
    expect(counts.enqueued).toBe(await it_.count('backlog_item'));
    expect(counts.enqueued).toBeLessThan(VERSIONS);
    expect(step).toBeGreaterThan(0);
  });

  it('what cannot start, or is taken out of the queue, holds up neither the end nor the next one', async () => {
    const run = await it_.backfill({}, { prefix: 'data/00000' });
    await it_.work(it_.lister());
    const items = await test.query<{ scan_id: string }>('SELECT scan_id FROM backlog_item ORDER BY scan_id');
    const scanIds = items.map((item) => item.scan_id);
    const dead = { scanId: scanIds[0] ?? '', code: 'NOT_FOUND', reason: 'no such definition' };
    await database.transaction((tx) => giveUp(tx, [dead], Math.floor(clock.now())));
    await test.query('DELETE FROM backlog_item WHERE scan_id = $1', [scanIds[1]]);
    await it_.scanAll();
    await it_.work(it_.lister());
    expect(await runs.find(run.id)).toMatchObject({
      state: 'completed',
      verdicts: { clean: 18, failed: 1, skipped: 1 },
    });
    const again = await it_.backfill({ rescan: true }, { prefix: 'data/00000' });
    await it_.work(it_.lister());
    expect((await runs.find(again.id)).counts.enqueued).toBe(20);
  });

  it('two backfills share what may wait', async () => {
    const big = await it_.backfill();
    const other = await it_.backfill({}, { prefix: '/' });
    await it_.work(it_.lister({ highWater: 1_000, pageSize: 500 }));
    const { counts } = await runs.find(other.id);
    expect(counts.known + counts.enqueued).toBe(1);
    expect((await runs.find(big.id)).counts.enqueued).toBeLessThan(VERSIONS);
  });
});

describe('several nodes and crashes', () => {
  it('two nodes at once enqueue nothing twice', async () => {
    const run = await it_.backfill();
    const nodes = [1, 2, 3].map(() => it_.lister({ pageSize: 100 }));
    for (let round = 0; round < 40; round += 1) {
      await Promise.all(nodes.map((node) => node.turn(new AbortController().signal)));
      if (round % 4 === 0) await it_.analyze();
    }
    expect((await runs.find(run.id)).counts).toMatchObject({ listed: VERSIONS, enqueued: VERSIONS });
    expect(await it_.count('backlog_item')).toBe(VERSIONS);
    expect(await perVersion()).toEqual([{ n: 1 }]);
  });

  it('a node that comes back late, after another went on, stores nothing', async () => {
    const run = await it_.backfill();
    let isLate = true;
    const storage = Object.create(it_.s3.storage) as typeof it_.s3.storage;
    const slow = it_.lister({ storage, pageSize: 500 });
    await it_.lister().turn(new AbortController().signal);
    expect((await runs.find(run.id)).state).toBe('running');
    storage.listPages = async function* (...args) {
      for await (const page of it_.s3.storage.listPages(...args)) {
        if (isLate) {
          isLate = false;
          // Its lease runs out while it waits for its page.
          clock.advance(120_000);
          await it_.work(it_.lister());
        }
        yield page;
      }
    };
    await it_.work(slow);
    expect((await runs.find(run.id)).counts).toMatchObject({ listed: VERSIONS, enqueued: VERSIONS });
    expect(await it_.count('backlog_item')).toBe(VERSIONS);
  });

  it('a node that is killed at any statement loses nothing and repeats nothing', async () => {
    let killed = 0;
    for (let statement = 1; statement < 90; statement += 9) {
      await test.truncate();
      const run = await it_.backfill({}, { prefix: 'data/0000' });
      let left = statement;
      class Dying extends Database {
        override transaction<T>(work: Parameters<Database['transaction']>[0]): Promise<T> {
          return super.transaction((tx) =>
            work({
              query: (text, values) => {
                left -= 1;
                if (left <= 0) throw new Error('killed');
                return tx.query(text, values);
              },
            }),
          ) as Promise<T>;
        }
      }
      const dying = new Dying(test.url, { maxConnections: 2 });
      await it_.work(it_.lister({ database: dying, pageSize: 40 })).catch(() => (killed += 1));
      await dying.close();
      clock.advance(120_000);
      await it_.work(it_.lister({ pageSize: 40 }));
      const { counts } = await runs.find(run.id);
      expect({ ...counts, statement }).toMatchObject({ listed: 160, enqueued: 160, statement });
      expect(await it_.count('backlog_item')).toBe(160);
      expect(await it_.count('listing_item')).toBe(160);
    }
    expect(killed).toBeGreaterThan(4);
  }, 120_000);
});

it('the same request twice under one key is one run', async () => {
  const wish = { options: {} };
  const first = await runs.rescan(wish, { ...ALICE, onceKey: 'x' });
  const second = await runs.rescan(wish, { ...ALICE, onceKey: 'x' });
  expect(second.id).toBe(first.id);
});
