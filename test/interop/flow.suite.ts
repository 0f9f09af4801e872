import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import { eventually } from '../support/eventually.js';
import type { ServiceProcess } from '../support/service-process.js';
import { uploadNumber } from '../support/uploads.js';
import { declareWith, type Differences } from './behaviour.js';
import { fitting, ODD_KEYS } from './odd-keys.js';

/*
 * The whole way: an upload to a server that tells the built service of it in the server's own manner, to the verdict
 * that stands as a tag on the object. Run for every server and every way of telling.
 */

/** A service that runs, a server that it watches, and the buckets that it was told of. */
export interface FlowUnderTest {
  readonly service: ServiceProcess;
  readonly s3: S3Client;
  readonly prefix: string;
  readonly versioned: string | undefined;
  readonly plain: string | undefined;
  /** What is said of harmless bytes: `clean` needs a malware engine on this machine. */
  readonly harmless: 'clean' | 'incomplete';
  /** Tells the service of an upload where the server has no events of its own. */
  readonly tell?: ((bucket: string, key: string) => Promise<void>) | undefined;
}

export type FlowBehaviour =
  | "an upload is scanned, and its verdict stands beside the uploader's tags"
  | 'a verdict that the uploader claims is replaced'
  | 'an upload in parts is scanned as a whole'
  | 'an object of no bytes gets its verdict'
  | 'a copied object is scanned, and the tag that came along is replaced'
  | 'malware is moved to quarantine and comes back when a person releases it'
  | 'a secret is moved to quarantine and deleted when a person says so'
  | 'every version is scanned and tagged as what it is'
  | 'of uploads that follow each other in a bucket without versions, the last one gets its own verdict'
  | 'an object that is deleted before its scan is gone, and nothing waits'
  | 'the doctor proves rights and events, and leaves nothing behind'
  | `the key ${string} is scanned and tagged`;

interface ObjectRow {
  readonly id: string;
  readonly key: string;
  readonly versionId: string | null;
  readonly eTag: string | null;
  readonly verdict: string;
  readonly openReviewId: string | null;
  readonly deletedAt: string | null;
}

interface Diagnosis {
  readonly check: string;
  readonly subject: string;
  readonly status: string;
  readonly fact: string;
}

const WAIT_MS = 45_000;

