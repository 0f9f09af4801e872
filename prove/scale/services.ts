import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Login } from '../../bench/engine/check.js';
import { median } from '../../bench/engine/statistics.js';
import { eventually } from '../../test/support/eventually.js';
import { ServiceProcess } from '../../test/support/service-process.js';
import type { CleanUp } from './clean-up.js';
import type { Scratch } from './cluster.js';

const READY_WITHIN_MS = 120_000;
const READY_EVERY_MS = 10;

/** The built service as it ships, on one of the proof's databases. */
export async function serviceOn(
  database: Scratch,
  folder: string,
  name: string,
  login: Login,
  cleanUp: CleanUp,
): Promise<ServiceProcess> {
  const service = await ServiceProcess.on(join(folder, name), {
    DATABASE_URL: database.url,
    // The bench's program, which works on the same database later, derives its key alike.
    SALLYPORT_KEY: Buffer.alloc(32, login.keySecret).toString('base64'),
  });
  cleanUp.add(() => service.stop());
  return service;
}

/** Starts it. @returns milliseconds from the process's start until it says that it is ready. */
export async function untilReady(service: ServiceProcess): Promise<number> {
  const began = performance.now();
  const ready = eventually(
    async () => {
      const { ok } = await fetch(`${service.url}/health/ready`);
      if (!ok) await delay(READY_EVERY_MS);
      return ok && performance.now() - began;
    },
    { timeoutMs: READY_WITHIN_MS, what: '/health/ready' },
  );
  const [milliseconds] = await Promise.all([ready, service.start()]);
  return milliseconds;
}

/** Resident memory of each, looked at by turns: the median, in MiB. */
export async function memoryOf(
  services: readonly ServiceProcess[],
  looks: number,
  everyMs: number,
): Promise<readonly number[]> {
  const seen = services.map((): number[] => []);
  for (let look = 0; look < looks; look += 1) {
    await delay(everyMs);
    services.forEach(({ pid }, index) => seen[index]?.push(residentMebibytes(pid ?? -1)));
  }
  return seen.map(median);
}

function residentMebibytes(pid: number): number {
  if (process.platform === 'linux') {
    const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kibibytes) / 1024;
  }
  const answer = spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8', timeout: 5_000 });
  return Number(answer.stdout.trim()) / 1024;
}
