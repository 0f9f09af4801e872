import { pino } from 'pino';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { BacklogBell } from '../../src/backlog/backlog-bell.js';
import { RestoreController } from '../../src/backup/restore.controller.js';
import { RestoreService } from '../../src/backup/restore.service.js';
import { RestoredHealth } from '../../src/backup/restored-health.js';
import { ListingBell } from '../../src/intake/listing/listing-bell.js';
import { ListingRuns } from '../../src/intake/listing/runs.service.js';
import { OutboxBell } from '../../src/outbound/outbox-bell.js';
import { HealthRegistry } from '../../src/ops/health.js';
import { headOf, httpApp } from '../intake/http-app.js';
import { intakeParts } from '../intake/intake-parts.js';
import { startTestS3 } from '../s3/endpoint.js';
import { eventually } from '../support/eventually.js';
import { markRestored } from '../support/restoration.js';
import { sayTo } from './say-to.js';

const CHAIN = '00000000-0000-4000-8000-00000000000c';

const parts = await intakeParts();
const { database, clock, buckets } = parts;
const s3 = await startTestS3();
const config = { ...s3.config, AUDIT_BUCKET: 'plain' };
const runs = new ListingRuns(database, clock, buckets, new ListingBell(), new BacklogBell());
const service = new RestoreService(
  config,
  pino({ level: 'silent' }),
  database,
  clock,
  buckets,
  runs,
  s3.storage,
  new OutboxBell(),
  new HealthRegistry(),
);
const { server } = await httpApp(
  parts,
  { head: () => Promise.resolve(headOf()) },
  {
    controllers: [RestoreController],
    providers: [{ provide: RestoreService, useValue: service }],
  },
);
const say = sayTo(server, 'restore');
beforeEach(() => parts.test.truncate());
afterAll(async () => {
  await service.beforeApplicationShutdown();
  await s3.close();
});

/** The listing itself is the lister's. */
const endRuns = (): Promise<unknown> =>
  database.query(
    `UPDATE listing_run SET state = 'completed', counts = jsonb_set(counts::jsonb, '{missing}', '3')::json`,
  );
const compared = (): Promise<unknown> =>
  eventually(async () => (await service.state()).restoration?.reconciliation?.quarantine != null);

describe('after a restore', () => {
  test('the state, /health and the command line say that everything is held, and what mends it', async () => {
    expect((await say('status')).text).toBe('This database was never restored: nothing is held.');
    await markRestored(database);
    expect((await say('status')).text).toMatch(/^HELD: uploads are taken and scanned; nothing is done /);
    expect(await new RestoredHealth(database).check()).toMatchObject([
      { healthy: true, degraded: true, state: 'held', remedy: expect.stringContaining('restore reconcile') },
    ]);
  });

  test('it goes on only after a comparison with S3, or when that is not wanted, and says who let it go on', async () => {
    await markRestored(database);
    await expect(say('release', '--reason', 'looked at it')).rejects.toThrow(
      /were not compared with the ledger.*--without-reconciling/,
    );
    await expect(say('release')).rejects.toThrow(/--reason/);
    const begun = await say('reconcile', '--no-wait');
    expect(begun.text).toMatch(/uploads +running/);
    await compared();
    await expect(say('release', '--reason', 'looked at it')).rejects.toThrow(/were not compared/);
    await endRuns();
    const { text } = await say('status');
    expect(text).toMatch(/uploads +completed +0 +3/);
    expect((await say('release', '--reason', 'looked at it')).text).toMatch(
      /^Nothing is held\.[^]*let go on .* by user:alice/,
    );
    await expect(say('release', '--reason', 'again')).rejects.toThrow(/Nothing is held/);
    await expect(say('reconcile')).rejects.toThrow(/Nothing is held/);
    const rows = await database.query<{ action: string; actor: string; data: unknown }>(
      `SELECT action, actor, data FROM audit_event WHERE action LIKE 'backup.%' ORDER BY id`,
    );
    expect(rows).toMatchObject([
      { action: 'backup.reconciling', actor: 'user:alice' },
      {
        action: 'backup.released',
        actor: 'user:alice',
        data: { reason: 'looked at it', isReconciled: true },
      },
    ]);
  });

  test('it may go on without a comparison, which is on record', async () => {
    await markRestored(database);
    await say('release', '--reason', 'S3 is gone', '--without-reconciling');
    const [row] = await database.query<{ data: unknown }>(
      `SELECT data FROM audit_event WHERE action = 'backup.released'`,
    );
    expect(row?.data).toMatchObject({ isReconciled: false });
  });

  test('the comparison shows what S3 tells otherwise, and what checkpoints know of the former life', async () => {
    await markRestored(database);
    await database.query('UPDATE audit_chain SET chain_id = $1', [CHAIN]);
    const put = (Bucket: string, Key: string, scanId?: string) =>
      s3.client.send(
        new PutObjectCommand({
          Bucket,
          Key,
          Body: 'x',
          ...(scanId === undefined ? {} : { Metadata: { 'sallyport-scan-id': scanId } }),
        }),
      );
    const ids = [1, 2, 3, 4].map((n) => `00000000-0000-4000-8000-00000000000${n}`);
    const states = ['moved', 'moved', 'moved', 'copying'];
    for (const [n, id] of ids.entries())
      await database.query(
        `INSERT INTO quarantined_object (scan_id, endpoint_id, bucket, key, etag, quarantine_bucket, quarantine_key, size_bytes, state, created_at, updated_at)
         VALUES ($1, 'embedded', 'uploads', $2, 'e', 'quarantine', $2, 1, $3, 1, 1)`,
        [id, `k${n}`, states[n]],
      );
    await put('uploads', 'k0');
    await put('quarantine', 'k2', ids[2]);
    await put('quarantine', 'k3', ids[3]);
    await put('quarantine', 'moved-later');
    for (const seq of [1, 7, 9]) await put('plain', `audit/${CHAIN}/${String(seq).padStart(12, '0')}.json`);
    // A former life that had itself begun with a restore kept its own in a folder.
    await put('plain', `audit/${CHAIN}/restored-${ids[0] ?? ''}/000000000099.json`);
    await put('plain', `audit/${CHAIN}/restored-${ids[1] ?? ''}/000000000060.json`);
    await say('reconcile', '--no-wait');
    await compared();
    const { text: status } = await say('status');
    expect(status).toContain(
      'Of 4 moves into quarantine: 1 are back at their place, 1 are gone, 1 were done in the former life, 0 could not be compared.',
    );
    expect(status).toMatch(
      /back +s3:\/\/uploads\/k0\n +gone +s3:\/\/uploads\/k1\n +moved +s3:\/\/uploads\/k3/,
    );
    expect(status).toMatch(
      /^1 copies in quarantine are unknown to the ledger[^]*left +s3:\/\/quarantine\/moved-later/m,
    );
    expect(status).toContain('AUDIT_BUCKET knows of 99 events of the former life');
  });
});
