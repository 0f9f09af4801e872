import { beforeEach, describe, expect, it } from 'vitest';
import { NotFound } from '../../src/errors.js';
import type { Finding, VerdictRecord } from '../../src/verdicts/ledger.js';
import { awsMessage, intakeParts } from '../intake/intake-parts.js';

const { intake, ledger, test, clock, progress } = await intakeParts();
const webhook = { kind: 'webhook' } as const;
const UNKNOWN = '00000000-0000-4000-8000-000000000000';

beforeEach(() => test.truncate());

async function upload(record: Parameters<typeof awsMessage>[0]): Promise<string> {
  clock.advance(1);
  await intake.accept(awsMessage(record), webhook);
  const [scan] = await test.query<{ id: string }>('SELECT id FROM scan ORDER BY requested_at DESC LIMIT 1');
  return scan?.id ?? '';
}

const verdictOf = (parts: Partial<VerdictRecord> = {}): VerdictRecord => ({
  verdict: 'clean',
  reason: '',
  engines: [{ name: 'clamd', version: '1.4.6', database: 'x', databaseDate: '2026-11-23' }],
  bytesScanned: 3,
  bytesTotal: 3,
  sha256: 'ab'.repeat(32),
  notCovered: [],
  workflowId: 'w',
  ...parts,
});

const finding = (parts: Partial<Finding> = {}): Finding => ({
  kind: 'secret',
  ruleId: 'aws-access-key',
  title: 'AWS access key',
  severity: 'critical',
  confidence: 'high',
  path: 'a.zip!b.env',
  line: 3,
  excerpt: 'AKIA****',
  fingerprint: 'k1:abc',
  ...parts,
});

const facts = {
  eTag: 'e',
  sizeBytes: 3,
  lastModified: '2026-11-23T12:00:00.000Z',
  detectedType: 'text/plain',
};
const object = async () => (await test.query('SELECT * FROM object_version ORDER BY first_seen_at'))[0] ?? {};

describe('a scan', () => {
  it('is told with its object, and with facts once HEAD told them', async () => {
    const scanId = await upload({ key: 'k', versionId: 'v1', eTag: 'e', size: 3 });
    const before = await ledger.scan(scanId);
    expect(before).toMatchObject({
      scanId,
      generation: 1,
      ref: { endpointId: 'embedded', bucket: 'uploads', key: 'k', versionId: 'v1' },
    });
    expect(before.facts).toBeUndefined();
    expect(await ledger.identified(scanId, facts)).toEqual({ kind: 'current' });
    expect((await ledger.scan(scanId)).facts).toEqual(facts);
  });

  it('that nobody knows is NotFound, whatever its id looks like', async () => {
    for (const id of [UNKNOWN, 'nonsense', '', '\u0000']) {
      await expect(ledger.scan(id)).rejects.toThrow(NotFound);
      await expect(ledger.recordVerdict(id, verdictOf())).rejects.toThrow(NotFound);
      await expect(ledger.close(id)).rejects.toThrow(NotFound);
    }
  });
});

describe('inspection of an unversioned object', () => {
  it('fixes its identity, and may be repeated', async () => {
    const scanId = await upload({ bucket: 'plain', key: 'k', eTag: 'e', size: 3, sequencer: 'A' });
    for (let turn = 0; turn < 2; turn += 1)
      expect(await ledger.identified(scanId, facts)).toEqual({ kind: 'current' });
    expect(await object()).toMatchObject({ identity_fixed: true, e_tag: 'e', detected_type: 'text/plain' });
  });

  it('finds that it was overwritten since its event', async () => {
    const scanId = await upload({ bucket: 'plain', key: 'k', eTag: 'e', size: 3, sequencer: 'A' });
    expect(await ledger.identified(scanId, { ...facts, eTag: 'other' })).toEqual({ kind: 'superseded' });
    expect(await object()).toMatchObject({ e_tag: 'e', identity_fixed: false });
  });

  it('finds that it was overwritten between two attempts', async () => {
    const scanId = await upload({ bucket: 'plain', key: 'k', eTag: 'e', size: 3, sequencer: 'A' });
    await ledger.identified(scanId, facts);
    const later = { ...facts, lastModified: '2026-11-23T12:00:05.000Z' };
    expect(await ledger.identified(scanId, later)).toEqual({ kind: 'superseded' });
  });

  it('does not take the same bytes, uploaded later, for the same object', async () => {
    const first = await upload({ bucket: 'plain', key: 'k', eTag: 'e', size: 3, sequencer: 'A' });
    await ledger.identified(first, facts);
    const second = await upload({ bucket: 'plain', key: 'k', eTag: 'e', size: 3, sequencer: 'B' });
    const later = { ...facts, lastModified: '2026-11-23T12:00:05.000Z' };
    expect(await ledger.identified(second, later)).toEqual({ kind: 'current' });
  });

  it('folds a second row for the same bytes into the first, at once and only once', async () => {
    const first = await upload({ bucket: 'plain', key: 'k', eTag: 'e', size: 3, sequencer: 'A' });
    const second = await upload({ bucket: 'plain', key: 'k', eTag: 'e', size: 3, sequencer: 'B' });
    const outcomes = await Promise.all([ledger.identified(first, facts), ledger.identified(second, facts)]);
    expect(outcomes.map((outcome) => outcome.kind).sort()).toEqual(['current', 'duplicate']);
    const rows = await test.query('SELECT folded_into FROM object_version WHERE folded_into IS NOT NULL');
    expect(rows).toHaveLength(1);
  });
});

