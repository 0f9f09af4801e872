import { pino } from 'pino';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { InvalidInput } from '../../../src/errors.js';
import { EngineWatch } from '../../../src/intake/listing/engine-watch.js';
import { RescanWish } from '../../../src/intake/listing/input.js';
import { ReconcileJob } from '../../../src/intake/listing/jobs/reconcile.job.js';
import { RescanJob } from '../../../src/intake/listing/jobs/rescan.job.js';
import { listRuns } from '../../../src/intake/listing/sql/runs.js';
import { ListingWishes } from '../../../src/intake/listing/wishes.js';
import type { EngineVersion } from '../../../src/tasks/scan/engine-versions.js';
import type { Verdict } from '../../../src/verdicts/verdict.js';
import { ALICE, listingTest, upload } from './listing-parts.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const it_ = await listingTest();
const { parts, runs } = it_;
const { test, clock, database, buckets } = parts;
const wishes = new ListingWishes(runs, buckets, clock);
const DAY = 86_400_000;
const KEYS = Array.from({ length: 60 }, (_, i) => `o${String(i).padStart(2, '0')}`);
beforeAll(() => upload(it_.s3, KEYS));

/** The bucket's objects with their verdicts; every object `clean` and first seen now, unless told otherwise. */
async function scanned(verdict: Verdict = 'clean', prefix = ''): Promise<void> {
  await it_.backfill({}, { prefix });
  await it_.work(it_.lister());
  await it_.scanAll(verdict);
  await it_.work(it_.lister());
}
const rescans = () => listRuns(database, { kind: 'rescan' }, { limit: 100 });
const work = () => it_.work(it_.lister({ pageSize: 11 }));
const rescan = async (wish: Partial<RescanWish>) => {
  const { id } = await wishes.rescan(RescanWish.parse(wish), ALICE);
  await work();
  return runs.find(id);
};

describe('a rescan', () => {
  it('scans what the ledger has again, as new generations, between uploads and backfills', async () => {
    await scanned();
    clock.advance(DAY);
    const run = await rescan({});
    expect(run.counts).toMatchObject({ listed: 60, enqueued: 60 });
    expect(await it_.count('scan', 'generation = 2')).toBe(60);
    expect(await it_.count('backlog_item', `priority = 30 AND source_class = 'rescan'`)).toBe(60);
    await it_.scanAll('infected');
    await work();
    expect(await runs.find(run.id)).toMatchObject({ state: 'completed', verdicts: { infected: 60 } });
    // Nothing of it is clean any more, and a list of what is tells so.
    expect((await rescan({ verdicts: ['clean'] })).counts.enqueued).toBe(0);
  });

  it('takes what its verdict, its age, its last scan and its prefix let it take', async () => {
    await scanned('clean', 'o0');
    clock.advance(10 * DAY);
    await scanned('incomplete', 'o1');
    clock.advance(DAY);
    expect((await rescan({ maxAgeDays: 5 })).counts.enqueued).toBe(10);
    await it_.scanAll('incomplete');
    expect((await rescan({ verdicts: ['clean'], notScannedDays: 5, prefix: 'o0' })).counts.enqueued).toBe(10);
    await it_.scanAll('clean');
    expect((await rescan({ notScannedDays: 5 })).counts.enqueued).toBe(0);
    expect((await rescan({ notScannedSince: clock.now() + 1, bucket: 'plain' })).counts.enqueued).toBe(0);
  });

  it('leaves alone what is being scanned, what was deleted, and what a rule denies', async () => {
    await scanned();
    clock.advance(DAY);
    await rescan({ prefix: 'o0' });
    await test.query(`UPDATE object_version SET deleted_at = 1 WHERE key = 'o10'`);
    await test.query(
      `INSERT INTO trigger_rule (name, effect, position, prefix, event_kinds, workflow_name, priority, enabled)
       VALUES ('no_eleven', 'deny', 1, 'o11', '{created}', 'scan_upload', 50, true)`,
    );
    const { counts } = await rescan({});
    expect(counts).toMatchObject({ known: 10, skipped: 1, enqueued: 48 });
    expect(await it_.count('object_version', `key = 'o11' AND verdict = 'clean'`)).toBe(1);
  });

  it('that is cancelled leaves the verdicts that were there, and the objects free for the next one', async () => {
    await scanned();
    const run = await rescan({});
    await runs.cancel(run.id, 'user:alice');
    expect(await it_.count('object_version', `verdict = 'clean'`)).toBe(60);
    expect(await it_.count('backlog_item')).toBe(0);
    expect((await rescan({})).counts.enqueued).toBe(60);
  });

  it('is the same for two nodes at once', async () => {
    await scanned();
    const run = await wishes.rescan(RescanWish.parse({}), ALICE);
    const nodes = [1, 2].map(() => it_.lister({ pageSize: 7 }));
    for (let i = 0; i < 20; i += 1) {
      await Promise.all(nodes.map((node) => node.turn(new AbortController().signal)));
    }
    expect((await runs.find(run.id)).counts.enqueued).toBe(60);
    expect(await it_.count('scan', 'generation > 2')).toBe(0);
  });
});

