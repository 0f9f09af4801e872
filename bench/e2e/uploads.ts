import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { GetObjectTaggingCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { eventually } from '../../test/support/eventually.js';
import type { ServiceProcess } from '../../test/support/service-process.js';
import type { Rig } from './rig.js';

export const BUCKET = 'uploads';
export const KILOBYTES_10 = 10_240;
export const MEGABYTES_10 = 10_000_000;
const VERDICT_TAG = 'sallyport-verdict';
const LOOK_MS = 100;

/** Text that no compressor, cache or clean-file list knows: each object differs from every other. */
export function textOf(bytes: number): Buffer {
  const unique = randomBytes(24).toString('base64url');
  // Nothing that a rule would look at twice, and no two objects the same.
  const line = `order ${unique} was packed at dock 7 and left with the noon truck; nothing to report.\n`;
  return Buffer.from(line.repeat(Math.ceil(bytes / line.length))).subarray(0, bytes);
}

/** While `work` uploads, nothing is scanned; what waits is worked off afterwards. */
export async function whilePaused<T>(service: ServiceProcess, work: () => Promise<T>): Promise<T> {
  const set = (to: 'pause' | 'resume') => service.api(`/api/v1/queue/${to}`, { method: 'POST', body: {} });
  await set('pause');
  try {
    return await work();
  } finally {
    await set('resume');
  }
}

/** Uploads `count` objects from `clients` connections. @returns their keys. */
export async function uploadMany(
  s3: S3Client,
  prefix: string,
  options: { readonly count: number; readonly bytes: number; readonly clients: number },
): Promise<string[]> {
  const keys = Array.from({ length: options.count }, (_, index) => `${prefix}/${index}.txt`);
  let next = 0;
  const client = async (): Promise<void> => {
    for (let key = keys[next++]; key !== undefined; key = keys[next++])
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: textOf(options.bytes) }));
  };
  await Promise.all(Array.from({ length: options.clients }, client));
  return keys;
}

/** The verdict that the object's tag says now. */
export async function tagOf(s3: S3Client, key: string): Promise<string | undefined> {
  const { TagSet = [] } = await s3.send(new GetObjectTaggingCommand({ Bucket: BUCKET, Key: key }));
  return TagSet.find((tag) => tag.Key === VERDICT_TAG)?.Value;
}

/** Waits until every object of the prefix is judged and acted upon; `atMs` since the epoch is when the last one was. */
export async function allTagged(
  { service, s3: client }: Pick<Rig, 'service' | 's3'>,
  keys: readonly string[],
  timeoutMs: number,
): Promise<number> {
  const s3 = client();
  try {
    const atMs = await eventually(
      async () => {
        // Asked all the time, it would itself be a good part of the load.
        await delay(LOOK_MS);
        const { counts } = await service.api<{ counts: Record<string, number> }>('/api/v1/objects/summary');
        if ((counts['pending'] ?? 0) > 0) return undefined;
        // What is judged last need not be tagged last; the newest hundred are looked at, all of them below.
        const tags = await Promise.all(keys.slice(-100).map((key) => tagOf(s3, key)));
        return tags.every((tag) => tag !== undefined) ? Date.now() : undefined;
      },
      { timeoutMs, what: `${keys.length} verdict tags` },
    );
    await everyTag(s3, keys);
    return atMs;
  } finally {
    s3.destroy();
  }
}

/** What the bench claims is read back from S3: an object without its tag makes the figure worthless. */
async function everyTag(s3: S3Client, keys: readonly string[]): Promise<void> {
  for (let start = 0; start < keys.length; start += 32) {
    const some = keys.slice(start, start + 32);
    const tags = await Promise.all(some.map((key) => tagOf(s3, key)));
    const missing = some.find((_, index) => tags[index] === undefined);
    if (missing !== undefined) throw new Error(`${missing} has no verdict tag`);
  }
}