describe('a verdict', () => {
  it('is appended once, moves the object, and is audited with it', async () => {
    const scanId = await upload({ key: 'k', versionId: 'v' });
    let freed = 0;
    const end = progress.onFreed(() => (freed += 1));
    await ledger.recordVerdict(scanId, verdictOf({ verdict: 'infected', reason: 'malware_found' }));
    await ledger.recordVerdict(scanId, verdictOf({ verdict: 'infected', reason: 'malware_found' }));
    end();
    expect(freed).toBe(2);
    expect(await test.query('SELECT verdict, bytes_total::int, engines FROM verdict')).toEqual([
      { verdict: 'infected', bytes_total: 3, engines: verdictOf().engines },
    ]);
    expect(await object()).toMatchObject({ verdict: 'infected', verdict_generation: 1 });
    const { objectId } = await ledger.scan(scanId);
    expect(await test.query('SELECT action, subject FROM audit_event')).toEqual([
      { action: 'object.verdict', subject: `object:${objectId}` },
    ]);
  });

  it('of an older generation does not replace a newer one', async () => {
    const first = await upload({ key: 'k', versionId: 'v' });
    const second = await upload({
      key: 'k',
      versionId: 'v',
      sequencer: 'B',
      eventName: 'ObjectRestore:Completed',
    });
    expect((await ledger.scan(second)).generation).toBe(2);
    await ledger.recordVerdict(second, verdictOf());
    await ledger.recordVerdict(first, verdictOf({ verdict: 'archived', reason: 'x' }));
    expect(await object()).toMatchObject({ verdict: 'clean', verdict_generation: 2 });
    expect(await test.query('SELECT verdict FROM verdict')).toHaveLength(2);
  });

  it('stands when the workflow fails after it', async () => {
    const scanId = await upload({ key: 'k', versionId: 'v' });
    await ledger.recordVerdict(scanId, verdictOf({ verdict: 'infected', reason: 'malware_found' }));
    await ledger.recordVerdict(
      scanId,
      verdictOf({ verdict: 'failed', reason: 'workflow_failed', detail: 'no tag' }),
    );
    expect(await object()).toMatchObject({ verdict: 'infected' });
    expect(await test.query('SELECT failure FROM scan')).toEqual([{ failure: 'no tag' }]);
  });

  it('follows a failure when somebody retried the workflow', async () => {
    const scanId = await upload({ key: 'k', versionId: 'v' });
    await ledger.recordVerdict(scanId, verdictOf({ verdict: 'failed', reason: 'workflow_failed' }));
    await ledger.recordVerdict(scanId, verdictOf());
    expect(await object()).toMatchObject({ verdict: 'clean' });
  });

  it('keeps names that are not text', async () => {
    const scanId = await upload({ key: 'k', versionId: 'v' });
    const notCovered = [{ path: 'a\u0000\ud800b', reason: 'encrypted' as const }];
    await ledger.recordVerdict(
      scanId,
      verdictOf({ verdict: 'encrypted', reason: 'encrypted_content', notCovered }),
    );
    expect(await test.query('SELECT not_covered FROM verdict')).toEqual([
      { not_covered: [{ path: 'a\uFFFD\uFFFDb', reason: 'encrypted' }] },
    ]);
  });

  it('can be neither changed nor removed', async () => {
    const scanId = await upload({ key: 'k', versionId: 'v' });
    await ledger.recordVerdict(scanId, verdictOf());
    await expect(test.query("UPDATE verdict SET verdict = 'clean'")).rejects.toThrow('append-only');
    await expect(test.query('DELETE FROM verdict')).rejects.toThrow('append-only');
  });
});

