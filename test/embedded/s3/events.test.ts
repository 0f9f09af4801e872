import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it } from 'vitest';
import type { S3EventMessage, S3EventRecord } from '../../../src/embedded/s3/event-message.js';
import { Store } from '../../../src/embedded/s3/store.js';
import { silentLogger } from '../../../src/embedded/s3/log.js';
import { ACCESS_KEY_ID, cleanUp, makeDirectory, start } from './endpoint-fixture.js';

const Bucket = 'uploads';
const eventRetryMs = { first: 1, most: 5 };

afterEach(cleanUp);

/** A receiver that keeps what it takes, and takes nothing while `isDown`. */
class Receiver {
  readonly records: S3EventRecord[] = [];
  isDown = false;
  attempts = 0;

  readonly onEvent = async ({ Records }: S3EventMessage): Promise<void> => {
    this.attempts += 1;
    if (this.isDown) throw new Error('down');
    this.records.push(...Records);
  };

  get keys(): string[] {
    return this.records.map((record) => record.s3.object.key);
  }
}

const put = (client: S3Client, Key: string) =>
  client.send(new PutObjectCommand({ Bucket, Key, Body: 'hello' }));

const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `k${i}`);

async function putInTurn(client: S3Client, keys: readonly string[]): Promise<void> {
  for (const key of keys) await put(client, key);
}

