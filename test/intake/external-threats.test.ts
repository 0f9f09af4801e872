import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.js';
import { NotFound } from '../../src/errors.js';
import { ExternalThreats } from '../../src/intake/external-threats.js';
import { ScanRequests } from '../../src/intake/scan-requests.service.js';
import type { ObjectStorage } from '../../src/s3/object-storage.js';
import { RecordVerdictWorker } from '../../src/verdicts/workers/record-verdict.worker.js';
import type { Task } from '../../src/engine/model/execution.js';
import { headOf } from './http-app.js';
import { awsMessage, intakeParts } from './intake-parts.js';

const parts = await intakeParts();
const { intake, ledger, test, clock, database, buckets, rules, bell } = parts;
const queue = { kind: 'sqs' } as const;
const silent = pino({ level: 'silent' });
let isGone = false;
const storage = {
  head: async () => {
    if (isGone) throw new NotFound('gone');
    return headOf({ eTag: 'e', versionId: 'v' });
  },
};
const loopOf = (): ExternalThreats => {
  const requests = new ScanRequests(
    database,
    clock,
    buckets,
    storage as unknown as ObjectStorage,
    rules,
    bell,
  );
  return new ExternalThreats(database, clock, requests, readConfig({}), silent);
};
const minute = async (): Promise<void> => {
  clock.advance(60_000);
  await loopOf().turn();
};

const result = (scanResultStatus: string, names: readonly string[] = [], object: object = {}) => ({
  source: 'aws.guardduty',
  'detail-type': 'GuardDuty Malware Protection Object Scan Result',
  time: '2026-11-23T12:00:00Z',
  detail: {
    scanStatus: 'COMPLETED',
    resourceType: 'S3_OBJECT',
    s3ObjectDetails: { bucketName: 'uploads', objectKey: 'k', eTag: 'e', versionId: 'v', ...object },
    scanResultDetails: { scanResultStatus, threats: names.map((name) => ({ name })) },
  },
});
const found = result('THREATS_FOUND', ['EICAR-Test-File', 'Other']);

const scans = () =>
  test.query<{ id: string; generation: number; requested_by: string }>(
    'SELECT id, generation, requested_by FROM scan ORDER BY generation',
  );
const outcomes = async () =>
  (await test.query<{ outcome: string | null }>('SELECT outcome FROM external_threat')).map(
    ({ outcome }) => outcome,
  );

/** The scanners saw every byte of the newest scan and found `counts`. */
async function judge(counts: { infected?: number } = {}): Promise<Record<string, unknown>> {
  const scan = (await scans()).at(-1);
  const report = (kind: string) => ({
    kind,
    engines: [{ name: kind, version: '1' }],
    bytesScanned: 3,
    bytesTotal: 3,
    members: 1,
    notCovered: [],
    counts: { infected: 0, secrets: 0, suspicious: 0, lowConfidence: 0, ...(kind === 'malware' && counts) },
  });
  const worker = new RecordVerdictWorker(ledger, buckets, readConfig({}), silent);
  const outcome = await worker.execute({
    inputData: {
      scanId: scan?.id,
      inspection: { outcome: 'present', object: { sizeBytes: 3 } },
      secrets: report('secrets'),
      malware: report('malware'),
    },
    workflowInstanceId: 'w',
    taskId: 't',
  } as unknown as Task);
  if (outcome.kind !== 'completed') throw new Error(outcome.kind);
  return outcome.output;
}

beforeEach(async () => {
  await test.truncate();
  isGone = false;
});

