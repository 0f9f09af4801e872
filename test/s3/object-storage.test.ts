import { createHash } from 'node:crypto';
import { PutObjectTaggingCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ObjectStorage } from '../../src/s3/object-storage.js';
import { StorageError, TagsFull } from '../../src/s3/storage-error.js';
import { startTestS3, type TestS3 } from './endpoint.js';

const ODD_KEYS = [
  '../../etc/passwd',
  '/leading/slash',
  'a b+c%20d#e?f&g=h;i.txt',
  '100%.txt',
  'zażółć/gęślą jaźń ☂.txt',
  'e\u0301 and \u00e9',
  'new\nline',
  'quote\'s "double" <b>&amp;',
  'folder/',
  'x'.repeat(1024),
];

let s3: TestS3;
beforeAll(async () => {
  s3 = await startTestS3();
});
afterAll(() => s3.close());

const read = async (storage: ObjectStorage, object: Parameters<ObjectStorage['open']>[0], from = 0) => {
  const { body } = await storage.open(object, { from });
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
};
const outcomeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof StorageError ? error.outcome : error),
  );

describe('reading', () => {
  it.each(ODD_KEYS)('a key like %j is written, read, copied, tagged and deleted', async (key) => {
    const object = await s3.put(key, `bytes of ${key}`);
    expect(await read(s3.storage, object)).toBe(`bytes of ${key}`);
    await s3.storage.mergeTags(object, { 'sallyport-verdict': 'clean' });
    expect(await s3.storage.readTags(object)).toEqual({ 'sallyport-verdict': 'clean' });
    const copy = await s3.storage.copyVerified({
      source: object,
      destination: { bucket: 'quarantine', key: 'odd' },
    });
    expect(copy.sha256).toBe(createHash('sha256').update(`bytes of ${key}`).digest('hex'));
    await s3.storage.deleteVersion(object);
    expect(await outcomeOf(s3.storage.head(object))).toBe('gone');
  });

  it('a pinned version is read although a newer one stands above it', async () => {
    const first = await s3.put('pinned', 'first');
    await s3.put('pinned', 'second');
    expect(await read(s3.storage, first)).toBe('first');
    expect((await s3.storage.head({ ...first, versionId: undefined, eTag: undefined })).eTag).not.toBe(
      first.eTag,
    );
  });

  it('without versions, an overwritten object is superseded and a deleted one gone', async () => {
    const object = await s3.put('plain-object', 'first', 'plain');
    await s3.put('plain-object', 'second', 'plain');
    expect(await outcomeOf(s3.storage.open(object))).toBe('superseded');
    expect(await outcomeOf(s3.storage.head(object))).toBe('superseded');
    const now = await s3.put('plain-object', 'third', 'plain');
    await s3.storage.deleteVersion(now);
    expect(await outcomeOf(s3.storage.open(now))).toBe('gone');
  });

  it('a delete marker is gone', async () => {
    const object = await s3.put('marked', 'x');
    const ref = { endpointId: object.endpointId, bucket: object.bucket, key: object.key };
    await s3.storage.deleteVersion(object);
    expect(await outcomeOf(s3.storage.head(ref))).toBe('gone');
  });

  it('a read goes on in the middle', async () => {
    expect(await read(s3.storage, await s3.put('middle', '0123456789'), 4)).toBe('456789');
  });

  it('peeking returns the first bytes, also of short and empty objects', async () => {
    expect((await s3.storage.peek(await s3.put('long', 'abcdef'), 3)).toString()).toBe('abc');
    expect((await s3.storage.peek(await s3.put('short', 'ab'), 3)).toString()).toBe('ab');
    expect((await s3.storage.peek(await s3.put('empty', ''), 3)).length).toBe(0);
  });

  it('an endpoint that does not listen is unreachable, not gone', async () => {
    const { Endpoints } = await import('../../src/s3/endpoints.js');
    const endpoints = new Endpoints(s3.config);
    endpoints.registerEmbedded({ endpoint: 'http://127.0.0.1:1', accessKeyId: 'a', secretAccessKey: 'b' });
    const storage = new ObjectStorage(endpoints);
    const object = { endpointId: 'embedded', bucket: 'uploads', key: 'x', eTag: 'y' };
    expect(await outcomeOf(storage.head(object))).toBe('unreachable');
    endpoints.close();
  });

  it('wrong keys are told from a refusal of this object', async () => {
    const { Endpoints } = await import('../../src/s3/endpoints.js');
    const endpoints = new Endpoints(s3.config);
    const { hostname, port } = await s3.client.config.endpoint!();
    endpoints.registerEmbedded({
      endpoint: `http://${hostname}:${port ?? 0}`,
      accessKeyId: 'TESTKEYID',
      secretAccessKey: 'another secret',
    });
    const object = await s3.put('secret', 'x');
    expect(await outcomeOf(new ObjectStorage(endpoints).open(object))).toBe('credentials');
    endpoints.close();
  });
});

