import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Database } from '../../../src/database/database.js';
import { TerminalError } from '../../../src/engine/ports.js';
import type { PinnedObject } from '../../../src/s3/object-storage.js';
import { StorageError } from '../../../src/s3/storage-error.js';
import { quarantineKeys } from '../../../src/tasks/object/quarantine-key.js';
import { releasedAmong } from '../../../src/tasks/object/sql/released-objects.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
import { startTestS3, type TestS3 } from '../../s3/endpoint.js';
import { Stage } from '../stage.js';

let s3: TestS3;
let database: TestDatabase;
let db: Database;
const stages: Stage[] = [];
const stageWith = (environment: Record<string, string> = {}) => {
  const stage = new Stage(s3, db, environment);
  stages.push(stage);
  return stage;
};
let stage: Stage;

beforeAll(async () => {
  s3 = await startTestS3();
  database = await testDatabase();
  db = new Database(database.url);
  stage = stageWith();
});
afterAll(async () => {
  for (const one of stages) await one.close();
  await db.close();
  await s3.close();
});

const exists = (object: {
  endpointId: string;
  bucket: string;
  key: string;
  versionId?: string | undefined;
}) =>
  s3.storage.head(object).then(
    () => true,
    (error: unknown) => {
      if (error instanceof StorageError && error.outcome === 'gone') return false;
      throw error;
    },
  );
const textOf = async ({ bucket, key, versionId }: PinnedObject) => {
  const answer = await s3.client.send(
    new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId }),
  );
  return answer.Body!.transformToString();
};

describe('inspecting', () => {
  it('tells identity, size and type by content', async () => {
    const png = Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex');
    const { object, scanId } = await stage.upload('not-a.txt', png);
    expect(object).toMatchObject({
      bucket: 'uploads',
      key: 'not-a.txt',
      sizeBytes: png.length,
      detectedType: 'image/png',
    });
    expect((await stage.ledger.scan(scanId)).facts).toMatchObject({
      eTag: object.eTag,
      detectedType: 'image/png',
    });
    expect((await stage.upload('text', 'żółty\n')).object.detectedType).toBe('text/plain');
    expect((await stage.upload('empty/', '')).object.sizeBytes).toBe(0);
  });

  it('what is gone, overwritten or known already ends there', async () => {
    const ref = { endpointId: 'embedded', bucket: 'uploads', key: 'never-was' };
    const gone = stage.ledger.admit(ref);
    expect(await stage.output('inspect_object', { scanId: gone.scanId })).toMatchObject({ outcome: 'gone' });

    const plain = stageWith();
    const first = await s3.put('overwritten', 'first', 'plain');
    const scan = plain.ledger.admit({ endpointId: 'embedded', bucket: 'plain', key: 'overwritten' });
    await plain.ledger.identified(scan.scanId, {
      eTag: first.eTag,
      sizeBytes: 5,
      lastModified: new Date(0).toISOString(),
    });
    await s3.put('overwritten', 'second', 'plain');
    expect(await plain.output('inspect_object', { scanId: scan.scanId })).toMatchObject({
      outcome: 'superseded',
    });

    const again = await s3.put('again', 'x');
    const known = stage.ledger.admit(again);
    stage.ledger.duplicates.set(known.scanId, 'the-other-scan');
    expect(await stage.output('inspect_object', { scanId: known.scanId })).toMatchObject({
      outcome: 'duplicate',
      reason: 'same_version_already_scanned',
    });
  });

  it('an unknown scan and a wrong input are final', async () => {
    await expect(stage.run('inspect_object', { scanId: 'nope' })).rejects.toThrow(TerminalError);
    await expect(stage.run('inspect_object', {})).rejects.toThrow(/scanId/);
  });
});

