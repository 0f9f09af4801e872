import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LedgerEvidence } from '../../src/reviews/evidence.js';
import { reviewsStage, type ReviewsStage } from './stage.js';

let stage: ReviewsStage;
beforeEach(async () => {
  stage = await reviewsStage();
});
afterEach(() => stage.close());

it('evidence is the ledger’s: object, the worst findings first, and the fingerprints of all of them', async () => {
  const [objectId, scanId] = [randomUUID(), randomUUID()];
  await stage.db.query(
    `INSERT INTO object_version (id, endpoint_id, bucket, key, identity, identity_fixed, origin, is_latest,
       uploaded_at, first_seen_at) VALUES ($1, 'embedded', 'uploads', 'a.zip', 'i', true, 'event', true, 1, 1)`,
    [objectId],
  );
  await stage.db.query(
    `INSERT INTO scan (id, object_id, generation, origin, requested_by, opened_object, workflow_name, workflow_id,
       requested_at, secrets_total) VALUES ($1, $2, 1, 'event', 'system:intake', true, 'scan_upload', 'w', 1, 300)`,
    [scanId, objectId],
  );
  for (let n = 0; n < 30; n++) {
    const severity = n === 29 ? 'critical' : 'low';
    await stage.db.query(
      `INSERT INTO finding (scan_id, object_id, kind, rule_id, title, severity, confidence, path, line, excerpt,
         fingerprint) VALUES ($1, $2, 'secret', 'r', 'A key', $3, 'high', 'x.env', $4, 'K=AK****', $5)`,
      [scanId, objectId, severity, n, `f${String(n).padStart(2, '0')}`],
    );
  }
  // What a scanner outside found counts too.
  await stage.db.query(
    `INSERT INTO finding (scan_id, object_id, kind, rule_id, title, severity, confidence, path, fingerprint, source)
     VALUES ($1, $2, 'malware', 'x', 'X', 'low', 'low', '', 'f00', 'outside')`,
    [scanId, objectId],
  );
  // The malware engine that nobody required is no lack, and two engines tell of the same part.
  const members = Array.from({ length: 25 }, (_, n) => ({ path: `m${n}`, reason: 'encrypted' }));
  const gaps = [{ path: '', reason: 'engine_missing' }, ...members, members[0]];
  await stage.db.query(
    `INSERT INTO verdict (object_id, scan_id, generation, verdict, reason, engines, bytes_scanned, bytes_total,
       not_covered, required, at) VALUES ($1, $2, 1, 'secrets', 'secrets_found', '[]', 1, 2, $3, '{secrets}', 1)`,
    [objectId, scanId, JSON.stringify(gaps)],
  );
  const ref = { endpointId: 'embedded', bucket: 'uploads', key: 'a.zip' };
  stage.ledger.scan = async () => ({ scanId, objectId, ref, generation: 1 });
  const subject = await new LedgerEvidence(stage.db, stage.ledger).ofScan(scanId);
  expect(subject.object).toEqual({ ref, objectId });
  expect(subject.findings).toHaveLength(20);
  expect(subject.findings[0]).toMatchObject({ severity: 'critical', line: 29, excerpt: 'K=AK****' });
  expect(subject.findingsTotal).toBe(301);
  expect(subject.notCovered).toHaveLength(20);
  expect(subject.notCovered?.[0]).toEqual({ path: 'm0', reason: 'encrypted' });
  expect(subject.notCoveredTotal).toBe(25);
  expect(subject.bytes).toEqual({ scanned: 1, total: 2 });
  expect(subject.fingerprints).toHaveLength(30);
});

it('a scan that the ledger does not know asks its question without evidence', async () => {
  const subject = await new LedgerEvidence(stage.db, stage.ledger).ofScan(randomUUID());
  expect(subject).toEqual({ findings: [], findingsTotal: 0, fingerprints: [] });
});
