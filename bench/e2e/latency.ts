import { PutObjectCommand } from '@aws-sdk/client-s3';
import { eventually } from '../../test/support/eventually.js';
import type { Rig } from './rig.js';
import { atMost, beside, figure, type Say } from './row.js';
import type { Row } from '../row.js';
import { BUCKET, KILOBYTES_10, tagOf, textOf } from './uploads.js';
import { scanLoop } from './peer.js';
import { quantile } from '../engine/statistics.js';

const UPLOADS = 100;
const PAUSE_MS = 50;

/** From the answer to the PUT to the tag, one upload at a time: what somebody waits who wants to read the object. */
export async function latency(rig: Rig, say: Say): Promise<Row[]> {
  const s3 = rig.s3();
  const taken: number[] = [];
  const keys: string[] = [];
  try {
    for (let upload = -10; upload < UPLOADS; upload += 1) {
      const Key = `latency/${upload}.txt`;
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: textOf(KILOBYTES_10) }));
      const began = performance.now();
      await eventually(() => tagOf(s3, Key), { timeoutMs: 60_000, what: `the tag of ${Key}` });
      // The first ones warm up what every later one finds warm.
      if (upload >= 0) taken.push(performance.now() - began);
      if (upload >= 0) keys.push(Key);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    const loop = await scanLoop(rig, s3, keys, 1);
    taken.sort((a, b) => a - b);
    const [p50, p95] = [quantile(taken, 0.5), quantile(taken, 0.95)];
    say(
      `upload to tag, 10 KB, idle: p50 ${figure(p50)} ms, p95 ${figure(p95)} ms, most ${figure(taken.at(-1) ?? 0)} ms`,
    );
    const from = `${UPLOADS} uploads, one at a time, with clamd`;
    return [
      { name: 'upload to tag, 10 KB, idle: p50', value: p50, unit: 'ms', ...atMost(p50, 300), from },
      { name: 'upload to tag, 10 KB, idle: p95', value: p95, unit: 'ms', ...atMost(p95, 1000), from },
      {
        name: 'GET and clamd in a loop, 10 KB: each',
        value: 1000 / loop.perSecond,
        unit: 'ms',
        ...beside,
        from: 'the same objects, no event, no ledger, no tag',
      },
    ];
  } finally {
    s3.destroy();
  }
}