describe('events', () => {
  it('have the shape of S3 notifications', async () => {
    const receiver = new Receiver();
    const now = () => new Date();
    const { endpoint, client } = await start({ onEvent: receiver.onEvent, now });
    await endpoint.createBucket(Bucket);
    await put(client, 'a b/ü+&.txt');
    await expect.poll(() => receiver.records.length).toBe(1);
    expect(receiver.records[0]).toEqual({
      eventVersion: '2.1',
      eventSource: 'aws:s3',
      awsRegion: 'us-east-1',
      eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      eventName: 'ObjectCreated:Put',
      userIdentity: { principalId: ACCESS_KEY_ID },
      requestParameters: { sourceIPAddress: '127.0.0.1' },
      responseElements: {
        'x-amz-request-id': expect.stringMatching(/^[0-9A-F]{16}$/),
        'x-amz-id-2': expect.any(String),
      },
      s3: {
        s3SchemaVersion: '1.0',
        configurationId: expect.any(String),
        bucket: {
          name: Bucket,
          ownerIdentity: { principalId: expect.any(String) },
          arn: `arn:aws:s3:::${Bucket}`,
        },
        object: {
          key: 'a+b/%C3%BC%2B%26.txt',
          size: 5,
          eTag: '5d41402abc4b2a76b9719d911017c592',
          sequencer: expect.stringMatching(/^[0-9A-F]{18}$/),
        },
      },
    });
  });

  it('are made by everything that creates or deletes, in order, and by nothing else', async () => {
    const receiver = new Receiver();
    const { endpoint, client } = await start({ onEvent: receiver.onEvent });
    await endpoint.createBucket(Bucket);
    await put(client, 'a');
    await client.send(
      new PutObjectTaggingCommand({ Bucket, Key: 'a', Tagging: { TagSet: [{ Key: 't', Value: '1' }] } }),
    );
    await client.send(new DeleteObjectTaggingCommand({ Bucket, Key: 'a' }));
    await client.send(new CopyObjectCommand({ Bucket, Key: 'b', CopySource: `${Bucket}/a` }));
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'was never there' }));
    await client.send(
      new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }),
    );
    const upload = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'c' }));
    const part = { Bucket, Key: 'c', UploadId: upload.UploadId };
    const { ETag } = await client.send(new UploadPartCommand({ ...part, PartNumber: 1, Body: 'part' }));
    const done = await client.send(
      new CompleteMultipartUploadCommand({ ...part, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } }),
    );
    const marker = await client.send(new DeleteObjectCommand({ Bucket, Key: 'c' }));
    const Objects = [{ Key: 'c', VersionId: marker.VersionId }];
    await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    await expect.poll(() => receiver.records.length).toBe(6);
    expect(
      receiver.records.map(({ eventName, s3 }) => [eventName, s3.object.key, s3.object.versionId]),
    ).toEqual([
      ['ObjectCreated:Put', 'a', undefined],
      ['ObjectCreated:Copy', 'b', undefined],
      ['ObjectRemoved:Delete', 'a', undefined],
      ['ObjectCreated:CompleteMultipartUpload', 'c', done.VersionId],
      ['ObjectRemoved:DeleteMarkerCreated', 'c', marker.VersionId],
      ['ObjectRemoved:Delete', 'c', marker.VersionId],
    ]);
    const sequencers = receiver.records.map(({ s3 }) => s3.object.sequencer);
    expect(sequencers).toEqual(sequencers.toSorted());
    expect(new Set(sequencers).size).toBe(6);
  });

  it.each([
    ['a list', ['uploads']],
    ['a function', (name: string) => name === 'uploads'],
  ])('come only from the buckets that are named by %s', async (_how, eventBuckets) => {
    const receiver = new Receiver();
    const { endpoint, client } = await start({ onEvent: receiver.onEvent, eventBuckets });
    await endpoint.createBucket(Bucket);
    await endpoint.createBucket('quarantine');
    await put(client, 'a');
    await client.send(new CopyObjectCommand({ Bucket: 'quarantine', Key: 'q', CopySource: `${Bucket}/a` }));
    await client.send(new DeleteObjectCommand({ Bucket: 'quarantine', Key: 'q' }));
    await put(client, 'b');
    await expect.poll(() => receiver.keys).toEqual(['a', 'b']);
  });

  it('are sent again until they are taken, in order', async () => {
    const receiver = new Receiver();
    receiver.isDown = true;
    const { endpoint, client } = await start({ onEvent: receiver.onEvent, eventRetryMs });
    await endpoint.createBucket(Bucket);
    await putInTurn(client, many(30));
    await expect.poll(() => receiver.attempts).toBeGreaterThan(3);
    receiver.isDown = false;
    await expect.poll(() => receiver.keys).toEqual(many(30));
  });

  it('are delivered after a restart, and those that were taken are not delivered again', async () => {
    const directory = await makeDirectory();
    const down = new Receiver();
    down.isDown = true;
    const first = await start({ directory, onEvent: down.onEvent, eventRetryMs });
    await first.endpoint.createBucket(Bucket);
    await putInTurn(first.client, many(50));
    await first.endpoint.close();

    const receiver = new Receiver();
    const second = await start({ directory, onEvent: receiver.onEvent });
    await put(second.client, 'after');
    await expect.poll(() => receiver.keys).toEqual([...many(50), 'after']);
    await second.endpoint.close();

    const third = await start({ directory, onEvent: receiver.onEvent });
    await put(third.client, 'last');
    await expect.poll(() => receiver.keys.at(-1)).toBe('last');
    expect(receiver.keys).toEqual([...many(50), 'after', 'last']);
    const sequencers = receiver.records.map(({ s3 }) => s3.object.sequencer);
    expect(sequencers).toEqual(sequencers.toSorted());
  });

  it('survive a crash between the upload and the delivery', async () => {
    const down = new Receiver();
    down.isDown = true;
    const first = await start({ onEvent: down.onEvent, eventRetryMs });
    await first.endpoint.createBucket(Bucket);
    await putInTurn(first.client, many(5));
    const image = join(await makeDirectory(), 'image');
    await cp(first.directory, image, { recursive: true });
    const receiver = new Receiver();
    await start({ directory: image, onEvent: receiver.onEvent });
    await expect.poll(() => receiver.keys).toEqual(many(5));
  });

  it('that are pending survive a compaction of the journal', async () => {
    const directory = await makeDirectory();
    const open = () =>
      Store.open({ directory, now: () => new Date(), logger: silentLogger, makesEvents: () => true });
    const version = { size: 0, etag: 'e', slices: [], headers: {}, metadata: {}, tags: [] };
    const event = { name: 'ObjectCreated:Put', origin: { sourceIp: '', requestId: '', principal: '' } };
    const store = await open();
    await store.createBucket(Bucket);
    const keys = many(3000);
    await Promise.all(keys.map((key) => store.putVersion(Bucket, key, version, () => {}, event)));
    await Promise.all(keys.map((key) => store.deleteObject(Bucket, key, undefined, () => {}, event.origin)));
    await store.close();
    const receiver = new Receiver();
    await start({ directory, onEvent: receiver.onEvent });
    await expect.poll(() => receiver.records.length, { timeout: 10_000 }).toBe(6000);
    expect(receiver.keys).toEqual([...keys, ...keys]);
  });

  it('have sequencers that grow even when the directory was wiped', async () => {
    const receiver = new Receiver();
    for (const at of ['2026-11-23T12:00:00.000Z', '2026-11-23T12:00:00.001Z']) {
      const { endpoint, client } = await start({ onEvent: receiver.onEvent, now: () => new Date(at) });
      await endpoint.createBucket(Bucket);
      const { systemClockOffset } = client.config;
      client.config.systemClockOffset = new Date(at).getTime() - Date.now() + systemClockOffset;
      await put(client, 'a');
      await expect.poll(() => receiver.records.length).toBe(at.endsWith('0Z') ? 1 : 2);
      await endpoint.close();
    }
    const [first = '', second = ''] = receiver.records.map(({ s3 }) => s3.object.sequencer);
    expect(second > first).toBe(true);
  });
});
