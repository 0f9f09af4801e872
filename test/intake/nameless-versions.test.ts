import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.js';
import type { Task } from '../../src/engine/model/execution.js';
import type { JsonObject } from '../../src/engine/model/json.js';
import { RetryLater } from '../../src/engine/ports.js';
import { Endpoints } from '../../src/s3/endpoints.js';
import { needsRandomAccess } from '../../src/s3/needs-random-access.js';
import { ObjectStorage, type PinnedObject } from '../../src/s3/object-storage.js';
import { SharedReads } from '../../src/s3/shared-reads.js';
import { Allowances } from '../../src/tasks/object/allowances.js';
import { InspectObjectWorker } from '../../src/tasks/object/inspect-object.worker.js';
import { pinnedOf } from '../../src/tasks/object/subject.js';
import { VersionPin } from '../../src/tasks/object/version-pin.js';
import { startTestS3 } from '../s3/endpoint.js';
import { LyingS3, refusal } from '../support/lying-s3.js';
import { awsMessage, intakeParts } from './intake-parts.js';

const { intake, ledger, test, database, clock } = await intakeParts();
const s3 = await startTestS3();
afterAll(() => s3.close());

const inspectorOf = (storage: ObjectStorage): InspectObjectWorker =>
  new InspectObjectWorker(
    ledger,
    new VersionPin(ledger, storage),
    new SharedReads(storage, s3.spool, { wantsSpool: needsRandomAccess, keepMs: 0 }),
    new Allowances(storage, database, clock),
    database,
  );
const inspector = inspectorOf(s3.storage);

/** Takes in the event of an upload, as a server tells it that names no version. @returns its scan */
async function told({ bucket, key, eTag }: PinnedObject, size: number): Promise<string> {
  clock.advance(1000);
  const eventTime = new Date(clock.now()).toISOString();
  // No sequencer that orders them: such servers have none that could be relied on.
  await intake.accept(
    {
      Records: [
        { ...awsMessage({ bucket, key, eTag, size, eventTime }).Records[0], eventSource: 'versitygw:s3' },
      ],
    },
    { kind: 'webhook' },
  );
  const [scan] = await test.query<{ id: string }>('SELECT id FROM scan ORDER BY requested_at DESC LIMIT 1');
  return scan?.id ?? '';
}

async function inspected(scanId: string, worker = inspector): Promise<JsonObject> {
  const task = { taskId: 't', workflowInstanceId: 'w', pollCount: 3, inputData: { scanId } } as never as Task;
  const outcome = await worker.execute(task, { signal: AbortSignal.timeout(30_000), log: () => undefined });
  if (outcome.kind !== 'completed') throw new Error(`it ended ${JSON.stringify(outcome)}`);
  return outcome.output;
}

const rows = () =>
  test.query<{ version_id: string | null; is_latest: boolean; folded: boolean }>(
    `SELECT version_id, is_latest, folded_into IS NOT NULL AS folded FROM object_version ORDER BY first_seen_at`,
  );

let keys = 0;
let key = '';
beforeEach(async () => {
  await test.truncate();
  keys += 1;
  key = `dir ${keys}/kéy+%.txt`;
});

