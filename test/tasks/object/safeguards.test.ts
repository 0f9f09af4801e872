import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Database } from '../../../src/database/database.js';
import { readConfig } from '../../../src/config.js';
import { Endpoints } from '../../../src/s3/endpoints.js';
import { ObjectStorage } from '../../../src/s3/object-storage.js';
import type { PinnedObject } from '../../../src/s3/object-storage.js';
import { loopOf } from '../../../src/tasks/object/refuse-loop.js';
import { removeVersion } from '../../../src/tasks/object/remove-version.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
import { LyingS3, refusal } from '../../support/lying-s3.js';
import { startTestS3, type TestS3 } from '../../s3/endpoint.js';
import { Stage } from '../stage.js';
import { Death, mortalStage } from './mortal.js';

let s3: TestS3;
let database: TestDatabase;
let db: Database;
let stage: Stage;
let liar: LyingS3;
let lyingEndpoints: Endpoints;
let lying: ObjectStorage;

beforeAll(async () => {
  s3 = await startTestS3();
  database = await testDatabase();
  db = new Database(database.url);
  stage = new Stage(s3, db);
  liar = await LyingS3.start();
  lyingEndpoints = new Endpoints(readConfig({ SALLYPORT_HOME: s3.directory }));
  lyingEndpoints.registerEmbedded({ endpoint: liar.url, accessKeyId: 'KEY', secretAccessKey: 'secret' });
  lying = new ObjectStorage(lyingEndpoints);
});
afterAll(async () => {
  await stage.close();
  lyingEndpoints.close();
  await liar.close();
  await db.close();
  await s3.close();
});
beforeEach(() => liar.lie(() => undefined));

const steps = async (scanId: string) =>
  database.query('SELECT move, step, note, data FROM object_step WHERE scan_id = $1 ORDER BY id', [scanId]);
const NOW = Date.UTC(2026, 10, 23, 12);
const pinned: PinnedObject = {
  endpointId: 'embedded',
  bucket: 'uploads',
  key: 'k',
  versionId: 'v1',
  eTag: 'e1',
};

describe('a version that may not be deleted', () => {
  const head = (headers: Record<string, string>) =>
    liar.lie(({ method }) =>
      method === 'HEAD'
        ? { headers: { etag: '"e1"', 'last-modified': 'Mon, 23 Nov 2026 11:00:00 GMT', ...headers } }
        : undefined,
    );
  it.each([
    [{ 'x-amz-object-lock-legal-hold': 'ON' }, 'a legal hold is on it'],
    [
      {
        'x-amz-object-lock-mode': 'COMPLIANCE',
        'x-amz-object-lock-retain-until-date': '2027-01-01T00:00:00.000Z',
      },
      'retention in compliance mode until 2027-01-01T00:00:00.000Z',
    ],
    [
      {
        'x-amz-object-lock-mode': 'GOVERNANCE',
        'x-amz-object-lock-retain-until-date': '2027-01-01T00:00:00.000Z',
      },
      'retention in governance mode until 2027-01-01T00:00:00.000Z',
    ],
  ])('with %j stays, and no delete is sent', async (headers, detail) => {
    head(headers);
    expect(await removeVersion(lying, pinned, NOW)).toEqual({
      kind: 'leftBehind',
      reason: 'object_locked',
      detail,
    });
    expect(liar.calls).toEqual(['HEAD /uploads/k']);
  });

  it('whose retention is over is deleted, that version alone', async () => {
    let isGone = false;
    liar.lie(({ method, query }) => {
      if (method === 'DELETE') isGone = true;
      if (query.has('versions')) return refusal(403, 'AccessDenied');
      if (method !== 'HEAD') return undefined;
      if (isGone) return { status: 404 };
      return {
        headers: {
          etag: '"e1"',
          'x-amz-object-lock-mode': 'COMPLIANCE',
          'x-amz-object-lock-retain-until-date': '2026-01-01T00:00:00.000Z',
        },
      };
    });
    const removal = await removeVersion(lying, pinned, NOW);
    expect(removal).toMatchObject({
      kind: 'removed',
      others: { unknown: expect.stringContaining('list_bucket_versions') },
    });
    const sent = liar.seen.find(({ method }) => method === 'DELETE')!;
    expect(sent.query.get('versionId')).toBe('v1');
    expect(sent.headers).not.toHaveProperty('x-amz-bypass-governance-retention');
  });

  it.each([
    ['Access Denied because object protected by object lock.', 'object_locked'],
    ['Mfa Authentication must be used for this request', 'mfa_delete_required'],
    ['Access Denied', 'denied_delete_object_version'],
  ])('as S3 says it: %s', async (message, reason) => {
    liar.lie(({ method }) => (method === 'DELETE' ? refusal(403, 'AccessDenied', message) : undefined));
    expect(await removeVersion(lying, pinned, NOW)).toMatchObject({ kind: 'leftBehind', reason });
  });

  it('although S3 says deleted, is not believed to be gone', async () => {
    expect(await removeVersion(lying, pinned, NOW)).toMatchObject({
      kind: 'leftBehind',
      reason: 'delete_ignored',
    });
  });

  it('is copied, tagged where it stays, and told step by step', async () => {
    const { scanId, pinned: original } = await stage.upload('locked', 'bad');
    const { stage: process, close } = await mortalStage(stage, database.url, new Death());
    process.s3.endpoints.client('embedded').middlewareStack.add(
      (next, context) => (args) => {
        if (context.commandName !== 'DeleteObjectCommand') return next(args);
        const message = 'Access Denied because object protected by object lock.';
        throw Object.assign(new Error(message), { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } });
      },
      { step: 'initialize', name: 'locked' },
    );
    const output = await process.output('quarantine_object', { scanId, verdict: 'infected' });
    expect(output).toMatchObject({ moved: false, note: expect.stringContaining('object_locked') });
    expect(await s3.storage.readTags(original)).toMatchObject({ 'sallyport-verdict': 'infected' });
    expect((await steps(scanId)).map(({ step }) => step)).toEqual([
      'reserved',
      'copied',
      'verified',
      'left_behind',
    ]);
    // Later, when the lock is off, a person's decision reaches both.
    expect(await stage.output('delete_object', { scanId })).toMatchObject({ deleted: true });
    expect(await s3.storage.versionsOf(original)).toEqual([]);
    await close();
  });
});

