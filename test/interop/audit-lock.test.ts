import { CreateBucketCommand } from '@aws-sdk/client-s3';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Database } from '../../src/database/database.js';
import { EMBEDDED_ENDPOINT } from '../../src/s3/buckets.js';
import { DAY_MS, deliverTo, NOW, USUAL } from '../audit/anchors.js';
import { testDatabase, type TestDatabase } from '../support/database.js';
import { installMoto, startMoto } from './servers/moto.js';
import type { S3Server } from './servers/s3-server.js';
import { storageOf } from './servers/storage-of.js';

const tool = await installMoto();

describe.skipIf('missing' in tool)(
  `a checkpoint in a bucket of moto${'missing' in tool ? ` (skipped: ${tool.missing})` : ''}`,
  () => {
    let server: S3Server;
    let setting: Awaited<ReturnType<typeof storageOf>>;
    let test: TestDatabase;
    let db: Database;
    beforeAll(async () => {
      if ('missing' in tool) return;
      server = await startMoto(tool);
      setting = await storageOf(server);
      test = await testDatabase();
      db = new Database(test.url);
      await setting.client.send(
        new CreateBucketCommand({ Bucket: 'lock', ObjectLockEnabledForBucket: true }),
      );
    }, 60_000);
    afterAll(async () => {
      setting.close();
      await server.stop();
      await db.close();
    });
    beforeEach(async () => {
      await test.truncate();
      const admin = new pg.Client(test.adminUrl);
      await admin.connect();
      await admin.query(`SET session_replication_role = replica;
        INSERT INTO audit_checkpoint VALUES (1, decode(repeat('ab', 32), 'hex'), 1, 'audit-1', 'sig')`);
      await admin.end();
    });

    it('is locked for as long as the setting says, where the bucket has object lock', async () => {
      const { anchors } = await deliverTo(db, setting.storage, 'lock');
      expect(anchors[0]?.lockedUntil).toBeGreaterThan(NOW + 399 * DAY_MS);
      expect(anchors[0]?.lockedUntil).toBeLessThan(NOW + 401 * DAY_MS);
      const [kept] = (await setting.storage.list({ endpointId: EMBEDDED_ENDPOINT, bucket: 'lock' })).items;
      const ref = { endpointId: EMBEDDED_ENDPOINT, bucket: 'lock', key: kept?.key ?? '' };
      expect((await setting.storage.head(ref)).lock.mode).toBe('GOVERNANCE');
    });

    it('is left to the bucket where the setting says so', async () => {
      const none = { ...USUAL, AUDIT_LOCK_DAYS: 0 };
      expect((await deliverTo(db, setting.storage, 'lock', none)).anchors[0]?.lockedUntil).toBeUndefined();
    });

    it.each(['uploads', 'plain'])('is kept unlocked where there is no object lock (%s)', async (bucket) => {
      const { delivery, anchors } = await deliverTo(db, setting.storage, bucket);
      expect(delivery).toMatchObject({ kind: 'sent' });
      expect(anchors).toMatchObject([{ lockedUntil: undefined }]);
    });
  },
);