describe('an upload whose event names no version', () => {
  it('and that was overwritten before its scan is found by its ETag and scanned as the version it is', async () => {
    const first = await s3.put(key, 'first');
    await s3.put(`${key}.more`, 'first');
    const firstScan = await told(first, 5);
    const second = await s3.put(key, 'the second');
    const secondScan = await told(second, 10);
    expect(await inspected(firstScan)).toMatchObject({
      outcome: 'present',
      object: { key, versionId: first.versionId, eTag: first.eTag, sizeBytes: 5 },
    });
    expect(await inspected(secondScan)).toMatchObject({
      outcome: 'present',
      object: { key, versionId: second.versionId },
    });
    expect(await rows()).toEqual([
      { version_id: first.versionId, is_latest: false, folded: false },
      { version_id: second.versionId, is_latest: true, folded: false },
    ]);
    // What acts on it acts on that version.
    expect(await pinnedOf(s3.storage, await ledger.scan(firstScan))).toMatchObject({
      versionId: first.versionId,
    });
  });

  it('may be inspected again, as after a crash, and is the same version', async () => {
    const first = await s3.put(key, 'first');
    const scanId = await told(first, 5);
    await s3.put(key, 'the second');
    for (let turn = 0; turn < 2; turn += 1)
      expect(await inspected(scanId)).toMatchObject({ outcome: 'present', object: { sizeBytes: 5 } });
    await ledger.pinVersion(scanId, ['another']);
    expect(await rows()).toMatchObject([{ version_id: first.versionId }]);
  });

  it('and whose bytes were uploaded twice is two versions, each with a row', async () => {
    const uploads = [await s3.put(key, 'same'), await s3.put(key, 'same')];
    const scans = [];
    for (const upload of uploads) scans.push(await told(upload, 4));
    await s3.put(key, 'another');
    for (const scanId of scans) expect(await inspected(scanId)).toMatchObject({ outcome: 'present' });
    const versions = (await rows()).map(({ version_id: id }) => id);
    expect(new Set(versions)).toEqual(new Set(uploads.map(({ versionId }) => versionId)));
  });

  it('told twice has one row, whether or not it was overwritten in between', async () => {
    const first = await s3.put(key, 'first');
    const scans = [await told(first, 5), await told(first, 5)];
    expect(await inspected(scans[0] ?? '')).toMatchObject({ outcome: 'present' });
    await s3.put(key, 'the second');
    expect(await inspected(scans[1] ?? '')).toMatchObject({
      outcome: 'duplicate',
      reason: 'same_version_already_scanned',
      object: { ofScanId: scans[0] },
    });
    expect(await rows()).toMatchObject([{ folded: false, version_id: first.versionId }, { folded: true }]);
  });

  it('and that a delete marker hides is scanned all the same', async () => {
    const first = await s3.put(key, 'first');
    const scanId = await told(first, 5);
    await s3.client.send(new DeleteObjectCommand({ Bucket: first.bucket, Key: key }));
    expect(await inspected(scanId)).toMatchObject({
      outcome: 'present',
      object: { versionId: first.versionId },
    });
  });

  it('and that the service removed is marked as removed, and no other version of its key', async () => {
    const first = await s3.put(key, 'first');
    const scanId = await told(first, 5);
    await inspected(scanId);
    const second = await s3.put(key, 'the second');
    await inspected(await told(second, 10));
    await ledger.recordAction(scanId, 't', { action: 'quarantined', performed: true, at: clock.now() });
    clock.advance(1000);
    const eventTime = new Date(clock.now()).toISOString();
    const removed = { bucket: 'uploads', key, eventName: 'ObjectRemoved:Delete', eventTime };
    await intake.accept(awsMessage(removed), { kind: 'webhook' });
    const deleted = await test.query('SELECT version_id FROM object_version WHERE deleted_at IS NOT NULL');
    expect(deleted).toEqual([{ version_id: first.versionId }]);
    expect(await rows()).toMatchObject([{ is_latest: false }, { is_latest: true }]);
  });

  it('is superseded when its version is gone, and where the bucket keeps none', async () => {
    const first = await s3.put(key, 'first');
    const scanId = await told(first, 5);
    await s3.put(key, 'the second');
    await s3.storage.deleteVersion(first);
    expect(await inspected(scanId)).toMatchObject({ outcome: 'superseded', reason: 'overwritten' });

    const plain = await s3.put(key, 'first', 'plain');
    const plainScan = await told(plain, 5);
    await s3.put(key, 'the second', 'plain');
    expect(await inspected(plainScan)).toMatchObject({ outcome: 'superseded', reason: 'overwritten' });
  });
});

describe('where versions cannot be listed', () => {
  const lying = async (answer: ReturnType<typeof refusal>) => {
    const liar = await LyingS3.start();
    const endpoints = new Endpoints(readConfig({ SALLYPORT_HOME: s3.directory }));
    endpoints.registerEmbedded({ endpoint: liar.url, accessKeyId: 'KEY', secretAccessKey: 'secret' });
    liar.object = { body: Buffer.from('the second'), eTag: 'e2', versionId: 'v2' };
    liar.lie(({ query }) => (query.has('versions') ? answer : undefined));
    const ref = { endpointId: 'embedded', bucket: 'uploads', key: 'k', eTag: 'e1' };
    const scanId = await told(ref, 5);
    try {
      return await inspected(scanId, inspectorOf(new ObjectStorage(endpoints))).catch(
        (error: unknown) => error,
      );
    } finally {
      endpoints.close();
      await liar.close();
    }
  };

  it('an overwritten upload is superseded, and says which right would have found it', async () => {
    expect(await lying(refusal(403, 'AccessDenied', 'Access Denied'))).toMatchObject({
      outcome: 'superseded',
      reason: 'overwritten',
      object: { detail: expect.stringContaining('s3:ListBucketVersions') },
    });
  });

  it('a busy server is asked again later', async () => {
    expect(await lying(refusal(503, 'SlowDown'))).toBeInstanceOf(RetryLater);
  });
});
