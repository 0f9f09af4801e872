import { beforeEach, describe, expect, it, vi } from 'vitest';
import { TakeInventoryWorker } from '../../../src/intake/listing/inventory.worker.js';
import { watchBuckets } from '../../../src/intake/listing/sql/bucket-watch.js';
import type { Task } from '../../../src/engine/model/execution.js';
import { readInventory } from '../../../src/reports/sections/inventory.js';
import { awsMessage } from '../intake-parts.js';
import { listingTest } from './listing-parts.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const world = await listingTest();
const { parts, runs } = world;
const { test, clock, database, buckets, intake } = parts;
const HOUR = 3_600_000;
const worker = new TakeInventoryWorker(database, clock, buckets, runs);

const reportId = '00000000-0000-4000-8000-00000000abcd';
let scheduledTime = 0;
let window = { from: '', to: '' };
const step = (input: object = {}) =>
  worker.execute({
    scheduledTime,
    inputData: { cause: `report ${reportId}`, ...window, ...input },
  } as unknown as Task);

/** The endpoint stamps uploads with the real time, and the fake clock follows it. */
const toRealTime = (plusMs: number) => clock.advance(Date.now() + plusMs - clock.now());

beforeEach(async () => {
  toRealTime(0);
  scheduledTime = clock.now();
  window = {
    from: new Date(Date.now() - HOUR).toISOString(),
    to: new Date(Date.now() + HOUR).toISOString(),
  };
  await watchBuckets(database, buckets.list(), Date.now());
  await test.query(
    `INSERT INTO s3_endpoint (id, kind, region, path_style, credentials, version, created_at, updated_at, updated_by)
     VALUES ('embedded', 'embedded', 'us-east-1', true, 'default', 1, 0, 0, 'system:test') ON CONFLICT DO NOTHING`,
  );
  for (const { bucket } of buckets.list())
    await test.query(
      `INSERT INTO bucket (endpoint_id, name, action_mode, required, requester_pays, enabled, managed_by, version, created_at, updated_at, updated_by)
       VALUES ('embedded', $1, 'observe', '{secrets}', false, true, 'people', 1, 0, 0, 'system:test') ON CONFLICT DO NOTHING`,
      [bucket],
    );
});

async function put(key: string, isTold: boolean): Promise<void> {
  const { versionId, eTag } = await world.s3.put(key, `bytes of ${key}`);
  if (!isTold) return;
  await intake.accept(awsMessage({ key, eTag, ...(versionId !== undefined && { versionId }) }), {
    kind: 'webhook',
  });
}

const inventory = () => readInventory({ tx: database, from: 0, to: clock.now() }, reportId);

describe('the inventory of a report', () => {
  it('counts what each bucket dates into the period, what of it the ledger knew, and what nobody told of', async () => {
    for (let n = 0; n < 5; n += 1) await put(`told-${n}`, true);
    for (let n = 0; n < 2; n += 1) await put(`lost-${n}`, false);
    toRealTime(HOUR);
    expect(await step()).toMatchObject({ kind: 'inProgress' });
    await world.work(world.lister({ pageSize: 3 }));
    expect(await step()).toMatchObject({
      kind: 'completed',
      output: { buckets: 2, compared: 2, notCompared: [] },
    });
    const found = new Map((await inventory()).map((one) => [one.bucket, one]));
    expect(found.get('uploads')).toMatchObject({
      state: 'compared',
      known: 5,
      missing: 2,
      young: 0,
      older: 0,
      listed: 7,
      addsUp: true,
    });
    // Asked for again, as after a crash: the same comparison, and nothing is counted twice.
    await step();
    expect(await inventory()).toEqual([...found.values()].toSorted((a, b) => (a.bucket < b.bucket ? -1 : 1)));
  });

  it('leaves out what the bucket dates outside of the period', async () => {
    await put('told-later', true);
    window = {
      from: new Date(Date.now() - 2 * HOUR).toISOString(),
      to: new Date(Date.now() - HOUR).toISOString(),
    };
    toRealTime(HOUR);
    await step();
    await world.work(world.lister());
    await step();
    const uploads = (await inventory()).find(({ bucket }) => bucket === 'uploads');
    expect(uploads).toMatchObject({ state: 'compared', listed: 0, known: 0, addsUp: true });
  });

  it('gives up on buckets whose listing does not come to its end, and says which', async () => {
    await step();
    clock.advance(6 * HOUR + 1);
    expect(await step()).toMatchObject({
      kind: 'completed',
      output: { compared: 0, notCompared: ['uploads', 'plain'] },
    });
    expect((await inventory()).map(({ state }) => state)).toEqual(['not_compared', 'not_compared']);
  });

  it('refuses what names no period', async () => {
    await expect(step({ to: 'next week' })).rejects.toThrow(/^to: /);
  });
});