describe('tagging', () => {
  it("adds the verdict beside the user's tags", async () => {
    const { scanId, pinned } = await stage.upload('tagged.txt', 'x');
    await s3.storage.mergeTags(pinned, { owner: 'alice' });
    expect(await stage.output('tag_object', { scanId, verdict: 'clean' })).toMatchObject({ tagged: true });
    expect(await s3.storage.readTags(pinned)).toEqual({
      owner: 'alice',
      'sallyport-verdict': 'clean',
      'sallyport-scanned-at': new Date(stage.clock.now()).toISOString(),
    });
    expect(stage.ledger.actionsOf(scanId)).toMatchObject([{ action: 'tagged', performed: true }]);
  });

  it('in the style of GuardDuty', async () => {
    const other = stageWith({ VERDICT_TAG_STYLE: 'guardduty' });
    const { scanId, pinned } = await other.upload('gd.txt', 'x');
    await other.output('tag_object', { scanId, verdict: 'secrets' });
    expect(await s3.storage.readTags(pinned)).toEqual({ GuardDutyMalwareScanStatus: 'THREATS_FOUND' });
  });

  it.each([
    [{ DRY_RUN: 'true' }, /dry run/],
    [{ ACTION_MODE: 'observe' }, /observe/],
  ])('with %j nothing is written and the ledger says why', async (environment, why) => {
    const other = stageWith(environment);
    const { scanId, pinned } = await other.upload('untouched.txt', 'x');
    await other.output('tag_object', { scanId, verdict: 'clean' });
    expect(await s3.storage.readTags(pinned)).toEqual({});
    expect(other.ledger.actionsOf(scanId)).toMatchObject([
      { performed: false, note: expect.stringMatching(why) },
    ]);
  });

  it('full of tags: told, and none is lost', async () => {
    const { scanId, pinned } = await stage.upload('full.txt', 'x');
    const ten = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`t${i}`, 'v']));
    await s3.storage.mergeTags(pinned, ten);
    expect(await stage.output('tag_object', { scanId, verdict: 'clean' })).toMatchObject({
      tagged: false,
      note: expect.stringContaining('10 tags'),
    });
    expect(await s3.storage.readTags(pinned)).toEqual(ten);
  });
});