describe('a move', () => {
  it('tells which other versions of the key stay', async () => {
    const older = await s3.put('several', 'older');
    const { scanId } = await stage.upload('several', 'bad');
    const newer = await s3.put('several', 'newer');
    await stage.output('quarantine_object', { scanId, verdict: 'infected' });
    expect((await steps(scanId)).at(-1)).toMatchObject({
      step: 'deleted',
      data: {
        otherVersions: { count: 2, first: [{ versionId: newer.versionId }, { versionId: older.versionId }] },
      },
    });
  });

  it('of bytes that are not what was scanned leaves nothing in quarantine', async () => {
    const { scanId, pinned: original } = await stage.upload('twin', 'other bytes');
    stage.ledger.standings.set(scanId, { sha256: '0'.repeat(64) });
    expect(await stage.output('quarantine_object', { scanId, verdict: 'infected' })).toMatchObject({
      moved: false,
      note: expect.stringContaining('overwritten'),
    });
    expect(
      await s3.storage.versionsOf({ ...original, bucket: 'quarantine', key: 'embedded/uploads/twin' }),
    ).toEqual([]);
    expect(await s3.storage.versionsOf(original)).toHaveLength(1);
  });

  it('gives back encryption and class of the original, and takes the quarantine’s own on the way in', async () => {
    liar.lie(({ method, headers }) =>
      method === 'PUT' && headers['x-amz-copy-source'] !== undefined
        ? { status: 200, body: '<CopyObjectResult><ETag>"e1"</ETag></CopyObjectResult>' }
        : undefined,
    );
    const destination = { bucket: 'uploads', key: 'back' };
    await lying.copy({ source: pinned, destination });
    await lying.copy({
      source: pinned,
      destination,
      encryption: { algorithm: 'aws:kms', kmsKeyId: 'arn:aws:kms:x:1:key/k', usesBucketKey: true },
      storageClass: 'STANDARD_IA',
    });
    const [plain, asBefore] = liar.seen.filter(({ method }) => method === 'PUT');
    expect(plain!.headers).not.toHaveProperty('x-amz-server-side-encryption');
    expect(asBefore!.headers).toMatchObject({
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': 'arn:aws:kms:x:1:key/k',
      'x-amz-storage-class': 'STANDARD_IA',
    });
  });
});

