import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import pg from 'pg';
import { Database } from '../../src/database/database.js';
import { EMBEDDED_ENDPOINT } from '../../src/s3/buckets.js';
import { startTestS3, type TestS3 } from '../s3/endpoint.js';
import { testDatabase, type TestDatabase } from '../support/database.js';
import { deliverTo } from './anchors.js';

let test: TestDatabase;
let db: Database;
let s3: TestS3;
beforeAll(async () => {
  test = await testDatabase();
  db = new Database(test.url);
  s3 = await startTestS3();
});
afterAll(async () => {
  await s3.close();
  await db.close();
});
beforeEach(async () => {
  await test.truncate();
  const admin = new pg.Client(test.adminUrl);
  await admin.connect();
  // The checkpoint that is kept stands without the events of which it tells.
  await admin.query(`SET session_replication_role = replica;
    INSERT INTO audit_checkpoint VALUES (1, decode(repeat('ab', 32), 'hex'), 1, 'audit-1', 'sig')`);
  await admin.end();
});

describe('a checkpoint in a bucket without object lock', () => {
  it.each(['uploads', 'plain'])(
    'is kept all the same, and nothing says that it is locked (%s)',
    async (bucket) => {
      const { delivery, anchors } = await deliverTo(db, s3.storage, bucket);
      expect(delivery).toMatchObject({ kind: 'sent' });
      expect(anchors).toMatchObject([{ seq: 1, place: `s3://${bucket}`, lockedUntil: undefined }]);
      const { items } = await s3.storage.list({ endpointId: EMBEDDED_ENDPOINT, bucket });
      expect(items.map(({ key }) => key)).toEqual([
        'audit/00000000-0000-4000-8000-000000000001/000000000001.json',
      ]);
      // What asked for the lock wrote over nothing.
      expect(items[0]?.sizeBytes).toBeGreaterThan(200);
    },
  );
});