describe('tagging', () => {
  it("keeps the user's tags and replaces our own", async () => {
    const object = await s3.put('tagged', 'x');
    await s3.storage.mergeTags(object, { owner: 'alice', project: 'a+b/c=d' });
    await s3.storage.mergeTags(object, { 'sallyport-verdict': 'infected' });
    await s3.storage.mergeTags(object, { 'sallyport-verdict': 'clean' });
    expect(await s3.storage.readTags(object)).toEqual({
      owner: 'alice',
      project: 'a+b/c=d',
      'sallyport-verdict': 'clean',
    });
  });

  it('an object with ten tags keeps them all and the failure is told', async () => {
    const object = await s3.put('full', 'x');
    const ten = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`tag-${index}`, 'v']));
    await s3.storage.mergeTags(object, ten);
    await expect(s3.storage.mergeTags(object, { 'sallyport-verdict': 'clean' })).rejects.toThrow(TagsFull);
    expect(await s3.storage.readTags(object)).toEqual(ten);
  });

  it('two taggers of one object lose nothing', async () => {
    const object = await s3.put('both', 'x');
    await Promise.all(
      Array.from({ length: 6 }, (_, index) => s3.storage.mergeTags(object, { [`t${index}`]: 'v' })),
    );
    expect(Object.keys(await s3.storage.readTags(object))).toHaveLength(6);
  });

  it('without versions, an object replaced before the tagging is not tagged', async () => {
    const object = await s3.put('racy', 'first', 'plain');
    await s3.put('racy', 'second', 'plain');
    expect(await s3.storage.mergeTags(object, { 'sallyport-verdict': 'clean' })).toBe('superseded');
    expect(await s3.storage.readTags({ ...object, versionId: undefined })).toEqual({});
  });

  it('without versions, an object replaced during the tagging loses our tag again', async () => {
    const object = await s3.put('racier', 'first', 'plain');
    const storage = new ObjectStorage(s3.endpoints);
    const readTags = storage.readTags.bind(storage);
    let times = 0;
    storage.readTags = async (ref) => {
      times += 1;
      if (times === 1) {
        await s3.put('racier', 'second', 'plain');
        await s3.client.send(
          new PutObjectTaggingCommand({
            Bucket: 'plain',
            Key: 'racier',
            Tagging: { TagSet: [{ Key: 'owner', Value: 'bob' }] },
          }),
        );
      }
      return readTags(ref);
    };
    expect(await storage.mergeTags(object, { 'sallyport-verdict': 'clean' })).toBe('superseded');
    expect(await s3.storage.readTags({ ...object, versionId: undefined })).toEqual({ owner: 'bob' });
  });
});