describe('recursion', () => {
  const policy = (bucket: string, quarantineBucket?: string) => ({
    endpointId: 'e',
    bucket,
    quarantineBucket,
    actionMode: 'quarantine' as const,
    required: [],
  });
  it.each([
    ['a', 'a', [policy('a', 'a')], /quarantine of a/],
    ['a', 'arn:aws:s3:::a', [policy('a')], /its own quarantine/],
    ['q', 'z', [policy('a', 'q'), policy('q', 'z')], /holds the quarantine of a/],
    ['arn:aws:s3:::q', 'z', [policy('a', 'q')], /holds the quarantine of a/],
    ['a', 'b', [policy('a', 'b'), policy('b', 'z')], /b is scanned itself/],
    ['a', 'kept', [policy('a', 'kept')], /keeps for itself/],
    ['kept', 'q', [policy('kept', 'q')], /keeps for itself/],
    ['a', 'q', [policy('a', 'q')], undefined],
  ])('from %s to %s', (bucket, quarantine, policies, why) => {
    const loop = loopOf({ endpointId: 'e', bucket }, quarantine, policies, [
      { endpointId: 'e', bucket: 'kept' },
    ]);
    if (why === undefined) expect(loop).toBeUndefined();
    else expect(loop).toMatch(why);
  });

  it('is refused when the move is made, whatever was true when its bucket was registered', async () => {
    const { scanId, pinned: original } = await stage.upload('loops', 'bad');
    const policies = [
      {
        endpointId: 'embedded',
        bucket: 'uploads',
        actionMode: 'quarantine' as const,
        required: [],
        quarantineBucket: 'quarantine',
      },
      { endpointId: 'embedded', bucket: 'quarantine', actionMode: 'tag' as const, required: [] },
    ];
    const { stage: process, close } = await mortalStage(stage, database.url, new Death(), { policies });
    expect(await process.output('quarantine_object', { scanId, verdict: 'infected' })).toMatchObject({
      moved: false,
      note: expect.stringContaining('refused (recursion)'),
    });
    expect(await s3.storage.readTags(original)).toMatchObject({ 'sallyport-verdict': 'infected' });
    await close();
  });

  it('through another name of the quarantine bucket is seen by what lies there; forged metadata is not believed', async () => {
    const { scanId } = await stage.upload('seen-elsewhere', 'bad');
    const { quarantine } = await stage.output('quarantine_object', { scanId, verdict: 'infected' });
    const copy = quarantine as unknown as PinnedObject;
    const again = stage.ledger.admit(copy);
    expect(await stage.output('inspect_object', { scanId: again.scanId })).toMatchObject({
      outcome: 'duplicate',
      reason: 'quarantined_copy',
    });
    const { PutObjectCommand } = await import('@aws-sdk/client-s3');
    await s3.client.send(
      new PutObjectCommand({
        Bucket: 'uploads',
        Key: copy.key,
        Body: 'bad',
        Metadata: { 'sallyport-scan-id': scanId },
      }),
    );
    const forged = stage.ledger.admit({ endpointId: 'embedded', bucket: 'uploads', key: copy.key });
    expect(await stage.output('inspect_object', { scanId: forged.scanId })).toMatchObject({
      outcome: 'present',
    });
  });
});

