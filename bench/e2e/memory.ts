import { readFileSync } from 'node:fs';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { Rig } from './rig.js';
import { atMost, figure, type Say } from './row.js';
import type { Row } from '../row.js';
import { allTagged, BUCKET, textOf } from './uploads.js';

const PART_BYTES = 64 * 1024 ** 2;
const LOOK_MS = 100;
const TIMEOUT_MS = 45 * 60_000;

/** What the service's memory does while one very large object is uploaded to it and scanned by it. */
export async function largeObjectMemory(rig: Rig, gigabytes: number, say: Say): Promise<Row[]> {
  // What every object of some size costs once is not what is asked here.
  await uploadAndWait(rig, 'memory/warm.txt', 4);
  const before = residentMebibytes(rig);
  let most = before;
  const looking = setInterval(() => (most = Math.max(most, residentMebibytes(rig))), LOOK_MS);
  const began = performance.now();
  try {
    await uploadAndWait(rig, 'memory/large.txt', Math.ceil((gigabytes * 1e9) / PART_BYTES));
  } finally {
    clearInterval(looking);
  }
  const grown = most - before;
  const seconds = (performance.now() - began) / 1000;
  say(`${figure(before)} MiB before, at most ${figure(most)} MiB; ${figure(seconds)} s`);
  return [
    {
      name: `growth of RSS on a ${gigabytes} GB object`,
      value: grown,
      unit: 'MiB',
      ...atMost(grown, 60),
      from: `from ${figure(before)} to ${figure(most)} MiB, upload and scan, looked at every ${LOOK_MS} ms; ${figure(seconds)} s`,
    },
  ];
}

async function uploadAndWait(rig: Rig, key: string, parts: number): Promise<void> {
  const s3 = rig.s3();
  try {
    await uploadInParts(s3, key, parts);
    await allTagged(rig, [key], TIMEOUT_MS);
  } finally {
    s3.destroy();
  }
}

async function uploadInParts(s3: S3Client, Key: string, count: number): Promise<void> {
  const target = { Bucket: BUCKET, Key };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(target));
  const Body = textOf(PART_BYTES);
  const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
  for (let PartNumber = 1; PartNumber <= count; PartNumber += 1) {
    const { ETag } = await s3.send(new UploadPartCommand({ ...target, UploadId, PartNumber, Body }));
    Parts.push({ PartNumber, ETag });
  }
  await s3.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }));
}

/** Of the service's own process, which holds the S3 endpoint too. */
function residentMebibytes(rig: Rig): number {
  const status = readFileSync(`/proc/${rig.service.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) / 1024;
}
