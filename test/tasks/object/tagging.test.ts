import { PutObjectTaggingCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Database } from '../../../src/database/database.js';
import { RetryLater } from '../../../src/engine/ports.js';
import type { PinnedObject } from '../../../src/s3/object-storage.js';
import { ObjectLocks } from '../../../src/tasks/object/object-locks.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
import { startTestS3, type TestS3 } from '../../s3/endpoint.js';
import { Stage } from '../stage.js';
import { Death, mortalStage } from './mortal.js';

let s3: TestS3;
let database: TestDatabase;
let db: Database;
let stage: Stage;

beforeAll(async () => {
  s3 = await startTestS3();
  database = await testDatabase();
  db = new Database(database.url);
  stage = new Stage(s3, db);
});
afterAll(async () => {
  await stage.close();
  await db.close();
  await s3.close();
});

const tagsOf = ({ endpointId, bucket, key, versionId }: PinnedObject) =>
  s3.storage.readTags({ endpointId, bucket, key, versionId });
const setTags = (object: PinnedObject, tags: Record<string, string>) =>
  s3.client.send(
    new PutObjectTaggingCommand({
      Bucket: object.bucket,
      Key: object.key,
      VersionId: object.versionId,
      Tagging: { TagSet: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) },
    }),
  );
const some = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`t${at}`, 'v']));

describe('an object with many tags', () => {
  it('nine of others: the verdict goes in, when it was scanned does not, and the ledger says so', async () => {
    const { scanId, pinned } = await stage.upload('nine', 'x');
    await setTags(pinned, some(9));
    const output = await stage.output('tag_object', { scanId, verdict: 'clean' });
    expect(output).toMatchObject({ tagged: true, note: 'tags_full: no room for sallyport-scanned-at' });
    expect(await tagsOf(pinned)).toEqual({ ...some(9), 'sallyport-verdict': 'clean' });
    expect(stage.ledger.actionsOf(scanId)).toMatchObject([
      {
        performed: true,
        note: 'tags_full: no room for sallyport-scanned-at',
        data: { tags: { 'sallyport-verdict': 'clean' } },
      },
    ]);
  });

  it('ten of others: none of them goes, and the ledger says that the tag failed', async () => {
    const { scanId, pinned } = await stage.upload('ten', 'x');
    await setTags(pinned, some(10));
    await stage.output('tag_object', { scanId, verdict: 'clean' });
    expect(await tagsOf(pinned)).toEqual(some(10));
    expect(stage.ledger.actionsOf(scanId)).toMatchObject([
      { action: 'tagged', performed: false, note: expect.stringMatching(/^tags_full: .*10 tags/) },
    ]);
  });

  it('ours of earlier make room first: a style that is not used any more, a decision that no longer holds', async () => {
    const { scanId, pinned } = await stage.upload('eight', 'x');
    await setTags(pinned, { ...some(8), 'sallyport-verdict': 'secrets', 'sallyport-decision': 'released' });
    await stage.output('tag_object', { scanId, verdict: 'clean' });
    expect(await tagsOf(pinned)).toEqual({
      ...some(8),
      'sallyport-verdict': 'clean',
      'sallyport-scanned-at': new Date(stage.clock.now()).toISOString(),
    });
  });
});

describe('two processes at one object', () => {
  it('wait for each other, and the lock of a dead one runs out', async () => {
    const other = new Database(database.url);
    const mine = new ObjectLocks(db, stage.clock);
    const theirs = new ObjectLocks(other, stage.clock);
    const object = { endpointId: 'e', bucket: 'b', key: 'k', versionId: 'v' };
    let open: () => void = () => undefined;
    const held = mine.hold(object, 'a', () => new Promise<void>((resolve) => (open = resolve)));
    await expect.poll(() => database.query('SELECT FROM object_lock')).toHaveLength(1);
    await expect(theirs.hold(object, 'b', async () => 'in')).rejects.toThrow(RetryLater);
    expect(await theirs.hold({ ...object, versionId: 'w' }, 'b', async () => 'another version')).toBe(
      'another version',
    );
    open();
    await held;
    expect(await theirs.hold(object, 'b', async () => 'in')).toBe('in');

    const dead = mine.hold(object, 'a', () => new Promise<never>(() => undefined));
    void dead;
    await expect.poll(() => database.query('SELECT FROM object_lock')).toHaveLength(1);
    await expect(theirs.hold(object, 'b', async () => 'in')).rejects.toThrow(RetryLater);
    // Handed out again elsewhere, the dead one's own task goes on at once.
    expect(await theirs.hold(object, 'a', async () => 'again')).toBe('again');
    void mine.hold({ ...object, key: 'l' }, 'a', () => new Promise<never>(() => undefined));
    await expect.poll(() => database.query('SELECT FROM object_lock')).toHaveLength(1);
    stage.clock.advance(300_001);
    expect(await theirs.hold({ ...object, key: 'l' }, 'b', async () => 'in')).toBe('in');
    await other.close();
  });

  it('a holder whose time runs out begins no write', async () => {
    const locks = new ObjectLocks(db, stage.clock);
    const object = { endpointId: 'e', bucket: 'b', key: 'late' };
    await expect(
      locks.hold(object, 'a', async (mayWrite) => {
        mayWrite();
        stage.clock.advance(200_000);
        mayWrite();
      }),
    ).rejects.toThrow(RetryLater);
  });

  it('lose nothing of what users wrote, whoever comes first', async () => {
    const { scanId, pinned } = await stage.upload('busy', 'x');
    await setTags(pinned, { owner: 'alice' });
    const others = await Promise.all(
      Array.from({ length: 3 }, () => mortalStage(stage, database.url, new Death())),
    );
    const tagUntilDone = async (process: Stage): Promise<void> => {
      for (;;) {
        try {
          await process.output('tag_object', { scanId, verdict: 'clean' });
          return;
        } catch (error) {
          if (!(error instanceof RetryLater)) throw error;
        }
      }
    };
    await Promise.all(others.map(({ stage: process }) => tagUntilDone(process)));
    expect(await tagsOf(pinned)).toMatchObject({ owner: 'alice', 'sallyport-verdict': 'clean' });
    await Promise.all(others.map(({ close }) => close()));
  });

  it('an older scan does not write over what a newer one said', async () => {
    const { scanId, pinned } = await stage.upload('rescanned', 'x');
    stage.ledger.standings.set(scanId, { spokenGeneration: 2 });
    expect(await stage.output('tag_object', { scanId, verdict: 'clean' })).toMatchObject({
      tagged: false,
      note: expect.stringContaining('newer scan'),
    });
    expect(await tagsOf(pinned)).toEqual({});
  });
});