describe('what a person let pass', () => {
  const released = async (key: string, allow?: string) => {
    const { scanId } = await stage.upload(key, 'let go');
    await stage.output('quarantine_object', { scanId, verdict: 'secrets' });
    const review = { reviewId: 'review-1', decidedBy: 'user:alice' };
    const { object } = await stage.output('release_object', {
      scanId,
      review,
      ...(allow !== undefined && { allow }),
    });
    return { scanId, object: object as unknown as PinnedObject };
  };
  const inspected = async (ref: PinnedObject, spokenGeneration?: number) => {
    const { scanId } = stage.ledger.admit({
      endpointId: ref.endpointId,
      bucket: ref.bucket,
      key: ref.key,
      versionId: ref.versionId,
    });
    if (spokenGeneration !== undefined) stage.ledger.standings.set(scanId, { spokenGeneration });
    return stage.output('inspect_object', { scanId });
  };

  it('is not caught again by its own event, and says whose word that is', async () => {
    const { object } = await released('gone back');
    expect(await inspected(object)).toMatchObject({
      reason: 'released_by_review',
      allowed: { reviewId: 'review-1', decidedBy: 'user:alice' },
    });
  });

  it('is judged anew when somebody asks again, with the decision beside it', async () => {
    const { object } = await released('asked again');
    expect(await inspected(object, 0)).toMatchObject({
      outcome: 'present',
      allowed: { reviewId: 'review-1' },
    });
  });

  it('does not let the same bytes pass under another key, or later under its own', async () => {
    await released('only once');
    expect(await inspected(await s3.put('only once', 'let go'))).toMatchObject({ outcome: 'present' });
    expect(await inspected(await s3.put('another key', 'let go'))).toMatchObject({ outcome: 'present' });
  });

  it('lets them pass in the bucket for 90 days where the decision said so, and no other bytes of that size', async () => {
    await released('for the bucket', 'same_bytes_in_bucket');
    expect(await inspected(await s3.put('elsewhere', 'let go'))).toMatchObject({
      reason: 'released_by_review',
    });
    expect(await inspected(await s3.put('elsewhere', 'LET GO'))).toMatchObject({ outcome: 'present' });
    stage.clock.advance(91 * 24 * 3_600_000);
    expect(await inspected(await s3.put('elsewhere', 'let go'))).toMatchObject({ outcome: 'present' });
  });

  it('does not let other bytes pass that come while a release is announced, whatever their ETag', async () => {
    const { scanId } = await stage.upload('window', 'let go');
    await stage.output('quarantine_object', { scanId, verdict: 'secrets' });
    const hostile = await s3.put('window', 'EVIL!!');
    // As it stands between the announcement and the copy, with an ETag that was made to fit.
    await database.query(
      `INSERT INTO released_object (scan_id, endpoint_id, bucket, key, etag, sha256, is_written, created_at)
       VALUES ($1, 'embedded', 'uploads', 'window', $2, $3, false, $4)`,
      [scanId, hostile.eTag, '0'.repeat(64), Math.round(stage.clock.now())],
    );
    expect(await inspected(hostile)).toMatchObject({ outcome: 'present' });
  });
});

describe('a dry run', () => {
  it('asks S3 and writes nothing there, and the ledger says what would be done', async () => {
    const dry = new Stage(
      { ...s3, storage: lying, endpoints: lyingEndpoints },
      db,
      { DRY_RUN: 'true' },
      {},
      { secrets: stage.secrets },
    );
    const ref = { endpointId: 'embedded', bucket: 'uploads', key: 'k', versionId: 'v1' };
    const { scanId } = dry.ledger.admit(ref, '00000000-0000-4000-8000-0000000d0d0d');
    await dry.output('tag_object', { scanId, verdict: 'clean' });
    await dry.output('quarantine_object', { scanId, verdict: 'infected' });
    await dry.output('release_object', { scanId, allow: 'same_bytes_in_bucket' });
    await dry.output('delete_object', { scanId });
    // As one that was moved before the dry run began.
    await database.query(
      `INSERT INTO quarantined_object (scan_id, endpoint_id, bucket, key, version_id, etag, quarantine_bucket,
         quarantine_key, quarantine_etag, size_bytes, sha256, state, created_at, updated_at)
       VALUES ($1, 'embedded', 'uploads', 'k', 'v1', 'e1', 'quarantine', 'dry/k', 'e1', 12, 'x', 'moved', 1, 1)`,
      [scanId],
    );
    await dry.output('release_object', { scanId });
    await dry.output('delete_object', { scanId });
    expect(liar.seen.length).toBeGreaterThan(0);
    expect(liar.seen.filter(({ method }) => method !== 'GET' && method !== 'HEAD')).toEqual([]);
    const notes = dry.ledger
      .actionsOf(scanId)
      .map(({ action, performed, note }) => [action, performed, note]);
    expect(notes).toContainEqual(['tagged', false, expect.stringContaining('dry run: would tag')]);
    expect(notes).toContainEqual([
      'quarantined',
      false,
      expect.stringContaining('dry run: would move it to quarantine'),
    ]);
    expect(notes).toContainEqual(['deleted', false, 'dry run: would delete it']);
    expect(notes).toContainEqual(['released', false, 'dry run: would move it back']);
    expect(await database.query('SELECT FROM object_step WHERE scan_id = $1', [scanId])).toEqual([]);
    expect(await database.query('SELECT FROM allowed_bytes WHERE scan_id = $1', [scanId])).toEqual([]);
  });
});
