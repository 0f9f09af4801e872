import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { startS3Endpoint } from '../src/embedded/s3/endpoint.js';
import { eventually } from '../test/support/eventually.js';
import { ServiceProcess } from '../test/support/service-process.js';
import { randomFrom, readOptions, report, SIZE_AND_SEED } from './proof.js';
import { check } from './uploads/check.js';
import { startFaultProxy } from './uploads/fault-proxy.js';
import { Deliveries, PLAIN, VERSIONED, Workload } from './uploads/workload.js';

/*
 * Uploads, overwrites and deletions whose events come twice, late and in any order, while the service is killed with
 * SIGKILL and S3 is busy, refuses, hangs up and dribbles. Every version must end with exactly one verdict, the right one;
 * none may be lost, and no stale event may have the last word.
 */

const SIZES = {
  small: { rounds: 3, steps: 60, keys: 40, events: 0, kills: 1 },
  full: { rounds: 20, steps: 290, keys: 1200, events: 10_000, kills: 5 },
} as const;
const CLIENTS = 8;
const SETTLE_MS = 30 * 60_000;
const KEYS = { accessKeyId: 'SOAKKEYID', secretAccessKey: 'a-secret-of-the-soak' };

/** For `--help`. */
export const help = SIZE_AND_SEED;

/** @returns whether it held. */
export async function prove(args: readonly string[]): Promise<boolean> {
  const options = readOptions(args);
  const size = SIZES[options.size];
  const random = randomFrom(options.seed);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  say(`uploads: ${size.rounds} rounds of ${size.steps} steps, ${size.kills} kills, seed ${options.seed}`);
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-uploads-'));
  chmodSync(folder, 0o711);
  const began = performance.now();
  let deliveries: Deliveries | undefined;
  const endpoint = await startS3Endpoint({
    directory: join(folder, 's3'),
    port: 0,
    ...KEYS,
    onEvent: (message) => Promise.resolve(deliveries?.add(message)),
  });
  await endpoint.createBucket(VERSIONED, { versioning: true });
  await endpoint.createBucket(PLAIN);
  const proxy = await startFaultProxy(endpoint.url, random);
  const s3 = new S3Client({
    endpoint: endpoint.url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: KEYS,
  });
  const service = await ServiceProcess.on(join(folder, 'home'), {
    S3_ENDPOINT: proxy.url,
    S3_FORCE_PATH_STYLE: 'true',
    S3_BUCKETS: `${VERSIONED},${PLAIN}`,
    ACTION_MODE: 'tag',
    AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
    LOG_LEVEL: 'error',
  });
  try {
    await service.start();
    deliveries = new Deliveries(random, service.url, service.credentials.eventsToken);
    const workload = new Workload(s3, random, size.keys);
    let restarts = 0;
    for (let round = 0; round < size.rounds; round += 1) {
      const steps = Array.from({ length: size.steps }, () => undefined);
      // One after another: what S3 acknowledged last is what stands.
      for (const _ of steps) await workload.step();
      const isKilled = Math.floor(((round + 1) * size.kills) / size.rounds) > restarts;
      // A part stays behind, so that events of one round come after those of the next.
      const delivering = deliveries.deliver(round === size.rounds - 1 ? 0 : 200, CLIENTS);
      if (isKilled) {
        await delay(random() * 1500);
        await service.kill();
        await service.start();
        restarts += 1;
      }
      await delivering;
      say(`round ${round + 1}: ${deliveries.delivered} events delivered${isKilled ? ', killed once' : ''}`);
    }
    // The endpoint's own delivery is a moment behind its last answer.
    await delay(1000);
    await deliveries.deliver(0, CLIENTS);
    await settled(service);
    const account = await check(service, s3, workload, (bucket, key) =>
      proxy.denied.has(
        new URL(`/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`, proxy.url).pathname,
      ),
    );
    const { problems, verdicts, rows } = account;
    const figures = {
      puts: workload.puts.length,
      eventsDelivered: deliveries.delivered,
      kills: restarts,
      faults: Object.fromEntries(proxy.faults),
      ledgerRows: rows,
      verdicts,
      problems: problems.slice(0, 20),
    };
    const passed =
      problems.length === 0 && deliveries.delivered >= size.events && restarts === size.kills && rows > 0;
    report('uploads', options, (performance.now() - began) / 1000, figures, passed);
    if (!passed) process.stderr.write(`${service.printed.slice(-4000)}\n`);
    return passed;
  } finally {
    await service.stop();
    await proxy.close();
    s3.destroy();
    await endpoint.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Until nothing is pending and every scan that has not ended waits for a person: what it decides it has also done. */
async function settled(service: ServiceProcess): Promise<void> {
  await eventually(
    async () => {
      await delay(500);
      const { counts } = await service.api<{ counts: Record<string, number> }>('/api/v1/objects/summary');
      if ((counts['pending'] ?? 0) > 0) return false;
      const running = await service.api<{ totalHits: number }>(
        `/api/workflow/search?size=1&query=${encodeURIComponent("workflowType = 'scan_upload' AND status = 'RUNNING'")}`,
      );
      const reviews = await service.all('/api/v1/reviews');
      return running.totalHits === reviews.length;
    },
    { timeoutMs: SETTLE_MS, what: 'every upload has its verdict' },
    // The check says of each version what is missing.
  ).catch(
    (error: unknown) => void process.stderr.write(`${String(error)}: ${String((error as Error).cause)}\n`),
  );
}
