import { appendFile, cp, mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/embedded/s3/log.js';
import { Store } from '../../../src/embedded/s3/store.js';
import type { StoreOptions } from '../../../src/embedded/s3/store.js';
import { cleanUp, makeDirectory, onCleanUp, start } from './endpoint-fixture.js';

const Bucket = 'uploads';
const origin = { sourceIp: '127.0.0.1', requestId: 'R', principal: 'P' };
const event = { name: 'ObjectCreated:Put', origin };

afterEach(cleanUp);

/** What a killed process leaves: the files as they are at this moment. */
async function crashImage(directory: string): Promise<string> {
  const copy = join(await makeDirectory(), 'image');
  await cp(directory, copy, { recursive: true });
  return copy;
}

async function open(directory: string, more: Partial<StoreOptions> = {}): Promise<Store> {
  const now = () => new Date();
  const store = await Store.open({ directory, now, logger: silentLogger, makesEvents: () => false, ...more });
  onCleanUp(() => store.close());
  return store;
}

async function* bytesOf(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}

async function put(store: Store, key: string, content: string): Promise<void> {
  const slice = await store.blobs.write(bytesOf(content));
  const slices = slice === undefined ? [] : [slice];
  const version = { size: content.length, etag: 'e', slices, headers: {}, metadata: {}, tags: [] };
  await store.putVersion(Bucket, key, version, () => {}, event);
}

async function contentOf(store: Store, key: string): Promise<string> {
  const version = store.catalog.current(Bucket, key);
  const pieces: Buffer[] = [];
  for await (const piece of store.blobs.read(version?.slices ?? [], 0, version?.size ?? 0))
    pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

const text = async (client: S3Client, Key: string, VersionId?: string): Promise<string | undefined> =>
  (await client.send(new GetObjectCommand({ Bucket, Key, VersionId }))).Body?.transformToString();

describe('what was acknowledged', () => {
  it('is there after a crash at that moment: versions, tags, copies, unfinished uploads', async () => {
    const first = await start();
    await first.endpoint.createBucket(Bucket, { versioning: true });
    const send = first.client;
    const one = await send.send(
      new PutObjectCommand({ Bucket, Key: 'k', Body: 'one', Tagging: 'a=1', Metadata: { m: 'ü' } }),
    );
    await send.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'two' }));
    await send.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/k` }));
    await send.send(new DeleteObjectCommand({ Bucket, Key: 'copy' }));
    const upload = await send.send(new CreateMultipartUploadCommand({ Bucket, Key: 'parts' }));
    const part = { Bucket, Key: 'parts', UploadId: upload.UploadId };
    const sent = await send.send(new UploadPartCommand({ ...part, PartNumber: 1, Body: 'part' }));
    const before = await send.send(new ListObjectVersionsCommand({ Bucket }));

    const { client } = await start({ directory: await crashImage(first.directory) });
    const after = await client.send(new ListObjectVersionsCommand({ Bucket }));
    expect([after.Versions, after.DeleteMarkers]).toEqual([before.Versions, before.DeleteMarkers]);
    expect([await text(client, 'k'), await text(client, 'k', one.VersionId)]).toEqual(['two', 'one']);
    const tags = await client.send(
      new GetObjectTaggingCommand({ Bucket, Key: 'k', VersionId: one.VersionId }),
    );
    expect(tags.TagSet).toEqual([{ Key: 'a', Value: '1' }]);
    const Parts = [{ PartNumber: 1, ETag: sent.ETag }];
    await client.send(new CompleteMultipartUploadCommand({ ...part, MultipartUpload: { Parts } }));
    expect(await text(client, 'parts')).toBe('part');
  });

  it('survives a journal that is cut at any byte of its last record, and the cut record leaves nothing', async () => {
    const directory = await makeDirectory();
    const store = await open(directory);
    await store.createBucket(Bucket);
    await put(store, 'kept', 'kept');
    const { size: from } = await stat(join(directory, 'journal'));
    await put(store, 'last', 'last');
    const { size: to } = await stat(join(directory, 'journal'));
    await store.close();
    for (let length = from; length < to; length += 1) {
      const image = await crashImage(directory);
      await truncate(join(image, 'journal'), length);
      const reopened = await open(image);
      expect(await contentOf(reopened, 'kept')).toBe('kept');
      expect(reopened.catalog.current(Bucket, 'last')).toBeUndefined();
      expect(await readdir(join(image, 'blobs'))).toHaveLength(1);
      await put(reopened, 'next', 'next');
      await reopened.close();
      expect((await open(image)).catalog.current(Bucket, 'next')?.size).toBe(4);
    }
  }, 60_000);

  it('is not silently lost when the journal is damaged in its middle', async () => {
    const directory = await makeDirectory();
    const store = await open(directory);
    await store.createBucket(Bucket);
    await put(store, 'a', 'a');
    await store.close();
    const path = join(directory, 'journal');
    const bytes = await readFile(path);
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    await writeFile(path, bytes);
    await expect(open(directory)).rejects.toMatchObject({ code: 'S3_JOURNAL_DAMAGED' });
  });

  it('a last line of garbage is cut off', async () => {
    const directory = await makeDirectory();
    const store = await open(directory);
    await store.createBucket(Bucket);
    await put(store, 'a', 'a');
    await store.close();
    await appendFile(join(directory, 'journal'), Buffer.alloc(5000));
    const reopened = await open(directory);
    expect(await contentOf(reopened, 'a')).toBe('a');
  });
});

describe('the directory', () => {
  it('has no half-written or unused files after a start', async () => {
    const directory = await makeDirectory();
    const store = await open(directory);
    await store.createBucket(Bucket);
    await put(store, 'a', 'a');
    await store.close();
    await writeFile(join(directory, 'blobs', 'f'.repeat(32)), 'unused');
    await mkdir(join(directory, 'incoming'), { recursive: true });
    await writeFile(join(directory, 'incoming', 'half'), 'half');
    await writeFile(join(directory, 'journal.new'), 'half a compaction');
    const reopened = await open(directory);
    expect(await readdir(join(directory, 'blobs'))).toHaveLength(1);
    expect(await readdir(join(directory, 'incoming'))).toEqual([]);
    expect(await readdir(directory)).not.toContain('journal.new');
    expect(await contentOf(reopened, 'a')).toBe('a');
  });

  it('loses the file of an object with its last version', async () => {
    const directory = await makeDirectory();
    const { client, endpoint } = await start({ directory });
    await endpoint.createBucket(Bucket);
    await client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'a' }));
    await client.send(new CopyObjectCommand({ Bucket, Key: 'b', CopySource: `${Bucket}/a` }));
    await client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'other' }));
    expect(await readdir(join(directory, 'blobs'))).toHaveLength(2);
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'b' }));
    await expect.poll(() => readdir(join(directory, 'blobs'))).toEqual([]);
  });

  it('is used by one process at a time', async () => {
    const directory = await makeDirectory();
    await writeFile(join(directory, 'lock'), `${process.ppid} -`);
    // The parent lives, but did not start at that time: the claim is of an older process with its id.
    const store = await open(directory);
    await store.close();
    const parent = await readFile(`/proc/${process.ppid}/stat`, 'latin1').catch(() => undefined);
    if (parent === undefined) return;
    const startedAt = parent.replace(/^.*\) /s, '').split(' ')[19];
    await writeFile(join(directory, 'lock'), `${process.ppid} ${startedAt}`);
    await expect(open(directory)).rejects.toMatchObject({ code: 'S3_DIRECTORY_IN_USE' });
  });

  it('opens with 10,000 objects in well under a second, and stays as small as what is in it', async () => {
    const directory = await makeDirectory();
    const store = await open(directory);
    await store.createBucket(Bucket);
    const version = {
      size: 0,
      etag: 'd41d8cd98f00b204e9800998ecf8427e',
      slices: [],
      headers: {},
      metadata: {},
      tags: [],
    };
    const writeAll = async (): Promise<void> => {
      const keys = Array.from({ length: 10_000 }, (_, i) => `folder/${i}/some-longer-name.txt`);
      await Promise.all(keys.map((key) => store.putVersion(Bucket, key, version, () => {}, event)));
    };
    for (let round = 0; round < 3; round += 1) await writeAll();
    const { size: written } = await stat(join(directory, 'journal'));
    await store.close();
    const compacting = await open(directory);
    const { size: compacted } = await stat(join(directory, 'journal'));
    expect(compacted).toBeLessThan(written / 2);
    await compacting.close();
    const began = performance.now();
    const reopened = await open(directory);
    expect(performance.now() - began).toBeLessThan(1000);
    expect(reopened.bucket(Bucket).keys.size).toBe(10_000);
  }, 30_000);
});
