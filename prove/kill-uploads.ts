import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { eventually } from '../test/support/eventually.js';
import { ServiceProcess } from '../test/support/service-process.js';
import { uploadNumber, type Upload } from '../test/support/uploads.js';
import { randomFrom, readOptions, report } from './proof.js';

/*
 * Uploads while the service is killed with SIGKILL at random moments, and now and then its PostgreSQL with it. Each
 * upload that was acknowledged must end with exactly one verdict, the right one, and each finding with exactly one review.
 */

const SIZES = { small: { uploads: 24, kills: 3 }, full: { uploads: 200, kills: 20 } } as const;
const SETTLE_MS = 180_000;
const RETRY_MS = 100;

interface ObjectRow {
  readonly id: string;
  readonly key: string;
  readonly versionId: string | null;
  readonly verdict: string;
  readonly workflowId: string | null;
}

interface Acknowledged extends Upload {
  readonly versionId: string;
}

/** @returns whether it held. */
export async function prove(args: readonly string[]): Promise<boolean> {
  const options = readOptions(args);
  const { uploads, kills } = SIZES[options.size];
  process.stdout.write(`kill-uploads: ${uploads} uploads, ${kills} kills, seed ${options.seed}\n`);
  // The service makes its home inside, with the rights that it wants.
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-kill-'));
  chmodSync(folder, 0o711);
  const home = join(folder, 'home');
  const service = await ServiceProcess.on(home);
  const began = performance.now();
  try {
    await service.start();
    const acknowledged: Acknowledged[] = [];
    const done = { uploading: false };
    const uploading = uploadAll(service, uploads, acknowledged).finally(() => (done.uploading = true));
    const restarts = await killAtRandom(
      service,
      kills,
      uploads,
      acknowledged,
      randomFrom(options.seed),
      done,
    );
    await uploading;
    const problems = await check(service, acknowledged);
    const seconds = (performance.now() - began) / 1000;
    const figures = {
      uploads: acknowledged.length,
      kills: restarts.length,
      databaseKills: restarts.filter(({ database }) => database).length,
      slowestRestartMs: Math.round(Math.max(...restarts.map(({ milliseconds }) => milliseconds))),
      finalVerdicts: acknowledged.length - problems.length,
      problems: problems.slice(0, 20),
    };
    const passed = problems.length === 0 && acknowledged.length === uploads && restarts.length === kills;
    report('kill-uploads', options, seconds, figures, passed);
    if (!passed) process.stderr.write(`${service.printed.slice(-4000)}\n`);
    return passed;
  } finally {
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Four clients at a time; a PUT that was not acknowledged is sent again, as every S3 client does. */
async function uploadAll(
  service: ServiceProcess,
  count: number,
  acknowledged: Acknowledged[],
): Promise<void> {
  let next = 0;
  const client = async (): Promise<void> => {
    const s3 = service.s3();
    while (next < count) {
      const upload = uploadNumber(next);
      next += 1;
      const versionId = await eventually(
        async () => {
          try {
            return (
              await s3.send(new PutObjectCommand({ Bucket: 'uploads', Key: upload.key, Body: upload.body }))
            ).VersionId;
          } catch {
            // The service is down or went down under the request; only an answer counts.
            await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
            return undefined;
          }
        },
        { timeoutMs: SETTLE_MS, what: `upload of ${upload.key}` },
      );
      acknowledged.push({ ...upload, versionId });
      // Spread over the kills instead of being through before the first.
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    s3.destroy();
  };
  await Promise.all(Array.from({ length: 4 }, client));
}

async function killAtRandom(
  service: ServiceProcess,
  kills: number,
  uploads: number,
  acknowledged: readonly unknown[],
  random: () => number,
  done: { uploading: boolean },
): Promise<{ milliseconds: number; database: boolean }[]> {
  const restarts: { milliseconds: number; database: boolean }[] = [];
  for (let kill = 0; kill < kills; kill += 1) {
    // After the next slice of uploads, and then up to a second later: between commits, in scans, in starts.
    const target = Math.min(uploads - 1, Math.floor((uploads * (kill + 0.5)) / kills));
    await eventually(() => done.uploading || acknowledged.length >= target, {
      timeoutMs: SETTLE_MS,
      what: `${target} uploads`,
    });
    await new Promise((resolve) => setTimeout(resolve, random() * 1000));
    const database = random() < 0.25;
    await service.kill();
    if (database) killPostmaster(service.home);
    restarts.push({ milliseconds: await service.start(), database });
  }
  return restarts;
}

/** `kill -9` of the embedded PostgreSQL, found by its own pid file. */
function killPostmaster(home: string): void {
  const { pid } = JSON.parse(readFileSync(join(home, 'postgres', 'postmaster.json'), 'utf8')) as {
    pid: number;
  };
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // Already gone is what was wanted.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Every way in which what was acknowledged is not told right; empty when all is well. */
async function check(service: ServiceProcess, acknowledged: readonly Acknowledged[]): Promise<string[]> {
  let rows: ObjectRow[] = [];
  await eventually(
    async () => {
      rows = await service.all<ObjectRow>('/api/v1/objects?prefix=load/');
      const seen = new Set(
        rows.filter(({ verdict }) => verdict !== 'pending').map((row) => `${row.key}\n${row.versionId}`),
      );
      return (
        rows.every(({ verdict }) => verdict !== 'pending') &&
        acknowledged.every((upload) => seen.has(`${upload.key}\n${upload.versionId}`))
      );
    },
    { timeoutMs: SETTLE_MS, what: 'every upload has its verdict' },
  ).catch(() => undefined);
  const problems: string[] = [];
  for (const upload of acknowledged) {
    const mine = rows.filter((row) => row.key === upload.key && row.versionId === upload.versionId);
    const [row] = mine;
    if (row === undefined || mine.length !== 1) problems.push(`${upload.key}: ${mine.length} ledger rows`);
    else if (row.verdict !== upload.verdict)
      problems.push(`${upload.key}: ${row.verdict} instead of ${upload.verdict}`);
    else problems.push(...(await checkStory(service, row)));
  }
  return problems;
}

async function checkStory(service: ServiceProcess, row: ObjectRow): Promise<string[]> {
  const story = await service.api<{ verdicts: unknown[] }>(`/api/v1/objects/${row.id}`);
  if (story.verdicts.length !== 1) return [`${row.key}: ${story.verdicts.length} verdicts`];
  if (row.verdict === 'incomplete') return [];
  const reviews = await eventually(
    async () => {
      const found = await service.api<{ items: unknown[] }>(`/api/v1/reviews?workflowId=${row.workflowId}`);
      return found.items.length > 0 ? found.items : undefined;
    },
    { timeoutMs: 30_000, what: `a review of ${row.key}` },
  ).catch(() => []);
  return reviews.length === 1 ? [] : [`${row.key}: ${reviews.length} reviews`];
}
