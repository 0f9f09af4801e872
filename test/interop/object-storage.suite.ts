import { createHash } from 'node:crypto';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import { ObjectStorage, type PinnedObject } from '../../src/s3/object-storage.js';
import { StorageError, TagsFull } from '../../src/s3/storage-error.js';
import { declareWith, type Differences } from './behaviour.js';
import { fitting, ODD_KEYS } from './odd-keys.js';

/*
 * What the service asks of an S3 server, through the very code with which it asks. Run for every server that it is
 * said to work with.
 */

/** A server with buckets for the suite; keys are made below `prefix`. */
export interface StorageUnderTest {
  readonly storage: ObjectStorage;
  /** The same server, where a copy of more than 6 MiB is made in parts of 5 MiB. */
  readonly inParts: ObjectStorage;
  /** The same server with wrong keys; absent where they cannot be told apart. */
  readonly stranger?: ObjectStorage | undefined;
  readonly client: S3Client;
  readonly endpointId: string;
  readonly prefix: string;
  /** Keeps versions; `undefined` where the tester has none. */
  readonly versioned: string | undefined;
  /** Keeps none. */
  readonly plain: string | undefined;
}

export type StorageBehaviour =
  | 'a pinned version is read although a newer one stands above it'
  | 'a delete marker is gone, and the version below it is still read'
  | 'without versions, an overwritten object is superseded and a deleted one gone'
  | 'a read goes on in the middle'
  | 'peeking returns the first bytes, also of short and empty objects'
  | 'headers and metadata come back from HEAD as they were put'
  | 'a bucket that is not there is told apart from an object that is not'
  | 'wrong keys are denied'
  | 'tags of others are kept, ours replaced, odd values survive'
  | 'an object with ten tags keeps them all and the failure is told'
  | 'tagging one version leaves the others alone'
  | 'without versions, an object replaced before the tagging is not tagged'
  | 'a copy keeps bytes, headers, metadata and tags'
  | 'a copy in parts keeps bytes, headers, metadata and tags'
  | 'a named version is copied, not the newest'
  | 'a source that changed is not copied'
  | 'a source that changed is not copied in parts'
  | 'bytes that are not what was expected leave no copy'
  | 'a copy that must be new writes over nothing'
  | 'a copy in parts that must be new writes over nothing'
  | 'an object of no bytes is read, tagged and copied'
  | 'deleting removes exactly one version and leaves no marker'
  | 'deleting what is gone is no error'
  | 'without versions, what took the place of an object is not deleted'
  | 'a put that must be new writes over nothing'
  | 'a listing is walked in the order of the keys, from any place'
  | 'the versions of a key are listed newest first, markers left out'
  | `the key ${string} is put, listed, read, tagged, copied and deleted`;

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

const outcomeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof StorageError ? error.outcome : error),
  );

