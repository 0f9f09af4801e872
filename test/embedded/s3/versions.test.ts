import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
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

const setVersioning = (Status: 'Enabled' | 'Suspended') =>
  client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
const put = async (Key: string, Body: string): Promise<string | undefined> =>
  (await client.send(new PutObjectCommand({ Bucket, Key, Body }))).VersionId;
const text = async (Key: string, VersionId?: string): Promise<string | undefined> =>
  (await client.send(new GetObjectCommand({ Bucket, Key, VersionId }))).Body?.transformToString();
const remove = (Key: string, VersionId?: string) =>
  client.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
const list = () => client.send(new ListObjectVersionsCommand({ Bucket }));

describe('versions', () => {
  it('each write makes one, and each can be read and deleted', async () => {
    expect((await client.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBeUndefined();
    await setVersioning('Enabled');
    expect((await client.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBe('Enabled');
    const [first, second] = [await put('k', '1'), await put('k', '2')];
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    expect([await text('k'), await text('k', first), await text('k', second)]).toEqual(['2', '1', '2']);
    expect(await remove('k', second)).toMatchObject({ VersionId: second });
    expect(await text('k')).toBe('1');
    expect(await failure(text('k', second))).toMatchObject({ name: 'NoSuchVersion', status: 404 });
    expect(await failure(text('k', 'nonsense'))).toMatchObject({ name: 'InvalidArgument', status: 400 });
    expect(await remove('k', second)).toMatchObject({ VersionId: second });
  });

  it('a delete marker hides an object until it is deleted itself', async () => {
    await setVersioning('Enabled');
    const version = await put('k', '1');
    const marker = await remove('k');
    expect(marker).toMatchObject({ DeleteMarker: true, VersionId: expect.any(String) });
    const gone = await failure(text('k'));
    expect(gone).toMatchObject({ name: 'NoSuchKey', status: 404 });
    expect(gone.headers).toMatchObject({
      'x-amz-delete-marker': 'true',
      'x-amz-version-id': marker.VersionId,
    });
    const refused = await failure(text('k', marker.VersionId));
    expect(refused).toMatchObject({ name: 'MethodNotAllowed', status: 405 });
    expect(refused.headers).toMatchObject({ 'x-amz-delete-marker': 'true', allow: 'DELETE' });
    const head = await failure(client.send(new HeadObjectCommand({ Bucket, Key: 'k' })));
    expect(head.headers).toMatchObject({ 'x-amz-delete-marker': 'true' });
    expect((await client.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
    const versions = await list();
    expect(versions.DeleteMarkers).toMatchObject([{ Key: 'k', VersionId: marker.VersionId, IsLatest: true }]);
    expect(versions.Versions).toMatchObject([{ Key: 'k', VersionId: version, IsLatest: false }]);
    expect(await remove('k', marker.VersionId)).toMatchObject({ DeleteMarker: true });
    expect(await text('k')).toBe('1');
  });

  it('what was written without versioning is the null version, kept beside the others', async () => {
    expect(await put('k', 'null 1')).toBeUndefined();
    await setVersioning('Enabled');
    const version = await put('k', 'v');
    await setVersioning('Suspended');
    expect(await text('k', 'null')).toBe('null 1');
    expect(await put('k', 'null 2')).toBe('null');
    expect(await text('k', 'null')).toBe('null 2');
    expect((await list()).Versions?.map(({ VersionId }) => VersionId)).toEqual(['null', version]);
    expect(await remove('k')).toMatchObject({ DeleteMarker: true, VersionId: 'null' });
    expect(await failure(text('k', 'null'))).toMatchObject({ status: 405 });
    await remove('k', 'null');
    expect(await text('k')).toBe('v');
  });

  it('without versioning the versionId null names the object', async () => {
    await put('k', '1');
    expect(await text('k', 'null')).toBe('1');
    expect((await list()).Versions).toMatchObject([{ Key: 'k', VersionId: 'null', IsLatest: true }]);
    await remove('k', 'null');
    expect(await failure(text('k'))).toMatchObject({ name: 'NoSuchKey' });
  });

  it('a copy can take an older version', async () => {
    await setVersioning('Enabled');
    const old = await put('k', 'old');
    await put('k', 'new');
    const copied = await client.send(
      new CopyObjectCommand({ Bucket, Key: 'k', CopySource: `${Bucket}/k?versionId=${old}` }),
    );
    expect(copied.CopySourceVersionId).toBe(old);
    expect(await text('k', copied.VersionId)).toBe('old');
  });

  it('DeleteObjects deletes versions for good', async () => {
    await setVersioning('Enabled');
    const ids = [await put('k', '1'), await put('k', '2'), await put('k', '3')];
    const Objects = [...ids.map((VersionId) => ({ Key: 'k', VersionId })), { Key: 'x', VersionId: '!' }];
    const done = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(done.Deleted).toHaveLength(3);
    expect(done.Errors).toMatchObject([{ Key: 'x', Code: 'InvalidArgument' }]);
    expect((await list()).Versions).toBeUndefined();
  });

  it('listings of versions go on where they ended, page by page', async () => {
    await setVersioning('Enabled');
    const written: string[] = [];
    for (const key of ['a', 'a', 'a', 'b/1', 'b/2', 'c', 'c']) written.push(`${key} ${await put(key, 'x')}`);
    await remove('c');
    const pages = async (Delimiter?: string) => {
      const seen: string[] = [];
      let KeyMarker: string | undefined;
      let VersionIdMarker: string | undefined;
      for (let page = 0; page < 20; page += 1) {
        const got = await client.send(
          new ListObjectVersionsCommand({ Bucket, MaxKeys: 1, Delimiter, KeyMarker, VersionIdMarker }),
        );
        for (const { Key, VersionId } of [...(got.Versions ?? []), ...(got.DeleteMarkers ?? [])]) {
          seen.push(`${Key} ${VersionId}`);
        }
        for (const { Prefix } of got.CommonPrefixes ?? []) seen.push(`${Prefix}`);
        if (got.IsTruncated !== true) break;
        ({ NextKeyMarker: KeyMarker, NextVersionIdMarker: VersionIdMarker } = got);
      }
      return seen;
    };
    const all = await pages();
    expect(new Set(all).size).toBe(8);
    expect(all.slice(0, 3)).toEqual(written.slice(0, 3).toReversed());
    expect((await pages('/')).filter((each) => each.startsWith('b'))).toEqual(['b/']);
  });
});

describe('tags', () => {
  const tag = (TagSet: { Key: string; Value: string }[], VersionId?: string) =>
    client.send(new PutObjectTaggingCommand({ Bucket, Key: 'k', VersionId, Tagging: { TagSet } }));
  const tags = async (VersionId?: string) =>
    (await client.send(new GetObjectTaggingCommand({ Bucket, Key: 'k', VersionId }))).TagSet;

  it('belong to a version and leave its bytes alone', async () => {
    await setVersioning('Enabled');
    const [first, second] = [await put('k', 'one'), await put('k', 'two')];
    expect(await tag([{ Key: 'a', Value: '1' }], first)).toMatchObject({ VersionId: first });
    await tag([{ Key: 'b', Value: '' }]);
    expect([await tags(first), await tags(second)]).toEqual([
      [{ Key: 'a', Value: '1' }],
      [{ Key: 'b', Value: '' }],
    ]);
    expect([await text('k', first), await text('k')]).toEqual(['one', 'two']);
    await client.send(new DeleteObjectTaggingCommand({ Bucket, Key: 'k', VersionId: first }));
    expect(await tags(first)).toEqual([]);
  });

  it('may come with the object', async () => {
    await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x', Tagging: 'a+b=c%2Bd&e=' }));
    expect(await tags()).toEqual([
      { Key: 'a b', Value: 'c+d' },
      { Key: 'e', Value: '' },
    ]);
    expect(await client.send(new HeadObjectCommand({ Bucket, Key: 'k' }))).toMatchObject({ TagCount: 2 });
  });

  it('are limited as in S3', async () => {
    await put('k', 'x');
    const many = (count: number) => Array.from({ length: count }, (_, i) => ({ Key: `k${i}`, Value: 'v' }));
    await tag(many(10));
    await tag([{ Key: 'ä'.repeat(128), Value: 'ö'.repeat(256) }]);
    expect(await failure(tag(many(11)))).toMatchObject({ name: 'BadRequest', status: 400 });
    for (const wrong of [
      [{ Key: 'x'.repeat(129), Value: '' }],
      [{ Key: 'x', Value: 'x'.repeat(257) }],
      [{ Key: '', Value: '' }],
      [{ Key: 'aws:x', Value: '' }],
      [{ Key: 'x', Value: 'a<b' }],
      [
        { Key: 'x', Value: '1' },
        { Key: 'x', Value: '2' },
      ],
    ]) {
      expect(await failure(tag(wrong))).toMatchObject({ name: 'InvalidTag', status: 400 });
    }
    const eleven = many(11)
      .map(({ Key }) => `${Key}=v`)
      .join('&');
    const upload = new PutObjectCommand({ Bucket, Key: 'new', Body: 'x', Tagging: eleven });
    expect(await failure(client.send(upload))).toMatchObject({ status: 400 });
    const doubled = new PutObjectCommand({ Bucket, Key: 'new', Body: 'x', Tagging: 'a=1&a=2' });
    expect(await failure(client.send(doubled))).toMatchObject({ status: 400 });
    expect(await tags()).toHaveLength(1);
  });

  it('cannot be put on what is not there', async () => {
    expect(await failure(tag([]))).toMatchObject({ name: 'NoSuchKey', status: 404 });
    await setVersioning('Enabled');
    await put('k', 'x');
    const marker = await remove('k');
    expect(await failure(tag([], marker.VersionId))).toMatchObject({ name: 'MethodNotAllowed', status: 405 });
  });
});