describe('closing', () => {
  it('a scan without a verdict says failed, so that nothing stays pending for ever', async () => {
    const scanId = await upload({ key: 'k', versionId: 'v' });
    await ledger.close(scanId);
    await ledger.close(scanId);
    expect(await test.query('SELECT verdict, reason FROM verdict')).toEqual([
      { verdict: 'failed', reason: 'closed_without_verdict' },
    ]);
  });

  it('a judged scan only closes it', async () => {
    const scanId = await upload({ key: 'k', versionId: 'v' });
    await ledger.recordVerdict(scanId, verdictOf());
    await ledger.close(scanId);
    expect(await test.query('SELECT closed_at IS NOT NULL AS closed FROM scan')).toEqual([{ closed: true }]);
    expect(await object()).toMatchObject({ verdict: 'clean' });
  });
});

describe('findings', () => {
  it('keep why they do not count', async () => {
    const scanId = await upload({ key: 'k', versionId: 'v1' });
    await ledger.recordFindings(scanId, 'secrets', [finding({ accepted: 'revoked' }), finding()], 2);
    expect(await test.query('SELECT accepted, accepted_reason FROM finding ORDER BY id')).toEqual([
      { accepted: true, accepted_reason: 'revoked' },
      { accepted: false, accepted_reason: null },
    ]);
  });

  it('keep what the provider said of the secret, and when', async () => {
    const scanId = await upload({ key: 'k', versionId: 'v1' });
    const verified = { state: 'active' as const, at: clock.now() };
    await ledger.recordFindings(scanId, 'secrets', [finding({ verified }), finding()], 2);
    expect(await test.query('SELECT verified, verified_at::float8 AS at FROM finding ORDER BY id')).toEqual([
      { verified: 'active', at: clock.now() },
      { verified: null, at: null },
    ]);
  });

  it('of one kind are replaced by a repeated task, the other kind stays', async () => {
    const scanId = await upload({ key: 'k', versionId: 'v' });
    await ledger.recordFindings(scanId, 'malware', [finding({ kind: 'malware', ruleId: 'Eicar' })], 1);
    await ledger.recordFindings(scanId, 'secrets', [finding(), finding({ line: 9 })], 2);
    await ledger.recordFindings(scanId, 'secrets', [finding()], 1);
    expect(await test.query('SELECT kind, rule_id, line FROM finding ORDER BY id')).toEqual([
      { kind: 'malware', rule_id: 'Eicar', line: 3 },
      { kind: 'secret', rule_id: 'aws-access-key', line: 3 },
    ]);
    expect(await test.query('SELECT secrets_total, malware_total FROM scan')).toEqual([
      { secrets_total: 1, malware_total: 1 },
    ]);
  });

  it('beyond a thousand are counted only', async () => {
    const scanId = await upload({ key: 'k', versionId: 'v' });
    const many = Array.from({ length: 1200 }, (_, line) => finding({ line, path: `p\u0000${line}` }));
    await ledger.recordFindings(scanId, 'secrets', many, 5000);
    expect(await test.query('SELECT count(*)::int AS n FROM finding')).toEqual([{ n: 1000 }]);
    expect(await test.query('SELECT secrets_total FROM scan')).toEqual([{ secrets_total: 5000 }]);
  });
});

describe('actions and decisions', () => {
  it('show a tag where nothing weightier was done', async () => {
    const scanId = await upload({ key: 'k', versionId: 'v' });
    await ledger.recordAction(scanId, 't', { action: 'tagged', performed: true, at: clock.now() });
    expect(await object()).toMatchObject({ action: 'tagged', action_performed: true });
  });

  it('are each recorded and audited once', async () => {
    const scanId = await upload({ key: 'k', versionId: 'v' });
    const at = clock.now();
    for (let turn = 0; turn < 2; turn += 1) {
      await ledger.recordAction(scanId, 't1', {
        action: 'quarantined',
        performed: true,
        at: at + 0.5,
        data: { bucket: 'quarantine' },
      });
      await ledger.recordDecision(scanId, {
        reviewId: 'r1',
        outcome: 'release',
        by: 'user:alice',
        at: at + 0.25,
        reason: 'a test file',
      });
      await ledger.recordAction(scanId, 't2', { action: 'released', performed: true, at });
      await ledger.recordAction(scanId, 't3', { action: 'tagged', performed: true, at });
    }
    expect(await object()).toMatchObject({ action: 'released', action_performed: true, decision: 'release' });
    expect(
      (await test.query('SELECT action FROM object_action ORDER BY id')).map((row) => row['action']),
    ).toEqual(['quarantined', 'released', 'tagged']);
    expect(
      (await test.query('SELECT action, actor FROM audit_event ORDER BY id')).map((row) => row['action']),
    ).toEqual(['object.quarantined', 'object.decided', 'object.released', 'object.tagged']);
  });
});