/** Declares the suite. `setting` is made by the caller's `beforeAll`. */
export function describeObjectStorage(
  setting: () => StorageUnderTest,
  options: {
    readonly differences?: Differences<StorageBehaviour>;
    /** Which kinds of bucket there are; behaviours of the other kind are left out by the caller's own words. */
    readonly kinds: readonly ('versioned' | 'plain')[];
  },
): void {
  const declare = declareWith<StorageBehaviour>(options.differences ?? {});
  const has = (kind: 'versioned' | 'plain') => options.kinds.includes(kind);
  const any = (): string => {
    const { versioned, plain } = setting();
    const bucket = versioned ?? plain;
    if (bucket === undefined) throw new Error('no bucket to try it with');
    return bucket;
  };
  const refOf = (bucket: string | undefined, key: string) => {
    if (bucket === undefined) throw new Error('no such bucket to try it with');
    return { endpointId: setting().endpointId, bucket, key: setting().prefix + key };
  };
  const put = async (
    key: string,
    body: Buffer | string,
    bucket: string | undefined = any(),
  ): Promise<PinnedObject> => {
    const ref = refOf(bucket, key);
    return { ...ref, ...(await setting().storage.put(ref, body)) };
  };
  const putRich = async (key: string, body: Buffer | string): Promise<PinnedObject> => {
    const ref = refOf(any(), key);
    const { VersionId, ETag } = await setting().client.send(
      new PutObjectCommand({
        Bucket: ref.bucket,
        Key: ref.key,
        Body: body,
        ContentType: 'text/csv',
        CacheControl: 'no-store',
        ContentDisposition: 'attachment; filename="a b.csv"',
        Metadata: { colour: 'green', 'empty-handed': 'no' },
        Tagging: 'owner=alice&project=a%2Bb%2Fc%3Dd',
      }),
    );
    return { ...ref, versionId: VersionId, eTag: (ETag ?? '').replaceAll('"', '') };
  };
  const read = async (object: PinnedObject, from = 0): Promise<string> => {
    const { body } = await setting().storage.open(object, { from });
    const parts: Buffer[] = [];
    for await (const part of body) parts.push(part as Buffer);
    return Buffer.concat(parts).toString();
  };
  const current = ({ endpointId, bucket, key }: PinnedObject) => ({ endpointId, bucket, key });

  if (has('versioned')) {
    declare('a pinned version is read although a newer one stands above it', async () => {
      const { storage, versioned } = setting();
      const first = await put('pinned', 'first', versioned);
      const second = await put('pinned', 'second', versioned);
      expect(first.versionId).toBeTruthy();
      expect(first.versionId).not.toBe(second.versionId);
      expect(await read(first)).toBe('first');
      expect((await storage.head(first)).eTag).toBe(first.eTag);
      expect(await storage.head(current(first))).toMatchObject({
        eTag: second.eTag,
        versionId: second.versionId,
      });
    });

    declare('a delete marker is gone, and the version below it is still read', async () => {
      const { storage, versioned } = setting();
      const object = await put('marked', 'below the marker', versioned);
      // Without a version S3 puts a marker above what is there.
      const { DeleteObjectCommand } = await import('@aws-sdk/client-s3');
      await setting().client.send(new DeleteObjectCommand({ Bucket: object.bucket, Key: object.key }));
      expect(await outcomeOf(storage.head(current(object)))).toBe('gone');
      expect(await outcomeOf(storage.readTags(current(object)))).toBe('gone');
      expect(await read(object)).toBe('below the marker');
    });

    declare('tagging one version leaves the others alone', async () => {
      const { storage, versioned } = setting();
      const first = await put('tagged-below', 'first', versioned);
      const second = await put('tagged-below', 'second', versioned);
      expect(await storage.mergeTags(first, { 'sallyport-verdict': 'infected' })).toBe('tagged');
      expect(await storage.readTags(first)).toEqual({ 'sallyport-verdict': 'infected' });
      expect(await storage.readTags(second)).toEqual({});
    });

    declare('a named version is copied, not the newest', async () => {
      const { storage, versioned } = setting();
      const first = await put('copied-below', 'first', versioned);
      await put('copied-below', 'second', versioned);
      const destination = { bucket: first.bucket, key: `${setting().prefix}copy-of-first` };
      expect((await storage.copyVerified({ source: first, destination })).sha256).toBe(sha256('first'));
    });

    declare('deleting removes exactly one version and leaves no marker', async () => {
      const { storage, versioned } = setting();
      const first = await put('three', 'first', versioned);
      const second = await put('three', 'second', versioned);
      const third = await put('three', 'third', versioned);
      await storage.deleteVersion(second);
      expect(await outcomeOf(storage.head(second))).toBe('gone');
      expect((await storage.head(current(first))).eTag).toBe(third.eTag);
      await storage.deleteVersion(third);
      expect((await storage.head(current(first))).eTag).toBe(first.eTag);
      expect(await storage.versionsOf(first)).toHaveLength(1);
    });

    declare('the versions of a key are listed newest first, markers left out', async () => {
      const { storage, versioned } = setting();
      const first = await put('history', 'first', versioned);
      await put('history-of-another', 'x', versioned);
      const { DeleteObjectCommand } = await import('@aws-sdk/client-s3');
      await setting().client.send(new DeleteObjectCommand({ Bucket: first.bucket, Key: first.key }));
      const second = await put('history', 'second', versioned);
      expect((await storage.versionsOf(first)).map(({ versionId, eTag }) => ({ versionId, eTag }))).toEqual([
        { versionId: second.versionId, eTag: second.eTag },
        { versionId: first.versionId, eTag: first.eTag },
      ]);
    });
  }

  if (has('plain')) {
    declare('without versions, an overwritten object is superseded and a deleted one gone', async () => {
      const { storage, plain } = setting();
      const object = await put('plain-object', 'first', plain);
      await put('plain-object', 'second', plain);
      expect(await outcomeOf(storage.head(object))).toBe('superseded');
      expect(await outcomeOf(storage.open(object))).toBe('superseded');
      expect(await outcomeOf(storage.peek(object, 3))).toBe('superseded');
      const now = await put('plain-object', 'third', plain);
      await storage.deleteVersion(now);
      expect(await outcomeOf(storage.open(now))).toBe('gone');
    });

    declare('without versions, an object replaced before the tagging is not tagged', async () => {
      const { storage, plain } = setting();
      const object = await put('racy', 'first', plain);
      await put('racy', 'second', plain);
      expect(await storage.mergeTags(object, { 'sallyport-verdict': 'clean' })).toBe('superseded');
      expect(await storage.readTags(current(object))).toEqual({});
    });

    declare('a source that changed is not copied', async () => {
      const { storage, plain } = setting();
      const source = await put('changed', 'first', plain);
      await put('changed', 'second', plain);
      const destination = { bucket: source.bucket, key: `${setting().prefix}copy-of-changed` };
      expect(await outcomeOf(storage.copyVerified({ source, destination }))).toBe('superseded');
      expect(await outcomeOf(storage.head({ endpointId: source.endpointId, ...destination }))).toBe('gone');
    });

    declare('a source that changed is not copied in parts', async () => {
      // Changed behind our HEAD, so that only the condition on each part can tell.
      const { inParts, plain } = setting();
      const source = await put('changed-large', Buffer.alloc(7 * 1024 * 1024, 'a'), plain);
      const destination = { bucket: source.bucket, key: `${setting().prefix}copy-of-changed-large` };
      const readTags = inParts.readTags.bind(inParts);
      inParts.readTags = async (ref) => {
        await put('changed-large', Buffer.alloc(7 * 1024 * 1024, 'b'), plain);
        return readTags(ref);
      };
      try {
        expect(await outcomeOf(inParts.copyVerified({ source, destination }))).toBe('superseded');
      } finally {
        inParts.readTags = readTags;
      }
      expect(await outcomeOf(inParts.head({ endpointId: source.endpointId, ...destination }))).toBe('gone');
    });

    declare('without versions, what took the place of an object is not deleted', async () => {
      const { storage, plain } = setting();
      const object = await put('replaced', 'first', plain);
      const second = await put('replaced', 'second', plain);
      expect(await outcomeOf(storage.deleteVersion(object))).toBe('superseded');
      expect((await storage.head(current(object))).eTag).toBe(second.eTag);
    });
  }

  declare('a read goes on in the middle', async () => {
    expect(await read(await put('middle', '0123456789'), 4)).toBe('456789');
  });

  declare('peeking returns the first bytes, also of short and empty objects', async () => {
    const { storage } = setting();
    expect((await storage.peek(await put('long', 'abcdef'), 3)).toString()).toBe('abc');
    expect((await storage.peek(await put('short', 'ab'), 3)).toString()).toBe('ab');
    expect((await storage.peek(await put('empty', ''), 3)).length).toBe(0);
  });

  declare('headers and metadata come back from HEAD as they were put', async () => {
    const object = await putRich('rich', 'rich body');
    const head = await setting().storage.head(object);
    expect(head).toMatchObject({
      eTag: object.eTag,
      sizeBytes: 'rich body'.length,
      contentType: 'text/csv',
      metadata: { colour: 'green', 'empty-handed': 'no' },
      isArchived: false,
    });
    expect(head.headers).toMatchObject({
      CacheControl: 'no-store',
      ContentDisposition: 'attachment; filename="a b.csv"',
    });
    expect(Math.abs(Date.parse(head.lastModified) - Date.now())).toBeLessThan(300_000);
  });

  declare('a bucket that is not there is told apart from an object that is not', async () => {
    const { storage, endpointId } = setting();
    const object = { ...refOf(any(), 'never-put'), eTag: 'x' };
    expect(await outcomeOf(storage.open(object))).toBe('gone');
    const nowhere = { endpointId, bucket: 'sallyport-no-such-bucket', key: 'x', eTag: 'x' };
    await expect(storage.open(nowhere)).rejects.toMatchObject({ outcome: 'other', s3Code: 'NoSuchBucket' });
  });

  declare('wrong keys are denied', async () => {
    const { stranger } = setting();
    if (stranger === undefined) throw new Error('its keys cannot be told from wrong ones');
    const object = await put('secret', 'x');
    expect(['denied', 'credentials']).toContain(await outcomeOf(stranger.open(object)));
    expect(['denied', 'credentials']).toContain(
      await outcomeOf(stranger.put(object, 'written by a stranger')),
    );
  });

  declare('tags of others are kept, ours replaced, odd values survive', async () => {
    const { storage } = setting();
    const object = await put('tagged', 'x');
    await storage.mergeTags(object, { owner: 'alice', project: 'a+b/c=d @:._-', né: 'où' });
    await storage.mergeTags(object, { 'sallyport-verdict': 'infected' });
    await storage.mergeTags(object, { 'sallyport-verdict': 'clean' });
    expect(await storage.readTags(object)).toEqual({
      owner: 'alice',
      project: 'a+b/c=d @:._-',
      né: 'où',
      'sallyport-verdict': 'clean',
    });
    expect(await read(object)).toBe('x');
  });

  declare('an object with ten tags keeps them all and the failure is told', async () => {
    const { storage } = setting();
    const object = await put('full', 'x');
    const ten = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`tag-${index}`, 'v']));
    await storage.mergeTags(object, ten);
    await expect(storage.mergeTags(object, { 'sallyport-verdict': 'clean' })).rejects.toThrow(TagsFull);
    expect(await storage.readTags(object)).toEqual(ten);
  });

  for (const [name, which, body] of [
    ['a copy keeps bytes, headers, metadata and tags', 'storage', Buffer.from('rich body')],
    [
      'a copy in parts keeps bytes, headers, metadata and tags',
      'inParts',
      Buffer.alloc(12 * 1024 * 1024, 'part'),
    ],
  ] as const) {
    declare(name, async () => {
      const source = await putRich(`source-${which}`, body);
      const destination = { bucket: source.bucket, key: `${setting().prefix}copy-${which}` };
      const copied = await setting()[which].copyVerified({
        source,
        destination,
        metadata: { colour: 'green', extra: 'ours' },
      });
      expect(copied).toMatchObject({ sizeBytes: body.length, sha256: sha256(body) });
      if (which === 'inParts') expect(copied.eTag).toMatch(/-3$/);
      const copy = { endpointId: source.endpointId, ...destination, versionId: copied.versionId };
      const head = await setting().storage.head(copy);
      expect(head).toMatchObject({ contentType: 'text/csv', metadata: { colour: 'green', extra: 'ours' } });
      expect(head.headers.CacheControl).toBe('no-store');
      expect(await setting().storage.readTags(copy)).toEqual({ owner: 'alice', project: 'a+b/c=d' });
    });
  }

  declare('bytes that are not what was expected leave no copy', async () => {
    const { storage } = setting();
    const source = await put('bound', 'first');
    const destination = { bucket: source.bucket, key: `${setting().prefix}copy-of-bound` };
    await expect(storage.copyVerified({ source, destination, sha256: '0'.repeat(64) })).rejects.toThrow(
      /same bytes/,
    );
    expect(await outcomeOf(storage.head({ endpointId: source.endpointId, ...destination }))).toBe('gone');
  });

  for (const [name, which, size] of [
    ['a copy that must be new writes over nothing', 'storage', 4],
    ['a copy in parts that must be new writes over nothing', 'inParts', 7 * 1024 * 1024],
  ] as const) {
    declare(name, async () => {
      const source = await put(`new-${which}`, Buffer.alloc(size, 'n'));
      const there = await put(`there-${which}`, 'there before');
      const destination = { bucket: there.bucket, key: there.key };
      const copying = setting()[which].copyVerified({ source, destination, mustBeNew: true });
      expect(await outcomeOf(copying)).toBe('superseded');
      expect((await setting().storage.head(current(there))).eTag).toBe(there.eTag);
    });
  }

  declare('an object of no bytes is read, tagged and copied', async () => {
    const { storage } = setting();
    const source = await put('nothing', '');
    expect(await read(source)).toBe('');
    expect(await storage.mergeTags(source, { 'sallyport-verdict': 'clean' })).toBe('tagged');
    const destination = { bucket: source.bucket, key: `${setting().prefix}copy-of-nothing` };
    expect(await storage.copyVerified({ source, destination })).toMatchObject({
      sizeBytes: 0,
      sha256: sha256(''),
    });
  });

  declare('deleting what is gone is no error', async () => {
    const { storage } = setting();
    const object = await put('twice', 'x');
    await storage.deleteVersion(object);
    await storage.deleteVersion(object);
  });

  declare('a put that must be new writes over nothing', async () => {
    const there = await put('put-once', 'there before');
    const again = setting().client.send(
      new PutObjectCommand({ Bucket: there.bucket, Key: there.key, Body: 'again', IfNoneMatch: '*' }),
    );
    await expect(again).rejects.toMatchObject({ name: 'PreconditionFailed' });
    expect(await read(there)).toBe('there before');
  });

  declare('a listing is walked in the order of the keys, from any place', async () => {
    const { storage, endpointId, prefix } = setting();
    // In the order of UTF-8, which is not the order of UTF-16: the emoji comes last.
    const keys = ['a b', 'a+b', 'a/b', 'a/c-', 'ä', '\uffee', '😀'].map((key) => `walk/${key}`);
    for (const key of keys) await put(key, 'x');
    const bucket = { endpointId, bucket: any() };
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await storage.list(bucket, {
        prefix: `${prefix}walk/`,
        limit: 2,
        ...(after !== undefined && { after }),
      });
      seen.push(...page.items.map(({ key }) => key));
      after = page.nextAfter;
    } while (after !== undefined);
    expect(seen).toEqual(keys.map((key) => prefix + key));
  });

  for (const [name, key] of Object.entries(ODD_KEYS)) {
    declare(`the key ${name} is put, listed, read, tagged, copied and deleted`, async () => {
      const { storage, endpointId } = setting();
      const fits = fitting(key, setting().prefix);
      const object = await put(fits, `bytes of ${name}`);
      expect(await read(object)).toBe(`bytes of ${name}`);
      const { items } = await storage.list(
        { endpointId, bucket: object.bucket },
        { prefix: object.key, limit: 10 },
      );
      expect(items.map((item) => item.key)).toContain(object.key);
      expect(await storage.mergeTags(object, { 'sallyport-verdict': 'clean' })).toBe('tagged');
      expect(await storage.readTags(object)).toEqual({ 'sallyport-verdict': 'clean' });
      const destination = { bucket: object.bucket, key: `${setting().prefix}copy-of-odd` };
      const copied = await storage.copyVerified({ source: object, destination });
      expect(copied.sha256).toBe(sha256(`bytes of ${name}`));
      await storage.deleteVersion(object);
      expect(await outcomeOf(storage.head(object))).toBe('gone');
    });
  }
}
