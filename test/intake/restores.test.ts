import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.js';
import type { Task } from '../../src/engine/model/execution.js';
import type { JsonObject } from '../../src/engine/model/json.js';
import type { TaskWorker } from '../../src/engine/ports.js';
import { Endpoints } from '../../src/s3/endpoints.js';
import { needsRandomAccess } from '../../src/s3/needs-random-access.js';
import { ObjectStorage } from '../../src/s3/object-storage.js';
import { SharedReads } from '../../src/s3/shared-reads.js';
import { Spool } from '../../src/s3/spool.js';
import { Allowances } from '../../src/tasks/object/allowances.js';
import { InspectObjectWorker } from '../../src/tasks/object/inspect-object.worker.js';
import { VersionPin } from '../../src/tasks/object/version-pin.js';
import { RecordVerdictWorker } from '../../src/verdicts/workers/record-verdict.worker.js';
import { LyingS3, refusal } from '../support/lying-s3.js';
import { awsMessage, intakeParts, type RecordParts } from './intake-parts.js';

const { intake, ledger, test, database, clock, buckets } = await intakeParts();
const s3 = await LyingS3.start();
const directory = await mkdtemp(join(tmpdir(), 'sallyport restores-'));
const config = readConfig({ SALLYPORT_HOME: directory });
const endpoints = new Endpoints(config);
endpoints.registerEmbedded({ endpoint: s3.url, accessKeyId: 'KEY', secretAccessKey: 'secret' });
const storage = new ObjectStorage(endpoints);
const reads = new SharedReads(storage, new Spool(join(directory, 'spool'), 1024 ** 2), {
  wantsSpool: needsRandomAccess,
  keepMs: 0,
});
const inspect = new InspectObjectWorker(
  ledger,
  new VersionPin(ledger, storage),
  reads,
  new Allowances(storage, database, clock),
  database,
);
const judge = new RecordVerdictWorker(ledger, buckets, config, pino({ enabled: false }));
afterAll(async () => {
  endpoints.close();
  await s3.close();
  await rm(directory, { recursive: true, force: true });
});

/** S3 as it is about an archived object: HEAD tells of its class, GET refuses its bytes. */
function archive(headers: Readonly<Record<string, string>>, isRestored = false): void {
  const restore = isRestored
    ? { 'x-amz-restore': 'ongoing-request="false", expiry-date="Fri, 25 Dec 2026 00:00:00 GMT"' }
    : {};
  const { versionId } = s3.object;
  const facts = {
    etag: '"e1"',
    'last-modified': 'Mon, 23 Nov 2026 11:00:00 GMT',
    ...(versionId !== undefined && { 'x-amz-version-id': versionId }),
    ...headers,
    ...restore,
  };
  s3.lie(({ method }) => {
    if (method === 'HEAD') return { status: 200, headers: facts, body: 'honest bytes' };
    return isRestored ? undefined : refusal(403, 'InvalidObjectState', 'Not valid for its storage class');
  });
}

async function run(worker: TaskWorker, inputData: JsonObject): Promise<JsonObject> {
  const task = { taskId: 't', workflowInstanceId: 'w', pollCount: 1, inputData } as Task;
  const outcome = await worker.execute(task, { signal: AbortSignal.timeout(30_000), log: () => undefined });
  if (outcome.kind !== 'completed') throw new Error(`it ended ${JSON.stringify(outcome)}`);
  return outcome.output;
}

/** Takes the event in, and gives the scan that it opened its verdict. @returns how many scans it opened */
async function told(event: RecordParts): Promise<number> {
  clock.advance(1000);
  await intake.accept(awsMessage(event), { kind: 'webhook' });
  const open = await test.query<{ id: string }>('SELECT id FROM scan WHERE verdict_at IS NULL');
  for (const { id: scanId } of open) await run(judge, { scanId, inspection: await run(inspect, { scanId }) });
  return open.length;
}

const objects = () =>
  test.query(
    `SELECT o.verdict, v.reason, o.verdict_generation AS generation, o.storage_class AS class
       FROM object_version o JOIN verdict v ON v.id = o.verdict_id`,
  );

const TIERS: readonly (readonly [string, string, Readonly<Record<string, string>>])[] = [
  ['GLACIER', 'GLACIER', {}],
  ['DEEP_ARCHIVE', 'DEEP_ARCHIVE', {}],
  [
    'the archive tier of Intelligent-Tiering',
    'INTELLIGENT_TIERING',
    { 'x-amz-archive-status': 'ARCHIVE_ACCESS' },
  ],
];

beforeEach(() => test.truncate());

describe.each([
  ['a version', 'uploads', 'v1'],
  ['an object without versions', 'plain', undefined],
])('the restore of %s', (_, bucket, versionId) => {
  const event = { bucket, key: 'k', eTag: 'e1', size: 12, ...(versionId !== undefined && { versionId }) };

  it.each(TIERS)('in %s scans it again, as the same object', async (_name, storageClass, more) => {
    s3.object = { body: Buffer.from('honest bytes'), eTag: 'e1', versionId };
    const headers = { 'x-amz-storage-class': storageClass, ...more };
    archive(headers);
    expect(await told({ ...event, sequencer: 'A1' })).toBe(1);
    expect(await objects()).toEqual([
      { verdict: 'archived', reason: 'storage_class_archived', generation: 1, class: storageClass },
    ]);
    archive(headers, true);
    const restored = { ...event, sequencer: 'A2', eventName: 'ObjectRestore:Completed' };
    expect(await told(restored)).toBe(1);
    // Read by now; this test has no scanners, so it is not clean.
    expect(await objects()).toMatchObject([{ verdict: 'incomplete', generation: 2, class: storageClass }]);
    // The same event again is no other restore.
    expect(await told(restored)).toBe(0);
  });

  it('that was only asked for, or whose copy ran out, starts nothing', async () => {
    s3.object = { body: Buffer.from('honest bytes'), eTag: 'e1', versionId };
    archive({ 'x-amz-storage-class': 'GLACIER', 'x-amz-restore': 'ongoing-request="true"' });
    await told({ ...event, sequencer: 'A1' });
    expect(await objects()).toMatchObject([{ verdict: 'archived', reason: 'restore_in_progress' }]);
    for (const eventName of ['ObjectRestore:Post', 'ObjectRestore:Delete'])
      expect(await told({ ...event, sequencer: 'A2', eventName })).toBe(0);
  });
});
