import { AuditAnchorHandler } from '../../src/audit/anchors/anchor.handler.js';
import { lastAnchors } from '../../src/audit/sql/checkpoints.js';
import type { Config } from '../../src/config.js';
import { Database } from '../../src/database/database.js';
import { Mailer } from '../../src/outbound/mail/mailer.js';
import { EMBEDDED_ENDPOINT } from '../../src/s3/buckets.js';
import type { ObjectStorage } from '../../src/s3/object-storage.js';
import { FakeClock } from '../support/clock.js';

export const DAY_MS = 86_400_000;
// S3 refuses a lock whose end is over.
export const NOW = Date.now();

type Lock = Pick<Config, 'AUDIT_LOCK_DAYS' | 'AUDIT_LOCK_MODE'>;
export const USUAL: Lock = { AUDIT_LOCK_DAYS: 400, AUDIT_LOCK_MODE: 'governance' };

/** Delivers checkpoint 1 to a bucket. @returns what came of it, and what stands in the database. */
export async function deliverTo(db: Database, storage: ObjectStorage, bucket: string, lock = USUAL) {
  const mailer: Pick<Mailer, 'send'> = { send: () => Promise.reject(new Error('no mail was to be sent')) };
  const handler = new AuditAnchorHandler(db, new FakeClock(NOW), storage, mailer as Mailer, lock);
  const checkpoint = {
    chain: '00000000-0000-4000-8000-000000000001',
    seq: 1,
    head: 'ab'.repeat(32),
    at: new Date(NOW).toISOString(),
    keyId: 'audit-1',
    signature: 'c2ln',
  };
  const payload = { checkpoint, publicKey: 'a2V5', endpointId: EMBEDDED_ENDPOINT, bucket };
  const delivery = await handler.deliver({ payload } as unknown as Parameters<typeof handler.deliver>[0]);
  return { delivery, anchors: await lastAnchors(db) };
}
