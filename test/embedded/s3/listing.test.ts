import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetBucketLocationCommand,
  GetBucketNotificationConfigurationCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { array, asyncProperty, assert, constantFrom, oneof, string, uniqueArray } from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cleanUp, failure, start } from './endpoint-fixture.js';

const Bucket = 'uploads';
let client: S3Client;

beforeEach(async () => {
  const started = await start();
  ({ client } = started);
  await started.endpoint.createBucket(Bucket);
});
afterEach(cleanUp);

const putAll = async (...keys: string[]): Promise<void> => {
  await Promise.all(keys.map((Key) => client.send(new PutObjectCommand({ Bucket, Key, Body: Key }))));
};

/** All keys and prefixes of a listing, and how many pages it took. */
async function pages(more: object): Promise<{ found: (string | undefined)[]; count: number }> {
  const found: (string | undefined)[] = [];
  let ContinuationToken: string | undefined;
  for (let count = 1; count < 100; count += 1) {
    const got = await client.send(new ListObjectsV2Command({ Bucket, ContinuationToken, ...more }));
    const names = [
      ...(got.Contents ?? []).map(({ Key }) => Key),
      ...(got.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
    ];
    expect(got.KeyCount).toBe(names.length);
    found.push(...names);
    if (got.IsTruncated !== true) return { found, count };
    ContinuationToken = got.NextContinuationToken;
  }
  throw new Error('The listing does not end.');
}

/** The order of the UTF-8 bytes. */
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

describe('listings', () => {
  it('give keys by prefix, rolled up at a delimiter, page by page', async () => {
    await putAll('a', 'b/1', 'b/2', 'b/c/3', 'd', 'e/', 'e/f');
    expect(await pages({})).toEqual({ found: ['a', 'b/1', 'b/2', 'b/c/3', 'd', 'e/', 'e/f'], count: 1 });
    expect((await pages({ Delimiter: '/' })).found).toEqual(['a', 'd', 'b/', 'e/']);
    expect(await pages({ Delimiter: '/', MaxKeys: 1 })).toEqual({ found: ['a', 'b/', 'd', 'e/'], count: 4 });
    expect((await pages({ Delimiter: '/', Prefix: 'b/' })).found).toEqual(['b/1', 'b/2', 'b/c/']);
    expect(await pages({ MaxKeys: 3 })).toMatchObject({ count: 3 });
    expect((await pages({ StartAfter: 'b/2' })).found).toEqual(['b/c/3', 'd', 'e/', 'e/f']);
    expect((await pages({ MaxKeys: 0 })).found).toEqual([]);
    expect((await pages({ Prefix: 'nothing' })).found).toEqual([]);
  });

  it('are right for any keys, delimiter and page size', async () => {
    const piece = constantFrom('a', 'b', '/', '//', '\u{1F600}', '\u{FFFD}', ' ');
    const key = array(piece, { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join(''));
    const bucket = uniqueArray(key, { minLength: 1, maxLength: 12 });
    const run = async (keys: string[], Prefix: string, Delimiter: string, MaxKeys: number): Promise<void> => {
      await putAll(...keys);
      const expected = new Set(
        keys
          .filter((each) => each.startsWith(Prefix))
          .map((each) => {
            const end = each.indexOf(Delimiter, Prefix.length);
            return end < 0 ? each : each.slice(0, end + Delimiter.length);
          }),
      );
      const { found } = await pages({ Prefix, Delimiter, MaxKeys });
      expect(found).toHaveLength(expected.size);
      expect(new Set(found)).toEqual(expected);
      await Promise.all(keys.map((Key) => client.send(new DeleteObjectCommand({ Bucket, Key }))));
    };
    const property = asyncProperty(
      bucket,
      constantFrom('', 'a', 'a/'),
      constantFrom('/', 'b', '//'),
      constantFrom(1, 2, 5),
      run,
    );
    await assert(property, { numRuns: 40 });
  });

  it('stand in the order of the UTF-8 bytes', async () => {
    const keys = ['\u{FFFD}', '\u{1F600}', 'z', 'Z', 'é', 'e\u0301', '~'];
    await putAll(...keys);
    expect((await pages({})).found).toEqual(keys.toSorted(byBytes));
  });

  it('of the first version go on from a marker', async () => {
    await putAll('a', 'b/1', 'b/2', 'c');
    const list = (more: object) => client.send(new ListObjectsCommand({ Bucket, ...more }));
    const first = await list({ Delimiter: '/', MaxKeys: 2 });
    expect(first).toMatchObject({ NextMarker: 'b/', IsTruncated: true, CommonPrefixes: [{ Prefix: 'b/' }] });
    expect((await list({ Delimiter: '/', Marker: 'b/' })).Contents).toMatchObject([{ Key: 'c' }]);
    expect((await list({ Marker: 'b/1' })).Contents?.map(({ Key }) => Key)).toEqual(['b/2', 'c']);
  });

  it('refuse what they cannot read', async () => {
    const list = (more: object) => failure(client.send(new ListObjectsV2Command({ Bucket, ...more })));
    expect(await list({ MaxKeys: -1 })).toMatchObject({ name: 'InvalidArgument', status: 400 });
    expect(await list({ ContinuationToken: '!' })).toMatchObject({ name: 'InvalidArgument', status: 400 });
    expect(await list({ Bucket: 'nothing' })).toMatchObject({ name: 'NoSuchBucket', status: 404 });
  });

  it('any key comes back from put, list and get', async () => {
    const odd = oneof(
      string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
      string({ unit: 'binary', minLength: 1, maxLength: 30 }),
      constantFrom(
        '..',
        '../../etc/passwd',
        '/',
        '//',
        '/a',
        'a/',
        'a//b',
        './a',
        'a/../b',
        '%2F',
        'a+b',
        'a b',
        '?x=1',
      ),
      constantFrom(
        '#',
        '&<>"\'',
        '\n',
        'a\r\nb',
        '\u0001',
        '\u{1F600}',
        'NUL',
        'C:\\x',
        '__proto__',
        'constructor',
        '\u{FEFF}',
      ),
    );
    const run = async (Key: string): Promise<void> => {
      await client.send(new PutObjectCommand({ Bucket, Key, Body: `content of ${Key}` }));
      const got = await client.send(new GetObjectCommand({ Bucket, Key }));
      expect(await got.Body?.transformToString()).toBe(`content of ${Key}`);
      const listed = await client.send(new ListObjectsV2Command({ Bucket, EncodingType: 'url' }));
      const keys = listed.Contents?.map((each) => decodeURIComponent((each.Key ?? '').replaceAll('+', ' ')));
      expect(keys).toEqual([Key]);
      await client.send(new DeleteObjectCommand({ Bucket, Key }));
      expect((await client.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
    };
    await assert(asyncProperty(odd, run), { numRuns: 200 });
  }, 60_000);
});

describe('buckets', () => {
  it('are made, listed and removed when empty', async () => {
    await client.send(new CreateBucketCommand({ Bucket: 'another.one' }));
    expect((await client.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name)).toEqual([
      'another.one',
      'uploads',
    ]);
    await client.send(new HeadBucketCommand({ Bucket: 'another.one' }));
    const location = await client.send(new GetBucketLocationCommand({ Bucket }));
    expect(location.LocationConstraint).toBeUndefined();
    await putAll('k');
    expect(await failure(client.send(new DeleteBucketCommand({ Bucket })))).toMatchObject({
      name: 'BucketNotEmpty',
      status: 409,
    });
    await client.send(new DeleteBucketCommand({ Bucket: 'another.one' }));
    expect(await failure(client.send(new HeadBucketCommand({ Bucket: 'another.one' })))).toMatchObject({
      status: 404,
    });
    const create = (name: string) => failure(client.send(new CreateBucketCommand({ Bucket: name })));
    expect(await create(Bucket)).toMatchObject({ name: 'BucketAlreadyOwnedByYou', status: 409 });
    for (const name of ['Upper', 'a_b', '10.0.0.1', 'a..b', '-ab', 'x'.repeat(64)]) {
      expect(await create(name)).toMatchObject({ name: 'InvalidBucketName', status: 400 });
    }
  });

  it('say plainly that they have no notification configuration', async () => {
    const get = new GetBucketNotificationConfigurationCommand({ Bucket });
    const put = new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: {} });
    expect(await failure(client.send(get))).toMatchObject({ name: 'NotImplemented', status: 501 });
    expect(await failure(client.send(put))).toMatchObject({ name: 'NotImplemented', status: 501 });
  });
});