describe('schedules', () => {
  const firing = (id: string) => ({
    id,
    scheduleName: 'weekly',
    attempt: 1,
    signal: new AbortController().signal,
  });

  it('begin a rescan once for each due instant, however often they are run', async () => {
    const job = new RescanJob(wishes);
    await job.run({ bucket: 'uploads', maxAgeDays: 30 }, clock.now(), firing('a'));
    await job.run({ bucket: 'uploads', maxAgeDays: 30 }, clock.now(), firing('a'));
    await job.run({ bucket: 'uploads', maxAgeDays: 30 }, clock.now(), firing('b'));
    expect(await rescans()).toHaveLength(2);
    expect((await rescans())[0]).toMatchObject({ cause: 'schedule weekly', bucket: 'uploads' });
  });

  it('begin a comparison of every bucket', async () => {
    const job = new ReconcileJob(wishes);
    await job.run({}, clock.now(), firing('a'));
    await job.run({}, clock.now(), firing('a'));
    const begun = await listRuns(database, { kind: 'reconcile' }, { limit: 10 });
    expect(new Set(begun.map(({ bucket }) => bucket))).toEqual(new Set(['plain', 'uploads']));
    expect(begun).toHaveLength(2);
  });

  it.each([
    [{ verdicts: ['dirty'] }, 'payload.verdicts.0'],
    [{ maxAgeDays: -1 }, 'payload.maxAgeDays'],
    [{ notScannedSince: 'yesterday' }, 'payload.notScannedSince'],
    [{ bucket: 'a\u0000' }, 'payload.bucket'],
  ])('with %j are refused where it is wrong', (payload, path) => {
    const check = () => new RescanJob(wishes).checkPayload(payload);
    expect(check).toThrow(InvalidInput);
    expect(check).toThrow(path);
  });
});

describe('after a change of an engine', () => {
  let current: readonly EngineVersion[] = [];
  const secrets = (pack: string): EngineVersion => ({ engine: 'secrets', database: pack, isTrusted: true });
  const clamd = (signatures: string, isTrusted = true): EngineVersion => ({
    engine: 'clamd',
    database: signatures,
    isTrusted,
  });
  const node = (days = 7) =>
    new EngineWatch(database, clock, { current: () => current }, runs, pino({ level: 'silent' }), {
      ROLES: ['worker'],
      RESCAN_CLEAN_DAYS: days,
    });

  it('what is clean and young is scanned again, once over all nodes', async () => {
    await scanned('clean', 'o0');
    clock.advance(10 * DAY);
    await scanned('clean', 'o1');
    await scanned('suspicious', 'o2');
    const nodes = [node(), node()];
    current = [secrets('one'), clamd('100')];
    await Promise.all(nodes.map((each) => each.look()));
    expect(await rescans()).toEqual([]);

    clock.advance(3_600_000);
    current = [secrets('one'), clamd('101')];
    await Promise.all(nodes.map((each) => each.look()));
    await Promise.all(nodes.map((each) => each.look()));
    expect(await rescans()).toMatchObject([{ cause: 'clamd 101', requestedBy: 'system:listing' }]);
    await work();
    const keys = await test.query<{ key: string }>(`SELECT input->>'key' AS key FROM backlog_item`);
    expect(keys.map(({ key }) => key.slice(0, 2))).toEqual(Array.from({ length: 10 }, () => 'o1'));

    // Another node still has the older signatures: nothing new.
    current = [secrets('one'), clamd('100')];
    await node().look();
    current = [secrets('two'), clamd('101')];
    await node().look();
    expect((await rescans()).map(({ cause }) => cause).sort()).toEqual(['clamd 101', 'secrets two']);
  });

  it('nothing is scanned again when that is switched off', async () => {
    await scanned();
    for (const signatures of ['1', '2']) {
      current = [clamd(signatures)];
      await node(0).look();
    }
    expect(await rescans()).toEqual([]);
  });

  it('what was incomplete for want of the engine is scanned when it is there', async () => {
    await scanned('incomplete');
    await test.query(`ALTER TABLE verdict DISABLE TRIGGER verdict_append_only`);
    await test.query(
      `UPDATE verdict v SET reason = CASE WHEN o.key < 'o30' THEN 'malware_engine_missing' ELSE 'limit_reached' END
         FROM object_version o WHERE o.id = v.object_id`,
    );
    await test.query(`ALTER TABLE verdict ENABLE TRIGGER verdict_append_only`);
    const watch = node();
    current = [secrets('one')];
    await watch.look();
    current = [secrets('one'), clamd('100', false)];
    await watch.look();
    expect(await rescans()).toEqual([]);
    clock.advance(60_000);
    current = [secrets('one'), clamd('100')];
    await watch.look();
    await watch.look();
    const [run, ...others] = await rescans();
    expect(others).toEqual([]);
    await work();
    expect(await runs.find(run?.id ?? '')).toMatchObject({ counts: { enqueued: 30 } });
    await it_.scanAll('clean');
    await work();
    expect((await runs.find(run?.id ?? '')).state).toBe('completed');
    await watch.look();
    expect(await rescans()).toHaveLength(1);
  });
});
