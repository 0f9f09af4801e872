import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../test/support/eventually.js';
import { ServiceProcess } from '../test/support/service-process.js';
import { killAtRandom, uploadAll, type Acknowledged } from './kill-uploads/chaos.js';
import { randomFrom, readOptions, report, SIZE_AND_SEED } from './proof.js';

/*
 * Uploads while the service is killed with SIGKILL at random moments, and now and then its PostgreSQL with it. Each
 * upload that was acknowledged must end with exactly one verdict, the right one, and each finding with exactly one review.
 */

const SIZES = { small: { uploads: 24, kills: 3 }, full: { uploads: 200, kills: 20 } } as const;
const SETTLE_MS = 180_000;

interface ObjectRow {
  readonly id: string;
  readonly key: string;
  readonly versionId: string | null;
  readonly verdict: string;
  readonly workflowId: string | null;
}

/** For `--help`. */
export const help = SIZE_AND_SEED;

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
    let isUploading = true;
    const uploading = uploadAll(service, { count: uploads, clients: 4 }, acknowledged).finally(
      () => (isUploading = false),
    );
    const restarts = await killAtRandom(service, {
      kills,
      uploads,
      random: randomFrom(options.seed),
      progress: () => (isUploading ? acknowledged.length : Infinity),
    });
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
