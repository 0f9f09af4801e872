import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { finishObjects, refuseObjects, stageObjects, writeObjects } from '../../src/backup/beside.js';
import { FolderPlace } from '../../src/backup/folder-place.js';
import type { Manifest } from '../../src/backup/manifest.js';
import type { BackupPlace } from '../../src/backup/place.js';
import { S3Place } from '../../src/backup/s3-place.js';
import { readConfig } from '../../src/config.js';
import { startS3Endpoint, type S3Endpoint } from '../../src/embedded/s3/endpoint.js';

const KEYS = { accessKeyId: 'PLACESKEYID', secretAccessKey: 'a-secret-of-the-places' };
const folder = mkdtempSync(join(tmpdir(), 'sallyport-places-'));
let endpoint: S3Endpoint;
let s3: S3Client;

const clientOf = (url: string): S3Client =>
  new S3Client({ endpoint: url, region: 'us-east-1', forcePathStyle: true, credentials: KEYS });

beforeAll(async () => {
  endpoint = await startS3Endpoint({ directory: join(folder, 'one', 's3'), port: 0, ...KEYS });
  await endpoint.createBucket('backups');
  await endpoint.createBucket('uploads', { versioning: true });
  s3 = clientOf(endpoint.url);
  // The SDK's own chain is what a backup's credentials come from.
  process.env['AWS_ACCESS_KEY_ID'] = KEYS.accessKeyId;
  process.env['AWS_SECRET_ACCESS_KEY'] = KEYS.secretAccessKey;
});
afterAll(async () => {
  s3.destroy();
  await endpoint.close();
  rmSync(folder, { recursive: true, force: true });
});

const s3Place = (name: string, url = endpoint.url): BackupPlace =>
  new S3Place(name, readConfig({ S3_ENDPOINT: url, S3_FORCE_PATH_STYLE: 'true', S3_REGION: 'us-east-1' }));

describe.each([
  ['a folder', () => new FolderPlace(join(folder, 'backup', 'of today'))],
  ['a prefix of a bucket', () => s3Place('s3://backups/of today/')],
])('%s', (_, make) => {
  it('gives back what was written to it, and no more of a file than was asked for', async () => {
    const place = make();
    expect(await place.isUsed()).toBe(false);
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (__, n) => n % 251));
    await place.write('tables/review/000001.gz', bytes);
    await place.write('empty', Buffer.alloc(0));
    expect(await place.isUsed()).toBe(true);
    expect(await place.read('tables/review/000001.gz', 70_000)).toEqual(bytes);
    expect(await place.read('tables/review/000001.gz', 10)).toHaveLength(11);
    expect(await place.read('empty', 10)).toEqual(Buffer.alloc(0));
    expect(await place.read('tables/review/000002.gz', 10)).toBeUndefined();
    const said = ['one', 'two', 'three'];
    await Promise.all(said.map((text) => place.writeFirst('first', Buffer.from(text))));
    const first = (await place.read('first', 10))?.toString();
    expect(said).toContain(first);
    await place.writeFirst('first', Buffer.from('later'));
    expect((await place.read('first', 10))?.toString()).toBe(first);
    place.close();
  });
});

describe('a bucket', () => {
  it('that is not there, and a name that names none, are told in a sentence', async () => {
    expect(() => s3Place('s3:///prefix')).toThrow(/names no bucket. Write it as s3:\/\/bucket\/prefix/);
    await expect(s3Place('s3://nowhere/x').isUsed()).rejects.toThrow(
      /s3:\/\/nowhere\/x cannot be listed: .*NoSuchBucket.*Check S3_ENDPOINT/,
    );
  });
});

describe('the objects of the embedded endpoint', () => {
  it('are copied while it goes on, with their versions, and served from there', async () => {
    const put = (Key: string, Body: string) =>
      s3.send(new PutObjectCommand({ Bucket: 'uploads', Key, Body, Metadata: { n: Key.length.toString() } }));
    for (let n = 0; n < 20; n += 1) await put(`k${n}`, `bytes ${n}`);
    await put('k3', 'newer bytes');
    await s3.send(new DeleteObjectCommand({ Bucket: 'uploads', Key: 'k5' }));
    const place = new FolderPlace(join(folder, 'objects'));
    const copied = new AbortController();
    // Blobs come and go for good meanwhile.
    const going = (async () => {
      for (let n = 0; !copied.signal.aborted; n += 1) {
        const { VersionId } = await put('passing', `passes ${n}`);
        await s3.send(new DeleteObjectCommand({ Bucket: 'uploads', Key: 'passing', VersionId }));
      }
    })();
    const objects = await writeObjects(join(folder, 'one'), place);
    copied.abort();
    await going;
    const home = join(folder, 'two');
    await (
      await stageObjects(home, place, { objects } as unknown as Manifest)
    )();
    const other = await startS3Endpoint({ directory: join(home, 's3'), port: 0, ...KEYS });
    const there = clientOf(other.url);
    const versionsIn = async (client: S3Client) =>
      (await client.send(new ListObjectVersionsCommand({ Bucket: 'uploads', Prefix: 'k' }))).Versions?.map(
        ({ Key, VersionId, ETag }) => [Key, VersionId, ETag],
      );
    expect(await versionsIn(there)).toEqual(await versionsIn(s3));
    const got = await there.send(new GetObjectCommand({ Bucket: 'uploads', Key: 'k3' }));
    expect(await got.Body?.transformToString()).toBe('newer bytes');
    there.destroy();
    await other.close();
  });

  it('that a restore put in place before it was cut short are no obstacle to the next, and others are', async () => {
    const place = new FolderPlace(join(folder, 'objects of a cut'));
    const objects = await writeObjects(join(folder, 'one'), place);
    const manifest = { id: 'b', objects } as unknown as Manifest;
    const home = join(folder, 'three');
    const putInPlace = async () => {
      refuseObjects(home, manifest, false);
      await (
        await stageObjects(home, place, manifest)
      )();
    };
    await putInPlace();
    await putInPlace();
    finishObjects(home);
    await expect(putInPlace()).rejects.toThrow(/holds objects.*--discard-existing/);
    refuseObjects(home, manifest, true);
  });
});