describe('tagging that is killed anywhere', () => {
  it('with versions: ends with the one verdict and the user’s tags', async () => {
    for (let at = 1; ; at += 1) {
      const { scanId, pinned } = await stage.upload(`killed ${at}`, 'x');
      await setTags(pinned, { owner: 'alice' });
      const death = new Death(at);
      const mortal = await mortalStage(stage, database.url, death);
      const run = (process: Stage) =>
        process.output('tag_object', { scanId, verdict: 'infected' }, { taskId: `task of ${scanId}` });
      const end = await Promise.race([death.came, run(mortal.stage)]);
      void mortal.close();
      if (end === 'dead') await run(stage);
      expect(await tagsOf(pinned)).toMatchObject({ owner: 'alice', 'sallyport-verdict': 'infected' });
      if (end !== 'dead') break;
    }
  });
});

describe('without versions', () => {
  const admitted = async (key: string, body: string) => {
    const pinned = await s3.put(key, body, 'plain');
    const head = await s3.storage.head(pinned);
    const scan = stage.ledger.admit({ endpointId: 'embedded', bucket: 'plain', key });
    await stage.ledger.identified(scan.scanId, head);
    return { scanId: scan.scanId, pinned };
  };
  const asTag = (pinned: PinnedObject) => ({ ...pinned, versionId: undefined });

  it('what an attempt that died left on the object that came after is taken away', async () => {
    const { scanId, pinned } = await admitted('stray', 'first');
    const second = await s3.put('stray', 'second', 'plain');
    // As the dead attempt wrote it, between its HEAD and the one after.
    await setTags(asTag(second), {
      owner: 'bob',
      'sallyport-verdict': 'clean',
      'sallyport-scanned-at': 'then',
    });
    const output = await tagPlain(scanId);
    expect(output).toMatchObject({ tagged: false });
    expect(await tagsOf(asTag(second))).toEqual({ owner: 'bob' });
    expect(pinned.eTag).not.toBe(second.eTag);
  });

  it('what the newcomer’s own scan said stays', async () => {
    const { scanId } = await admitted('scanned already', 'first');
    const second = await s3.put('scanned already', 'second', 'plain');
    stage.ledger.verdictsByETag.set(second.eTag, 'clean');
    await setTags(asTag(second), { 'sallyport-verdict': 'clean' });
    await tagPlain(scanId);
    expect(await tagsOf(asTag(second))).toEqual({ 'sallyport-verdict': 'clean' });
  });

  it('replaced between our write and our look, it loses our tag again', async () => {
    const { scanId, pinned } = await admitted('raced', 'first');
    const death = new Death();
    const racing = await mortalStage(stage, database.url, death, { policies: [PLAIN] });
    let puts = 0;
    racing.stage.s3.endpoints.client('embedded').middlewareStack.add(
      (next, context) => async (args) => {
        if (context.commandName === 'PutObjectTaggingCommand' && (puts += 1) === 1)
          await s3.put('raced', 'second', 'plain');
        return next(args);
      },
      { step: 'initialize', name: 'race' },
    );
    expect(await racing.stage.output('tag_object', { scanId, verdict: 'clean' })).toMatchObject({
      tagged: false,
      note: expect.stringMatching(/^superseded/),
    });
    expect(await tagsOf(asTag(pinned))).toEqual({});
    await racing.close();
  });

  const PLAIN = { endpointId: 'embedded', bucket: 'plain', actionMode: 'tag' as const, required: [] };
  const tagPlain = async (scanId: string) => {
    const { stage: process, close } = await mortalStage(stage, database.url, new Death(), {
      policies: [PLAIN],
    });
    const output = await process.output('tag_object', { scanId, verdict: 'infected' });
    await close();
    return output;
  };
});
