import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import type { ChecksumAlgorithm, S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cleanUp, connect, failure, start } from './endpoint-fixture.js';

const Bucket = 'uploads';
let client: S3Client;
let url: string;

beforeEach(async () => {
  const started = await start();
  ({ client } = started);
  ({ url } = started.endpoint);
  await started.endpoint.createBucket(Bucket);
});
afterEach(cleanUp);

const text = async (Key: string, more = {}): Promise<string> => {
  const got = await client.send(new GetObjectCommand({ Bucket, Key, ...more }));
  return (await got.Body?.transformToString()) ?? '';
};

describe('objects', () => {
  it('an object comes back with its bytes, headers and metadata', async () => {
    const put = await client.send(
      new PutObjectCommand({
        Bucket,
        Key: 'a/b.txt',
        Body: 'hello',
        ContentType: 'text/plain',
        CacheControl: 'no-store',
        ContentDisposition: 'attachment; filename="b.txt"',
        ContentEncoding: 'identity',
        ContentLanguage: 'fi',
        Expires: new Date('2030-01-01T00:00:00Z'),
        Metadata: { author: 'me', empty: '' },
      }),
    );
    expect(put.ETag).toBe('"5d41402abc4b2a76b9719d911017c592"');
    expect(put.VersionId).toBeUndefined();
    const got = await client.send(new GetObjectCommand({ Bucket, Key: 'a/b.txt' }));
    expect(await got.Body?.transformToString()).toBe('hello');
    expect(got).toMatchObject({
      ContentType: 'text/plain',
      CacheControl: 'no-store',
      ContentDisposition: 'attachment; filename="b.txt"',
      ContentEncoding: 'identity',
      ContentLanguage: 'fi',
      ContentLength: 5,
      ExpiresString: 'Tue, 01 Jan 2030 00:00:00 GMT',
      Metadata: { author: 'me' },
      ETag: '"5d41402abc4b2a76b9719d911017c592"',
    });
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'a/b.txt' }));
    expect(head).toMatchObject({
      ContentLength: 5,
      ContentType: 'text/plain',
      LastModified: got.LastModified,
    });
  });

  it('an empty object is an object', async () => {
    await client.send(new PutObjectCommand({ Bucket, Key: 'empty', Body: '' }));
    expect(await text('empty')).toBe('');
    const listed = await client.send(new ListObjectsV2Command({ Bucket }));
    expect(listed.Contents).toMatchObject([
      { Key: 'empty', Size: 0, ETag: '"d41d8cd98f00b204e9800998ecf8427e"' },
    ]);
  });

  it('a key that ends in a slash may have content', async () => {
    await client.send(new PutObjectCommand({ Bucket, Key: 'folder/', Body: 'content' }));
    expect(await text('folder/')).toBe('content');
  });

  it.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] satisfies ChecksumAlgorithm[])(
    'a %s checksum in the trailer of a stream is verified, kept and given back',
    async (ChecksumAlgorithm) => {
      const Body = Readable.from([Buffer.alloc(100_000, 'x'), Buffer.alloc(50_000, 'y')]);
      const secure = connect(url, { requestStreamBufferSize: 65_536 });
      const put = await secure.send(
        new PutObjectCommand({ Bucket, Key: 'stream', Body, ContentLength: 150_000, ChecksumAlgorithm }),
      );
      secure.destroy();
      const sumOf = (answer: object): unknown =>
        new Map(Object.entries(answer)).get(`Checksum${ChecksumAlgorithm}`);
      expect(sumOf(put)).toBeTruthy();
      const got = await client.send(new GetObjectCommand({ Bucket, Key: 'stream', ChecksumMode: 'ENABLED' }));
      expect(sumOf(got)).toBe(sumOf(put));
      expect((await got.Body?.transformToByteArray())?.length).toBe(150_000);
    },
  );

  it('what the SDK sends by default carries a CRC32 that is kept', async () => {
    const put = await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: '123456789' }));
    expect(put.ChecksumCRC32).toBe('y/Q5Jg==');
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'k', ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject({ ChecksumCRC32: 'y/Q5Jg==', ChecksumType: 'FULL_OBJECT' });
  });

  it('a wrong checksum or Content-MD5 stores nothing', async () => {
    const put = (more: object) =>
      failure(client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'abc', ...more })));
    expect(await put({ ChecksumCRC32: 'y/Q5Jg==' })).toMatchObject({ name: 'BadDigest', status: 400 });
    expect(await put({ ContentMD5: 'XUFAKrxLKna5cZ2REBfFkg==' })).toMatchObject({
      name: 'BadDigest',
      status: 400,
    });
    expect(await put({ ContentMD5: 'nonsense' })).toMatchObject({ name: 'InvalidDigest', status: 400 });
    expect(await failure(text('k'))).toMatchObject({ name: 'NoSuchKey', status: 404 });
  });

  it('ranges give parts, and what does not exist gives 416', async () => {
    await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: '0123456789' }));
    expect(await text('k', { Range: 'bytes=2-4' })).toBe('234');
    expect(await text('k', { Range: 'bytes=7-' })).toBe('789');
    expect(await text('k', { Range: 'bytes=-3' })).toBe('789');
    expect(await text('k', { Range: 'bytes=8-99' })).toBe('89');
    expect(await text('k', { Range: 'bytes=4-2' })).toBe('0123456789');
    expect(await text('k', { Range: 'lines=1-2' })).toBe('0123456789');
    const got = await client.send(new GetObjectCommand({ Bucket, Key: 'k', Range: 'bytes=2-4' }));
    expect(got).toMatchObject({
      ContentRange: 'bytes 2-4/10',
      ContentLength: 3,
      $metadata: { httpStatusCode: 206 },
    });
    await got.Body?.transformToString();
    expect(await failure(text('k', { Range: 'bytes=10-' }))).toMatchObject({
      name: 'InvalidRange',
      status: 416,
    });
  });

  it('conditions of reads are checked', async () => {
    const { ETag } = await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'abc' }));
    expect(await text('k', { IfMatch: ETag })).toBe('abc');
    expect(await failure(text('k', { IfMatch: '"other"' }))).toMatchObject({
      name: 'PreconditionFailed',
      status: 412,
    });
    expect(await failure(text('k', { IfNoneMatch: ETag }))).toMatchObject({ status: 304 });
    expect(await failure(text('k', { IfNoneMatch: '*' }))).toMatchObject({ status: 304 });
    expect(await text('k', { IfNoneMatch: '"other"' })).toBe('abc');
    const [past, future] = [new Date(0), new Date(Date.now() + 60_000)];
    expect(await failure(text('k', { IfUnmodifiedSince: past }))).toMatchObject({ status: 412 });
    expect(await failure(text('k', { IfModifiedSince: future }))).toMatchObject({ status: 304 });
    const head = new HeadObjectCommand({ Bucket, Key: 'k', IfMatch: '"other"' });
    expect(await failure(client.send(head))).toMatchObject({ status: 412 });
  });

  it('conditions of writes are checked', async () => {
    const put = (more: object) =>
      client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'abc', ...more }));
    expect(await failure(put({ IfMatch: '"x"' }))).toMatchObject({ name: 'NoSuchKey', status: 404 });
    const { ETag } = await put({ IfNoneMatch: '*' });
    expect(await failure(put({ IfNoneMatch: '*' }))).toMatchObject({
      name: 'PreconditionFailed',
      status: 412,
    });
    await put({ IfMatch: ETag, Body: 'new' });
    expect(await failure(put({ IfMatch: ETag }))).toMatchObject({ status: 412 });
    expect(await text('k')).toBe('new');
    const remove = (IfMatch: string) => client.send(new DeleteObjectCommand({ Bucket, Key: 'k', IfMatch }));
    expect(await failure(remove('"x"'))).toMatchObject({ status: 412 });
    await remove('*');
    expect(await failure(text('k'))).toMatchObject({ status: 404 });
  });

  it('of many who create a key at once, one succeeds', async () => {
    const attempts = Array.from({ length: 20 }, (_, i) =>
      client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: `${i}`, IfNoneMatch: '*' })),
    );
    const outcomes = await Promise.allSettled(attempts);
    const winner = outcomes.findIndex((outcome) => outcome.status === 'fulfilled');
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    expect(await text('k')).toBe(`${winner}`);
  });

  it('response- parameters override headers', async () => {
    await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'abc', ContentType: 'text/html' }));
    const got = await client.send(
      new GetObjectCommand({
        Bucket,
        Key: 'k',
        ResponseContentType: 'text/plain',
        ResponseContentDisposition: 'attachment; filename="ä €.txt"',
        ResponseCacheControl: 'no-cache',
      }),
    );
    await got.Body?.transformToString();
    expect(got).toMatchObject({ ContentType: 'text/plain', CacheControl: 'no-cache' });
    expect(Buffer.from(got.ContentDisposition ?? '', 'latin1').toString()).toBe(
      'attachment; filename="ä €.txt"',
    );
    const evil = new GetObjectCommand({ Bucket, Key: 'k', ResponseContentType: 'a\r\nx-injected: 1' });
    expect(await failure(client.send(evil))).toMatchObject({ name: 'InvalidArgument', status: 400 });
  });

  it('a copy keeps or replaces metadata and tags as it is told', async () => {
    await client.send(
      new PutObjectCommand({
        Bucket,
        Key: 'a b',
        Body: 'abc',
        Metadata: { m: '1' },
        Tagging: 't=1',
        ContentType: 'x/y',
      }),
    );
    const copy = (Key: string, more = {}) =>
      client.send(new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/a%20b`, ...more }));
    const done = await copy('c1');
    expect(done.CopyObjectResult?.ETag).toBe('"900150983cd24fb0d6963f7d28e17f72"');
    const head = async (Key: string) => client.send(new HeadObjectCommand({ Bucket, Key }));
    expect(await head('c1')).toMatchObject({ Metadata: { m: '1' }, ContentType: 'x/y', TagCount: 1 });
    await copy('c2', {
      MetadataDirective: 'REPLACE',
      Metadata: { n: '2' },
      TaggingDirective: 'REPLACE',
      Tagging: 'a=1&b=2',
    });
    expect(await head('c2')).toMatchObject({
      Metadata: { n: '2' },
      ContentType: 'binary/octet-stream',
      TagCount: 2,
    });
    expect(await text('c2')).toBe('abc');
    expect(await failure(copy('c3', { CopySourceIfMatch: '"x"' }))).toMatchObject({ status: 412 });
    expect(await failure(copy('c3', { CopySourceIfNoneMatch: done.CopyObjectResult?.ETag }))).toMatchObject({
      status: 412,
    });
    expect(await failure(copy('a b'))).toMatchObject({ name: 'InvalidRequest', status: 400 });
    const missing = copy('c3', { CopySource: `${Bucket}/nothing` });
    expect(await failure(missing)).toMatchObject({ name: 'NoSuchKey', status: 404 });
  });

  it('a copy outlives its source', async () => {
    await client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'abc' }));
    await client.send(
      new CopyObjectCommand({ Bucket, Key: 'b', CopySource: `${Bucket}/a`, ChecksumAlgorithm: 'SHA256' }),
    );
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    const got = await client.send(new GetObjectCommand({ Bucket, Key: 'b', ChecksumMode: 'ENABLED' }));
    expect(await got.Body?.transformToString()).toBe('abc');
    expect(got.ChecksumSHA256).toBe('ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=');
  });

  it('an object that is deleted or replaced while it is read is read to its end', async () => {
    const size = 8 * 1024 * 1024;
    await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: Buffer.alloc(size, 'a') }));
    const got = await client.send(new GetObjectCommand({ Bucket, Key: 'k' }));
    await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'new' }));
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'k' }));
    expect((await got.Body?.transformToByteArray())?.length).toBe(size);
  });

  it('many are deleted in one request, each with its own outcome', async () => {
    for (const Key of ['a', 'b']) await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
    const Objects = [
      { Key: 'a' },
      { Key: 'b', ETag: '"x"' },
      { Key: 'never was' },
      { Key: 'x'.repeat(1025) },
    ];
    const done = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(done.Deleted?.map(({ Key }) => Key)).toEqual(['a', 'never was']);
    expect(done.Errors?.map(({ Code }) => Code)).toEqual(['PreconditionFailed', 'KeyTooLongError']);
    const quiet = await client.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'b' }], Quiet: true } }),
    );
    expect(quiet.Deleted).toBeUndefined();
    expect((await client.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
  });

  it('what is not done answers 501 and changes nothing', async () => {
    const put = (more: object) =>
      failure(client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'a', ...more })));
    for (const more of [
      { ServerSideEncryption: 'AES256' },
      { ACL: 'public-read' },
      { StorageClass: 'GLACIER' },
      { ObjectLockLegalHoldStatus: 'ON' },
      { WebsiteRedirectLocation: '/x' },
      { IfNoneMatch: '"x"' },
    ]) {
      expect(await put(more)).toMatchObject({ name: 'NotImplemented', status: 501 });
    }
    expect(await put({ ExpectedBucketOwner: '123456789012' })).toMatchObject({
      name: 'AccessDenied',
      status: 403,
    });
    expect((await client.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
  });

  it('metadata beyond 2 KB and keys beyond 1,024 bytes are refused', async () => {
    const put = (more: object) =>
      failure(client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'a', ...more })));
    expect(await put({ Metadata: { m: 'x'.repeat(2048) } })).toMatchObject({
      name: 'MetadataTooLarge',
      status: 400,
    });
    expect(await put({ Key: 'ä'.repeat(513) })).toMatchObject({ name: 'KeyTooLongError', status: 400 });
    await client.send(new PutObjectCommand({ Bucket, Key: 'ä'.repeat(512), Body: 'a' }));
  });
});