/** Declares the suite. `setting` is made by the caller's `beforeAll`. */
export function describeFlow(
  setting: () => FlowUnderTest,
  options: {
    readonly differences?: Differences<FlowBehaviour>;
    readonly kinds: readonly ('versioned' | 'plain')[];
    /** Without a quarantine bucket the two ways through it are left out. */
    readonly quarantines?: boolean;
  },
): void {
  const declare = declareWith<FlowBehaviour>(options.differences ?? {});
  const has = (kind: 'versioned' | 'plain') => options.kinds.includes(kind);
  const any = (): string => {
    const bucket = setting().versioned ?? setting().plain;
    if (bucket === undefined) throw new Error('no bucket to try it with');
    return bucket;
  };
  const named = (bucket: string | undefined): string => {
    if (bucket === undefined) throw new Error('no such bucket to try it with');
    return bucket;
  };

  const upload = async (
    key: string,
    body: Buffer | string,
    more: { bucket?: string; tagging?: string } = {},
  ): Promise<{ bucket: string; key: string; versionId: string | undefined; eTag: string }> => {
    const bucket = more.bucket ?? any();
    const full = setting().prefix + key;
    const { VersionId, ETag } = await setting().s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: full,
        Body: body,
        ...(more.tagging !== undefined && { Tagging: more.tagging }),
      }),
    );
    await setting().tell?.(bucket, full);
    return { bucket, key: full, versionId: VersionId, eTag: (ETag ?? '').replaceAll('"', '') };
  };

  const rowsOf = async (bucket: string, key: string): Promise<ObjectRow[]> => {
    const query = new URLSearchParams({ bucket, key });
    const rows = await setting().service.all<ObjectRow>(`/api/v1/objects?${query.toString()}`);
    return rows.filter((row) => row.key === key);
  };

  const tagsOf = async (bucket: string, key: string, versionId?: string) => {
    const { TagSet = [] } = await setting().s3.send(
      new GetObjectTaggingCommand({
        Bucket: bucket,
        Key: key,
        ...(versionId !== undefined && { VersionId: versionId }),
      }),
    );
    return Object.fromEntries(TagSet.map(({ Key = '', Value = '' }) => [Key, Value]));
  };

  const tagged = (verdict: string, object: { bucket: string; key: string; versionId?: string | undefined }) =>
    eventually(
      async () => {
        const tags = await tagsOf(object.bucket, object.key, object.versionId);
        return tags['sallyport-verdict'] === verdict ? tags : undefined;
      },
      { timeoutMs: WAIT_MS, what: `the tag "${verdict}" on ${object.key}` },
    );

  /** The rows of a key, once none of them waits. */
  const settled = (bucket: string, key: string, count = 1) =>
    eventually(
      async () => {
        const rows = await rowsOf(bucket, key);
        return rows.length >= count && rows.every(({ verdict }) => verdict !== 'pending') ? rows : undefined;
      },
      { timeoutMs: WAIT_MS, what: `${count} settled rows of ${key}` },
    );

  const reviewOf = (bucket: string, key: string, verdict: string) =>
    eventually(
      async () => {
        const row = (await rowsOf(bucket, key)).find((one) => one.verdict === verdict);
        return row?.openReviewId ?? undefined;
      },
      { timeoutMs: WAIT_MS, what: `a review of ${key}` },
    );

  const decide = (reviewId: string, outcome: 'release' | 'delete') =>
    setting().service.api(`/api/v1/reviews/${reviewId}/decide`, {
      method: 'POST',
      body: { outcome, reason: 'looked at it' },
    });

  const isThere = (bucket: string, key: string) =>
    setting()
      .s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))
      .then(
        () => true,
        (error: { $metadata?: { httpStatusCode?: number } }) => {
          if (error.$metadata?.httpStatusCode === 404) return false;
          throw error;
        },
      );

  declare(
    "an upload is scanned, and its verdict stands beside the uploader's tags",
    async () => {
      const object = await upload('first.txt', 'Nothing to see here.\n', { tagging: 'owner=alice' });
      const tags = await tagged(setting().harmless, object);
      expect(tags['owner']).toBe('alice');
      expect(Date.parse(tags['sallyport-scanned-at'] ?? '')).not.toBeNaN();
      const [row] = await settled(object.bucket, object.key);
      expect(row).toMatchObject({ verdict: setting().harmless, eTag: object.eTag });
    },
    2 * WAIT_MS,
  );

  declare(
    'a verdict that the uploader claims is replaced',
    async () => {
      const { key, body, verdict } = uploadNumber(11);
      const object = await upload(`claimed/${key}`, body, { tagging: 'sallyport-verdict=clean' });
      const [row] = await settled(object.bucket, object.key);
      expect(row?.verdict).toBe(verdict);
      expect(verdict).not.toBe('clean');
    },
    2 * WAIT_MS,
  );

  declare(
    'an upload in parts is scanned as a whole',
    async () => {
      const { s3, prefix } = setting();
      const target = { Bucket: any(), Key: `${prefix}parts.bin` };
      const { UploadId } = await s3.send(new CreateMultipartUploadCommand(target));
      const Parts = [];
      for (const [index, body] of [Buffer.alloc(5 * 1024 * 1024, '.'), Buffer.from('the end')].entries()) {
        const part = { ...target, UploadId, PartNumber: index + 1, Body: body };
        const { ETag } = await s3.send(new UploadPartCommand(part));
        Parts.push({ PartNumber: index + 1, ETag });
      }
      await s3.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }));
      await setting().tell?.(target.Bucket, target.Key);
      await tagged(setting().harmless, { bucket: target.Bucket, key: target.Key });
    },
    2 * WAIT_MS,
  );

  declare(
    'an object of no bytes gets its verdict',
    async () => {
      const object = await upload('empty.bin', '');
      const [row] = await settled(object.bucket, object.key);
      await tagged(row?.verdict ?? '', object);
      expect(['clean', 'incomplete']).toContain(row?.verdict);
    },
    2 * WAIT_MS,
  );

  declare(
    'a copied object is scanned, and the tag that came along is replaced',
    async () => {
      const source = await upload('original.txt', 'Copy me.\n');
      await tagged(setting().harmless, source);
      const key = `${setting().prefix}copied to.txt`;
      await setting().s3.send(
        new CopyObjectCommand({
          Bucket: source.bucket,
          Key: key,
          CopySource: `${source.bucket}/${source.key}`,
        }),
      );
      await setting().tell?.(source.bucket, key);
      const before = (await tagsOf(source.bucket, source.key))['sallyport-scanned-at'];
      const [row] = await settled(source.bucket, key);
      expect(row?.verdict).toBe(setting().harmless);
      await eventually(
        async () => {
          const now = (await tagsOf(source.bucket, key))['sallyport-scanned-at'];
          return now !== undefined && now !== before;
        },
        { timeoutMs: WAIT_MS, what: 'a tag of its own on the copy' },
      );
    },
    3 * WAIT_MS,
  );

  if (options.quarantines !== false) {
    declare(
      'malware is moved to quarantine and comes back when a person releases it',
      async () => {
        const { body } = uploadNumber(3);
        const object = await upload('released/invoice 14 (final).zip', body, { tagging: 'owner=alice' });
        const review = await reviewOf(object.bucket, object.key, 'infected');
        expect(await isThere(object.bucket, object.key)).toBe(false);
        await decide(review, 'release');
        const tags = await tagged('infected', { bucket: object.bucket, key: object.key });
        expect(tags['owner']).toBe('alice');
        const { Body } = await setting().s3.send(
          new GetObjectCommand({ Bucket: object.bucket, Key: object.key }),
        );
        expect(Buffer.from((await Body?.transformToByteArray()) ?? [])).toEqual(body);
        // Our own write is no upload: its event opens no second review, and it stays where it is.
        await settled(object.bucket, object.key);
        await upload('released/afterwards.txt', 'later').then((later) => tagged(setting().harmless, later));
        expect((await rowsOf(object.bucket, object.key)).filter((row) => row.openReviewId !== null)).toEqual(
          [],
        );
        expect(await isThere(object.bucket, object.key)).toBe(true);
      },
      4 * WAIT_MS,
    );

    declare(
      'a secret is moved to quarantine and deleted when a person says so',
      async () => {
        const { body } = uploadNumber(7);
        const object = await upload('deleted/settings.ini', body);
        const review = await reviewOf(object.bucket, object.key, 'secrets');
        expect(await isThere(object.bucket, object.key)).toBe(false);
        await decide(review, 'delete');
        await eventually(
          async () => {
            const rows = await rowsOf(object.bucket, object.key);
            // Where no event tells of the deletion, the ledger learns of it from the next look only.
            const isTold = setting().tell !== undefined || rows.every((row) => row.deletedAt !== null);
            return isTold && rows.every((row) => row.openReviewId === null);
          },
          { timeoutMs: WAIT_MS, what: 'the end of the review' },
        );
        expect(await isThere(object.bucket, object.key)).toBe(false);
      },
      4 * WAIT_MS,
    );
  }

  if (has('versioned')) {
    declare(
      'every version is scanned and tagged as what it is',
      async () => {
        const bucket = named(setting().versioned);
        const versions = [];
        for (const body of ['first', 'second, longer', 'third, the longest']) {
          versions.push(await upload('versions.txt', body, { bucket }));
        }
        const rows = await settled(bucket, versions[0]?.key ?? '', 3);
        expect(new Set(rows.map(({ versionId }) => versionId))).toEqual(
          new Set(versions.map(({ versionId }) => versionId)),
        );
        for (const version of versions) await tagged(setting().harmless, version);
      },
      3 * WAIT_MS,
    );
  }

  if (has('plain')) {
    declare(
      'of uploads that follow each other in a bucket without versions, the last one gets its own verdict',
      async () => {
        const bucket = named(setting().plain);
        // Malware first and something harmless above it: whoever acts on the wrong one moves the wrong one away.
        const { body } = uploadNumber(3);
        for (let round = 0; round < 5; round += 1) {
          const key = `overwritten/${round}.zip`;
          await upload(key, body, { bucket });
          const last = await upload(key, `harmless, round ${round}`, { bucket });
          await tagged(setting().harmless, { bucket, key: last.key });
          const rows = await settled(bucket, last.key);
          expect(rows.find(({ eTag }) => eTag === last.eTag)?.verdict).toBe(setting().harmless);
        }
      },
      6 * WAIT_MS,
    );
  }

  declare(
    'an object that is deleted before its scan is gone, and nothing waits',
    async () => {
      const objects = [];
      for (let round = 0; round < 5; round += 1) {
        const object = await upload(`deleted before/${round}.txt`, `short-lived ${round}`);
        const { versionId } = object;
        await setting().s3.send(
          new DeleteObjectCommand({
            Bucket: object.bucket,
            Key: object.key,
            ...(versionId !== undefined && { VersionId: versionId }),
          }),
        );
        objects.push(object);
      }
      for (const { bucket, key } of objects) {
        const [row] = await settled(bucket, key);
        expect(['gone', setting().harmless]).toContain(row?.verdict);
      }
    },
    3 * WAIT_MS,
  );

  declare(
    'the doctor proves rights and events, and leaves nothing behind',
    async () => {
      const { service, s3, versioned, plain } = setting();
      const buckets = [versioned, plain].filter((bucket) => bucket !== undefined);
      const asked = buckets.map((bucket) => ({ bucket }));
      const { diagnoses } = await service.api<{ diagnoses: Diagnosis[] }>('/api/v1/doctor', {
        method: 'POST',
        body: { waitSeconds: 30, buckets: asked },
      });
      // Whether clean can be said here is not this test's question.
      expect(diagnoses.filter(({ status, check }) => status === 'fail' && check !== 'clamd')).toEqual([]);
      for (const bucket of buckets) {
        const of = (check: string) =>
          diagnoses.filter((one) => one.check === check && one.subject.endsWith(`/${bucket}`));
        expect(of('permissions').map(({ status }) => status)).toEqual(['ok']);
        expect(of('events').map(({ status }) => status)).toEqual(['ok']);
        const { KeyCount } = await s3.send(
          new ListObjectsV2Command({ Bucket: bucket, Prefix: '.sallyport/' }),
        );
        expect(KeyCount).toBe(0);
        const query = new URLSearchParams({ bucket, prefix: '.sallyport/' });
        expect(await service.all(`/api/v1/objects?${query.toString()}`)).toEqual([]);
      }
    },
    2 * WAIT_MS,
  );

  for (const [name, key] of Object.entries(ODD_KEYS)) {
    declare(
      `the key ${name} is scanned and tagged`,
      async () => {
        const object = await upload(fitting(key, setting().prefix), `bytes of ${name}`);
        await tagged(setting().harmless, object);
        expect((await settled(object.bucket, object.key))[0]?.verdict).toBe(setting().harmless);
      },
      2 * WAIT_MS,
    );
  }
}
