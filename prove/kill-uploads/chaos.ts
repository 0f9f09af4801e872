import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HeadObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { eventually } from '../../test/support/eventually.js';
import type { ServiceProcess } from '../../test/support/service-process.js';
import { uploadNumber, type Upload } from '../../test/support/uploads.js';

const PATIENCE_MS = 180_000;
const RETRY_MS = 100;

/** An upload that S3 answered with 200. */
export interface Acknowledged extends Upload {
  readonly versionId: string;
}

/** One kill: how long the next start took, and whether PostgreSQL was killed with the service. */
export interface Restart {
  readonly milliseconds: number;
  readonly database: boolean;
}

/**
 * Uploads files 0 to `count` - 1 from `clients` connections; a PUT that was not acknowledged is sent again, as every
 * S3 client does. Each is added to `acknowledged` when it is.
 */
export async function uploadAll(
  service: ServiceProcess,
  options: { readonly count: number; readonly clients: number; readonly pauseMs?: number },
  acknowledged: Acknowledged[],
): Promise<void> {
  let next = 0;
  const client = async (): Promise<void> => {
    const s3 = service.s3();
    while (next < options.count) {
      const upload = uploadNumber(next);
      next += 1;
      const versionId = await eventually(
        async () => {
          try {
            return await putOnce(s3, upload);
          } catch {
            // The service is down or went down under the request; only an answer counts.
            await pause(RETRY_MS);
            return undefined;
          }
        },
        { timeoutMs: PATIENCE_MS, what: `upload of ${upload.key}` },
      );
      acknowledged.push({ ...upload, versionId });
      // Spread over the kills instead of being through before the first.
      await pause(options.pauseMs ?? RETRY_MS);
    }
    s3.destroy();
  };
  await Promise.all(Array.from({ length: options.clients }, client));
}

/** What was stored before the connection broke is not stored again as a second version. */
async function putOnce(s3: S3Client, { key, body }: Upload): Promise<string | undefined> {
  const object = { Bucket: 'uploads', Key: key };
  try {
    return (await s3.send(new PutObjectCommand({ ...object, Body: body, IfNoneMatch: '*' }))).VersionId;
  } catch (error) {
    if ((error as Error).name !== 'PreconditionFailed') throw error;
    return (await s3.send(new HeadObjectCommand(object))).VersionId;
  }
}

/**
 * SIGKILL for the service, and for its PostgreSQL in a quarter of the cases: after the next slice of uploads, and then
 * up to a second later, so that it hits between commits, in scans, in starts.
 */
export async function killAtRandom(
  service: ServiceProcess,
  options: {
    readonly kills: number;
    readonly uploads: number;
    readonly random: () => number;
    /** Uploads that are acknowledged; Infinity once no more come. */
    readonly progress: () => number;
    readonly onKill?: (database: boolean) => void;
  },
): Promise<Restart[]> {
  const { kills, uploads, random, progress } = options;
  const restarts: Restart[] = [];
  for (let kill = 0; kill < kills; kill += 1) {
    const target = Math.min(uploads - 1, Math.floor((uploads * (kill + 0.5)) / kills));
    await eventually(() => progress() >= target, { timeoutMs: PATIENCE_MS, what: `${target} uploads` });
    await pause(random() * 1000);
    const database = random() < 0.25;
    await service.kill();
    if (database) killPostmaster(service.home);
    options.onKill?.(database);
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

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