describe('quarantine', () => {
  it('moves exactly the scanned version, verified, with its metadata and tags', async () => {
    await s3.client.send(
      new PutObjectCommand({
        Bucket: 'uploads',
        Key: 'q/bad.txt',
        Body: 'bad',
        Metadata: { colour: 'green' },
        Tagging: 'owner=alice',
      }),
    );
    const head = await s3.storage.head({ endpointId: 'embedded', bucket: 'uploads', key: 'q/bad.txt' });
    const newer = await s3.put('q/bad.txt', 'newer and fine');
    const scan = stage.ledger.admit({
      endpointId: 'embedded',
      bucket: 'uploads',
      key: 'q/bad.txt',
      versionId: head.versionId,
    });
    await stage.output('inspect_object', { scanId: scan.scanId });
    const output = await stage.output('quarantine_object', { scanId: scan.scanId, verdict: 'infected' });
    expect(output).toMatchObject({
      moved: true,
      quarantine: { bucket: 'quarantine', key: 'embedded/uploads/q/bad.txt' },
    });
    const copy = output['quarantine'] as unknown as PinnedObject;
    expect(await textOf(copy)).toBe('bad');
    expect((await s3.storage.head(copy)).metadata).toMatchObject({
      colour: 'green',
      'sallyport-scan-id': scan.scanId,
      'sallyport-original-bucket': 'uploads',
      'sallyport-original-version': head.versionId,
    });
    expect(await s3.storage.readTags(copy)).toMatchObject({
      owner: 'alice',
      'sallyport-verdict': 'infected',
    });
    expect(await exists({ ...newer, versionId: head.versionId })).toBe(false);
    expect(await exists(newer)).toBe(true);
    expect(stage.ledger.actionsOf(scan.scanId)).toMatchObject([{ action: 'quarantined', performed: true }]);
  });

  it.each(['crash after the copy', 'crash after the row', 'crash after the delete', 'no crash'])(
    'run again, it finds what was done: %s',
    async (crash) => {
      const { scanId, pinned } = await stage.upload(`again ${crash}`, 'bad');
      const storage = s3.storage as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
      const fail = (name: 'copy' | 'deleteVersion', when: 'before' | 'after') => {
        const original = storage[name]!.bind(storage);
        storage[name] = async (...args) => {
          if (when === 'after') await original(...args);
          delete storage[name];
          throw new Error('crash');
        };
      };
      if (crash === 'crash after the copy') fail('copy', 'after');
      if (crash === 'crash after the row') fail('deleteVersion', 'before');
      if (crash === 'crash after the delete') fail('deleteVersion', 'after');
      const input = { scanId, verdict: 'infected' };
      if (crash === 'no crash') await stage.output('quarantine_object', input);
      else await expect(stage.run('quarantine_object', input)).rejects.toThrow('crash');
      const output = await stage.output('quarantine_object', input);
      expect(output).toMatchObject({ moved: true });
      const copy = output['quarantine'] as unknown as PinnedObject;
      expect(await textOf(copy)).toBe('bad');
      expect(await s3.storage.versionsOf(copy)).toHaveLength(1);
      expect(await exists(pinned)).toBe(false);
    },
  );

  it.each([
    [{ ACTION_MODE: 'tag' }, 'infected', true],
    [{ ACTION_MODE: 'observe' }, 'infected', false],
    [{ DRY_RUN: 'true' }, 'infected', false],
    [{}, 'incomplete', true],
  ] as const)('with %j and %s nothing is moved', async (environment, verdict, isTagged) => {
    const other = stageWith(environment);
    const { scanId, pinned } = await other.upload(`stays ${JSON.stringify(environment)}`, 'bad');
    const output = await other.output('quarantine_object', { scanId, verdict });
    expect(output).toMatchObject({ moved: false, quarantine: null });
    expect(await exists(pinned)).toBe(true);
    expect('sallyport-verdict' in (await s3.storage.readTags(pinned))).toBe(isTagged);
    expect(other.ledger.actionsOf(scanId)).toMatchObject([{ action: 'quarantined', performed: false }]);
  });

  it('two versions of one key have a place each', async () => {
    const one = await stage.upload('same-key', 'first');
    const two = await stage.upload('same-key', 'second');
    const first = await stage.output('quarantine_object', { scanId: one.scanId, verdict: 'infected' });
    const second = await stage.output('quarantine_object', { scanId: two.scanId, verdict: 'infected' });
    expect(await textOf(first['quarantine'] as unknown as PinnedObject)).toBe('first');
    expect(await textOf(second['quarantine'] as unknown as PinnedObject)).toBe('second');
  });

  it.each(['../../x', '/x', 'a//b', 'é'.repeat(512), 'line\nbreak', 'folder/'])(
    'the odd key %j finds a place and the way back',
    async (key) => {
      const { scanId } = await stage.upload(key, `of ${key}`);
      await stage.output('quarantine_object', { scanId, verdict: 'infected' });
      const { object } = await stage.output('release_object', { scanId });
      expect(object).toMatchObject({ key });
      expect(await textOf(object as unknown as PinnedObject)).toBe(`of ${key}`);
    },
  );

  it('an object that is gone is not moved, and that is no failure', async () => {
    const { scanId, pinned } = await stage.upload('vanishes', 'x');
    await s3.storage.deleteVersion(pinned);
    expect(await stage.output('quarantine_object', { scanId, verdict: 'infected' })).toMatchObject({
      moved: false,
      note: expect.stringContaining('gone'),
    });
  });

  it('a key is readable where it can be and never longer than S3 allows', () => {
    const ref = { endpointId: 'e', bucket: 'b', key: 'x/y.txt' };
    expect(quarantineKeys(ref, 'scan').slice(0, 2)).toEqual(['e/b/x/y.txt', 'e/b/x/y.txt~scan']);
    for (const key of ['x'.repeat(1024), 'ż'.repeat(512), '../x', 'a\u0000b']) {
      const keys = quarantineKeys({ ...ref, key }, 'scan');
      expect(keys).toHaveLength(1);
      expect(keys[0]).toMatch(/^e\/b\/sha256-[0-9a-f]{64}-scan$/);
    }
  });
});