describe('what GuardDuty found', () => {
  it('tells of an upload that nobody else told of, and keeps its scan from ending as clean', async () => {
    expect(await intake.accept(found, queue)).toMatchObject({ accepted: 1 });
    expect(await scans()).toMatchObject([{ generation: 1, requested_by: 'system:intake' }]);
    expect(await judge()).toMatchObject({
      verdict: 'suspicious',
      reason: 'external_threats_found',
      route: 'review',
    });
    const findings = await test.query('SELECT rule_id, title, severity FROM finding ORDER BY rule_id');
    expect(findings).toMatchObject([
      { rule_id: 'guardduty:EICAR-Test-File', severity: 'high' },
      { rule_id: 'guardduty:Other' },
    ]);
    await minute();
    expect(await outcomes()).toEqual(['judged']);
    expect(await scans()).toHaveLength(1);
  });

  it('is known to the scan that S3’s own event opened, whichever came first', async () => {
    await intake.accept(awsMessage({ key: 'k', versionId: 'v', eTag: 'e', size: 3 }), queue);
    expect(await intake.accept(found, queue)).toMatchObject({ duplicates: 1 });
    expect(await judge()).toMatchObject({ verdict: 'suspicious' });
    expect(await scans()).toHaveLength(1);
  });

  it('has an object that was judged before scanned once more, by one node', async () => {
    await intake.accept(awsMessage({ key: 'k', versionId: 'v', eTag: 'e', size: 3 }), queue);
    expect(await judge()).toMatchObject({ verdict: 'clean' });
    await intake.accept(found, queue);
    await Promise.all([loopOf().turn(), loopOf().turn(), loopOf().turn()]);
    expect(await scans()).toMatchObject([
      { generation: 1 },
      { generation: 2, requested_by: 'system:guardduty' },
    ]);
    expect(await judge()).toMatchObject({ verdict: 'suspicious' });
    await minute();
    await minute();
    expect(await scans()).toHaveLength(2);
    expect(await test.query('SELECT verdict FROM object_version')).toEqual([{ verdict: 'suspicious' }]);
  });

  it('waits for the scan that is under way, and asks for another only if that one did not know of it', async () => {
    await intake.accept(found, queue);
    for (let n = 0; n < 3; n += 1) await minute();
    expect([await scans(), await outcomes()]).toMatchObject([[{ generation: 1 }], [null]]);
    const [scan] = await scans();
    await ledger.recordVerdict(scan?.id ?? '', {
      verdict: 'clean',
      reason: '',
      engines: [],
      bytesScanned: 3,
      bytesTotal: 3,
      notCovered: [],
      workflowId: 'w',
    });
    await minute();
    expect(await scans()).toHaveLength(2);
  });

  it('adds nothing to what we found ourselves', async () => {
    await intake.accept(awsMessage({ key: 'k', versionId: 'v', eTag: 'e', size: 3 }), queue);
    expect(await judge({ infected: 1 })).toMatchObject({ verdict: 'infected' });
    await intake.accept(found, queue);
    await minute();
    expect([(await scans()).length, await outcomes()]).toEqual([1, ['judged']]);
  });

  it('in another version, or in other bytes of an unversioned object, is not about this one', async () => {
    await intake.accept(found, queue);
    await intake.accept(awsMessage({ key: 'k', versionId: 'v2', eTag: 'e' }), queue);
    const plain = { bucketName: 'plain', versionId: null, eTag: 'old' };
    await intake.accept(result('THREATS_FOUND', ['T'], plain), queue);
    await intake.accept(
      awsMessage({ bucket: 'plain', key: 'k', eTag: 'new', size: 3, sequencer: '00A' }),
      queue,
    );
    const known = await test.query<{ id: string; e_tag: string; version_id: string | null }>(
      `SELECT s.id, o.e_tag, o.version_id FROM scan s JOIN object_version o ON o.id = s.object_id`,
    );
    for (const { id, e_tag: eTag, version_id: versionId } of known) {
      const isFlagged = versionId === 'v' || eTag === 'old';
      expect((await ledger.scan(id)).hasExternalThreats).toBe(isFlagged ? true : undefined);
    }
  });

  it('of an object that is gone, or that a person let go, is left at that', async () => {
    await intake.accept(awsMessage({ key: 'k', versionId: 'v', eTag: 'e', size: 3 }), queue);
    await judge();
    isGone = true;
    await intake.accept(found, queue);
    await loopOf().turn();
    expect(await outcomes()).toEqual(['gone']);

    await test.truncate();
    await test.query(
      `INSERT INTO released_object (scan_id, endpoint_id, bucket, key, version_id, etag, sha256, is_written, created_at)
       VALUES ('s', 'embedded', 'uploads', 'k', 'v', 'e', 'x', true, $1)`,
      [clock.now()],
    );
    await intake.accept(found, queue);
    await minute();
    expect([await scans(), await outcomes()]).toEqual([[], ['judged']]);
  });

  it('told again, in the same words, is kept once', async () => {
    await intake.accept(found, queue);
    await intake.accept(found, queue);
    expect(await outcomes()).toHaveLength(1);
  });

  it.each(['NO_THREATS_FOUND', 'UNSUPPORTED', 'ACCESS_DENIED', 'FAILED'])(
    'or did not find (%s) is only the news that an object is there',
    async (status) => {
      await intake.accept(result(status), queue);
      expect(await outcomes()).toEqual([]);
      expect(await scans()).toHaveLength(1);
      expect(await test.query('SELECT verdict FROM object_version')).toEqual([{ verdict: 'pending' }]);
    },
  );
});