describe('copying', () => {
  it('keeps bytes, headers, metadata and tags', async () => {
    const { PutObjectCommand } = await import('@aws-sdk/client-s3');
    const { VersionId, ETag } = await s3.client.send(
      new PutObjectCommand({
        Bucket: 'uploads',
        Key: 'rich',
        Body: 'rich body',
        ContentType: 'text/csv',
        CacheControl: 'no-store',
        Metadata: { colour: 'green' },
        Tagging: 'owner=alice',
      }),
    );
    const source = {
      endpointId: 'embedded',
      bucket: 'uploads',
      key: 'rich',
      versionId: VersionId,
      eTag: ETag!.replaceAll('"', ''),
    };
    const copied = await s3.storage.copyVerified({
      source,
      destination: { bucket: 'quarantine', key: 'rich' },
      metadata: { colour: 'green', extra: 'ours' },
    });
    const copy = { ...source, bucket: 'quarantine', versionId: copied.versionId, eTag: copied.eTag };
    const head = await s3.storage.head(copy);
    expect(head).toMatchObject({ contentType: 'text/csv', metadata: { colour: 'green', extra: 'ours' } });
    expect(head.headers.CacheControl).toBe('no-store');
    expect(await s3.storage.readTags(copy)).toEqual({ owner: 'alice' });
  });

  it('beyond the limit of one request the copy is made in parts', async () => {
    const bytes = Buffer.alloc(12 * 1024 * 1024, 'part');
    const source = await s3.put('large', bytes);
    await s3.storage.mergeTags(source, { owner: 'alice' });
    const inParts = new ObjectStorage(s3.endpoints, {
      multipartCopyBytes: 6 * 1024 * 1024,
      copyPartBytes: 5 * 1024 * 1024,
    });
    const copied = await inParts.copyVerified({
      source,
      destination: { bucket: 'quarantine', key: 'large' },
    });
    expect(copied.sizeBytes).toBe(bytes.length);
    expect(copied.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(copied.eTag).toMatch(/-3$/);
    const copy = { ...source, bucket: 'quarantine', versionId: copied.versionId, eTag: copied.eTag };
    expect(await s3.storage.readTags(copy)).toEqual({ owner: 'alice' });
  });

  it('a source that changed is not copied', async () => {
    const source = await s3.put('changed', 'first', 'plain');
    await s3.put('changed', 'second', 'plain');
    const copying = s3.storage.copyVerified({
      source,
      destination: { bucket: 'plain-quarantine', key: 'c' },
    });
    expect(await outcomeOf(copying)).toBe('superseded');
    expect(
      await outcomeOf(s3.storage.head({ endpointId: 'embedded', bucket: 'plain-quarantine', key: 'c' })),
    ).toBe('gone');
  });

  it('bytes that are not what was expected leave no copy', async () => {
    const source = await s3.put('bound', 'first');
    const copying = s3.storage.copyVerified({
      source,
      destination: { bucket: 'plain-quarantine', key: 'bound' },
      sha256: '0'.repeat(64),
    });
    await expect(copying).rejects.toThrow(/same bytes/);
    const place = { endpointId: 'embedded', bucket: 'plain-quarantine', key: 'bound' };
    expect(await outcomeOf(s3.storage.head(place))).toBe('gone');
  });

  it('with mustBeNew nothing is written over', async () => {
    const source = await s3.put('source', 'from');
    await s3.put('target', 'there before', 'plain');
    const copying = s3.storage.copyVerified({
      source,
      destination: { bucket: 'plain', key: 'target' },
      mustBeNew: true,
    });
    expect(await outcomeOf(copying)).toBe('superseded');
    const target = await s3.storage.head({ endpointId: 'embedded', bucket: 'plain', key: 'target' });
    expect(target.sizeBytes).toBe('there before'.length);
  });
});

describe('deleting', () => {
  it('removes one version and leaves no marker', async () => {
    const first = await s3.put('versions', 'first');
    const second = await s3.put('versions', 'second');
    await s3.storage.deleteVersion(second);
    expect((await s3.storage.head({ ...first, versionId: undefined })).eTag).toBe(first.eTag);
    expect(await s3.storage.versionsOf(first)).toHaveLength(1);
  });

  it('is no error for what is gone already', async () => {
    const object = await s3.put('twice', 'x');
    await s3.storage.deleteVersion(object);
    await s3.storage.deleteVersion(object);
  });

  it('without versions, does not delete what took its place', async () => {
    const object = await s3.put('replaced', 'first', 'plain');
    await s3.put('replaced', 'second', 'plain');
    expect(await outcomeOf(s3.storage.deleteVersion(object))).toBe('superseded');
  });
});
