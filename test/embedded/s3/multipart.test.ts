import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import type { ChecksumAlgorithm, ChecksumType, S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startChecksum } from '../../../src/embedded/s3/checksums.js';
import { cleanUp, failure, start } from './endpoint-fixture.js';

const Bucket = 'uploads';
const Key = 'big';
const MIB = 1024 * 1024;
const BYTES = [Buffer.alloc(5 * MIB, 'a'), Buffer.alloc(5 * MIB, 'b'), Buffer.alloc(10, 'c')];
let client: S3Client;

beforeEach(async () => {
  const started = await start();
  ({ client } = started);
  await started.endpoint.createBucket(Bucket);
});
afterEach(cleanUp);

const create = async (more: object = {}): Promise<string> =>
  (await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ...more }))).UploadId ?? '';

const upload = async (UploadId: string, PartNumber: number, Body: Buffer, more: object = {}) => {
  const { $metadata: _metadata, ...part } = await client.send(
    new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ...more }),
  );
  return { ...part, PartNumber };
};

const complete = (UploadId: string, Parts: object[], more: object = {}) =>
  client.send(
    new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...more }),
  );

const md5 = (bytes: Buffer): Buffer => createHash('md5').update(bytes).digest();

describe('uploads in parts', () => {
  it('become one object with the entity tag that AWS gives', async () => {
    const id = await create({ ContentType: 'x/y', Metadata: { m: '1' }, Tagging: 't=1' });
    // Out of order, and one of them twice: the last one counts.
    const third = await upload(id, 9, BYTES[2]!);
    await upload(id, 1, Buffer.from('wrong'));
    const first = await upload(id, 1, BYTES[0]!);
    const second = await upload(id, 2, BYTES[1]!);
    const parts = await client.send(new ListPartsCommand({ Bucket, Key, UploadId: id, MaxParts: 2 }));
    expect(parts.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
      [1, 5 * MIB],
      [2, 5 * MIB],
    ]);
    expect(parts).toMatchObject({ IsTruncated: true, NextPartNumberMarker: '2' });
    const done = await complete(id, [first, second, third]);
    const expected = `"${md5(Buffer.concat(BYTES.map(md5))).toString('hex')}-3"`;
    expect(done.ETag).toBe(expected);
    const got = await client.send(new GetObjectCommand({ Bucket, Key }));
    expect(got).toMatchObject({ ETag: expected, ContentType: 'x/y', Metadata: { m: '1' }, TagCount: 1 });
    expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(Buffer.concat(BYTES))).toBe(
      true,
    );
    const middle = await client.send(
      new GetObjectCommand({ Bucket, Key, Range: `bytes=${5 * MIB - 2}-${5 * MIB + 1}` }),
    );
    expect(await middle.Body?.transformToString()).toBe('aabb');
    const last = await client.send(new GetObjectCommand({ Bucket, Key, PartNumber: 3 }));
    expect(await last.Body?.transformToString()).toBe('cccccccccc');
    expect(last.PartsCount).toBe(3);
    const copied = await client.send(
      new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/${Key}` }),
    );
    expect(copied.CopyObjectResult?.ETag).toBe(`"${md5(Buffer.concat(BYTES)).toString('hex')}"`);
  });

  it.each([
    ['CRC32', 'FULL_OBJECT'],
    ['CRC32C', 'FULL_OBJECT'],
    ['CRC64NVME', 'FULL_OBJECT'],
    ['CRC32', 'COMPOSITE'],
    ['SHA256', 'COMPOSITE'],
  ] satisfies [ChecksumAlgorithm, ChecksumType][])(
    'carry a %s checksum, %s',
    async (ChecksumAlgorithm, type) => {
      const id = await create({ ChecksumAlgorithm, ChecksumType: type });
      const parts = [];
      for (const [i, bytes] of BYTES.entries())
        parts.push(await upload(id, i + 1, bytes, { ChecksumAlgorithm }));
      await complete(id, parts, { ChecksumType: type });
      const head = await client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
      const sum = (...pieces: Uint8Array[]): Buffer => {
        const hasher = startChecksum(ChecksumAlgorithm);
        for (const piece of pieces) hasher.update(piece);
        return hasher.digest();
      };
      const expected =
        type === 'FULL_OBJECT'
          ? sum(...BYTES).toString('base64')
          : `${sum(...BYTES.map((bytes) => sum(bytes))).toString('base64')}-3`;
      expect(new Map(Object.entries(head)).get(`Checksum${ChecksumAlgorithm}`)).toBe(expected);
      expect(head.ChecksumType).toBe(type);
    },
  );

  it('can be asked to complete again, when the first answer was lost', async () => {
    const id = await create();
    const part = await upload(id, 1, Buffer.from('x'));
    const [first, again] = [await complete(id, [part]), await complete(id, [part])];
    expect(again.ETag).toBe(first.ETag);
    expect(await failure(complete('0'.repeat(48), [part]))).toMatchObject({
      name: 'NoSuchUpload',
      status: 404,
    });
  });

  it('refuse wrong parts', async () => {
    const id = await create();
    const [a, b] = [await upload(id, 1, Buffer.from('small')), await upload(id, 2, Buffer.from('x'))];
    expect(await failure(complete(id, [a, b]))).toMatchObject({ name: 'EntityTooSmall', status: 400 });
    expect(await failure(complete(id, [b, a]))).toMatchObject({ name: 'InvalidPartOrder', status: 400 });
    expect(await failure(complete(id, [{ ...a, ETag: '"x"' }]))).toMatchObject({
      name: 'InvalidPart',
      status: 400,
    });
    expect(await failure(complete(id, [{ PartNumber: 7, ETag: '"x"' }]))).toMatchObject({
      name: 'InvalidPart',
    });
    expect(await failure(complete(id, []))).toMatchObject({ name: 'MalformedXML', status: 400 });
    expect(await failure(complete(id, [a], { IfMatch: '"x"' }))).toMatchObject({
      name: 'NoSuchKey',
      status: 404,
    });
    expect(await failure(upload(id, 0, Buffer.from('x')))).toMatchObject({
      name: 'InvalidArgument',
      status: 400,
    });
    expect(await failure(upload(id, 10_001, Buffer.from('x')))).toMatchObject({ status: 400 });
    await client.send(new PutObjectCommand({ Bucket, Key, Body: 'there' }));
    expect(await failure(complete(id, [a], { IfNoneMatch: '*' }))).toMatchObject({ status: 412 });
    await complete(id, [a]);
  });

  it('can be aborted, and are listed until then', async () => {
    const [one, two] = [await create(), await create()];
    const list = async (more: object = {}) =>
      client.send(new ListMultipartUploadsCommand({ Bucket, ...more }));
    expect((await list()).Uploads?.map(({ UploadId }) => UploadId)).toEqual([one, two]);
    const page = await list({ MaxUploads: 1 });
    expect(page).toMatchObject({ IsTruncated: true, NextKeyMarker: Key, NextUploadIdMarker: one });
    const next = await list({ KeyMarker: Key, UploadIdMarker: one });
    expect(next.Uploads?.map(({ UploadId }) => UploadId)).toEqual([two]);
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId: one }));
    expect(await failure(upload(one, 1, Buffer.from('x')))).toMatchObject({
      name: 'NoSuchUpload',
      status: 404,
    });
    expect((await list()).Uploads).toHaveLength(1);
  });

  it('take parts from objects', async () => {
    await client.send(new PutObjectCommand({ Bucket, Key: 'source', Body: Buffer.concat(BYTES) }));
    const id = await create();
    const copy = async (PartNumber: number, CopySourceRange?: string) => {
      const CopySource = `${Bucket}/source`;
      const answer = await client.send(
        new UploadPartCopyCommand({ Bucket, Key, UploadId: id, PartNumber, CopySource, CopySourceRange }),
      );
      return { PartNumber, ETag: answer.CopyPartResult?.ETag };
    };
    const parts = [await copy(1, `bytes=0-${5 * MIB - 1}`), await copy(2)];
    expect(await failure(copy(3, 'bytes=0-999999999'))).toMatchObject({ name: 'InvalidArgument' });
    expect(await failure(copy(3, 'nonsense'))).toMatchObject({ name: 'InvalidArgument' });
    await complete(id, parts);
    const head = await client.send(new HeadObjectCommand({ Bucket, Key }));
    expect(head.ContentLength).toBe(15 * MIB + 10);
  });
});