describe('a decision', () => {
  it('release gives the bytes back as they were, and the event of that write is known', async () => {
    await s3.client.send(
      new PutObjectCommand({
        Bucket: 'uploads',
        Key: 'back.csv',
        Body: 'a,b',
        ContentType: 'text/csv',
        Metadata: { colour: 'green' },
      }),
    );
    const head = await s3.storage.head({ endpointId: 'embedded', bucket: 'uploads', key: 'back.csv' });
    const scan = stage.ledger.admit({
      endpointId: 'embedded',
      bucket: 'uploads',
      key: 'back.csv',
      versionId: head.versionId,
    });
    const { scanId } = scan;
    await stage.output('inspect_object', { scanId });
    const moved = await stage.output('quarantine_object', { scanId, verdict: 'secrets' });
    const { object } = await stage.output('release_object', { scanId });
    const released = object as unknown as PinnedObject;
    expect(await textOf(released)).toBe('a,b');
    expect(await s3.storage.head(released)).toMatchObject({
      contentType: 'text/csv',
      metadata: { colour: 'green' },
    });
    expect((await s3.storage.head(released)).metadata).not.toHaveProperty('sallyport-scan-id');
    expect(await exists(moved['quarantine'] as unknown as PinnedObject)).toBe(false);

    const isReleased = async (ref: PinnedObject) => (await releasedAmong(db, [{ ref }])).size > 0;
    expect(await isReleased(released)).toBe(true);
    const later = await s3.put('back.csv', 'a,b');
    expect(await isReleased(later)).toBe(false);
    const rescan = stage.ledger.admit(released);
    expect(await stage.output('inspect_object', { scanId: rescan.scanId })).toMatchObject({
      outcome: 'duplicate',
      reason: 'released_by_review',
    });

    await stage.output('tag_object', { scanId, verdict: 'secrets', object: released as never });
    expect(await s3.storage.readTags(released)).toMatchObject({
      'sallyport-verdict': 'secrets',
      'sallyport-decision': 'released',
    });
  });

  it.each(['crash after the copy', 'crash before the quarantined copy is removed', 'no crash'])(
    'a release run again gives back once: %s',
    async (crash) => {
      const { scanId } = await stage.upload(`release ${crash}`, 'bytes');
      await stage.output('quarantine_object', { scanId, verdict: 'secrets' });
      const storage = s3.storage as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
      const name = crash === 'crash after the copy' ? 'copy' : 'deleteVersion';
      if (crash === 'no crash') await stage.output('release_object', { scanId });
      else {
        const original = storage[name]!.bind(storage);
        storage[name] = async (...args) => {
          if (name === 'copy') await original(...args);
          delete storage[name];
          throw new Error('crash');
        };
        await expect(stage.run('release_object', { scanId })).rejects.toThrow('crash');
      }
      const { object } = await stage.output('release_object', { scanId });
      const released = object as unknown as PinnedObject;
      expect(await textOf(released)).toBe('bytes');
      expect(await s3.storage.versionsOf(released)).toHaveLength(1);
    },
  );

  it('a release never covers a newer upload', async () => {
    const { scanId } = await stage.upload('taken', 'old bytes');
    await stage.output('quarantine_object', { scanId, verdict: 'secrets' });
    const newer = await s3.put('taken', 'newer bytes');
    const output = await stage.output('release_object', { scanId });
    expect(output).toMatchObject({ object: null, note: expect.stringContaining('newer upload') });
    expect(await textOf(newer)).toBe('newer bytes');
    expect((await s3.storage.head({ ...newer, versionId: undefined, eTag: undefined })).eTag).toBe(
      newer.eTag,
    );
    expect(stage.ledger.actionsOf(scanId).at(-1)).toMatchObject({ action: 'released', performed: false });
  });

  it('a quarantined copy that somebody changed is not released', async () => {
    const { scanId } = await stage.upload('swapped', 'scanned bytes');
    const { quarantine } = await stage.output('quarantine_object', { scanId, verdict: 'secrets' });
    await s3.storage.deleteVersion(quarantine as unknown as PinnedObject);
    await s3.put((quarantine as unknown as PinnedObject).key, 'other bytes', 'quarantine');
    await expect(stage.run('release_object', { scanId })).rejects.toThrow(TerminalError);
    expect(await exists({ endpointId: 'embedded', bucket: 'uploads', key: 'swapped' })).toBe(false);
  });

  it('delete removes the quarantined copy', async () => {
    const { scanId, pinned } = await stage.upload('to-delete', 'bad');
    const { quarantine } = await stage.output('quarantine_object', { scanId, verdict: 'infected' });
    expect(await stage.output('delete_object', { scanId })).toMatchObject({ deleted: true });
    expect(await stage.output('delete_object', { scanId })).toMatchObject({ deleted: true });
    expect(await exists(quarantine as unknown as PinnedObject)).toBe(false);
    expect(await exists(pinned)).toBe(false);
  });

  it('delete under a milder policy is only recorded', async () => {
    const other = stageWith({ ACTION_MODE: 'tag' });
    const { scanId, pinned } = await other.upload('not-deleted', 'bad');
    expect(await other.output('delete_object', { scanId })).toMatchObject({ deleted: false });
    expect(await exists(pinned)).toBe(true);
    expect(other.ledger.actionsOf(scanId)).toMatchObject([{ action: 'deleted', performed: false }]);
  });

  it('keep says where the object stays', async () => {
    const { scanId } = await stage.upload('kept', 'bad');
    await stage.output('quarantine_object', { scanId, verdict: 'infected' });
    expect(await stage.output('keep_object', { scanId })).toEqual({ note: 'stays in quarantine' });
  });
});
