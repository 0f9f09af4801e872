import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../test/support/eventually.js';
import { ServiceProcess } from '../test/support/service-process.js';

const MUST_MEBIBYTES = 300;
const SETTLE_MS = 20_000;
const SAMPLES = 5;
const SAMPLE_EVERY_MS = 2_000;

/**
 * Memory of everything that `npm start` starts (service with its S3 endpoint and mailbox, PostgreSQL; clamd apart) once
 * the samples are scanned and nothing happens: proportional set size, the median of five looks.
 */
export async function bench(args: readonly string[]): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-idle-'));
  chmodSync(folder, 0o711);
  const service = await ServiceProcess.on(join(folder, 'home'), { SEED_SAMPLES: 'true' });
  try {
    const readyMs = await service.start();
    await eventually(
      async () => {
        const { counts, total } = await service.api<{ counts: Record<string, number>; total: number }>(
          '/api/v1/objects/summary',
        );
        return total > 0 && (counts['pending'] ?? 0) === 0;
      },
      { timeoutMs: 60_000, what: 'every sample has its verdict' },
    );
    await delay(SETTLE_MS);
    const looks: { service: number; postgres: number }[] = [];
    for (let look = 0; look < SAMPLES; look += 1) {
      looks.push(measure(service));
      await delay(SAMPLE_EVERY_MS);
    }
    const median = (values: number[]): number =>
      values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
    const ours = median(looks.map((look) => look.service));
    const postgres = median(looks.map((look) => look.postgres));
    const total = ours + postgres;
    const ok = total <= MUST_MEBIBYTES;
    process.stdout.write(
      `service with S3 and mailbox ${ours.toFixed(0)} MiB, PostgreSQL ${postgres.toFixed(0)} MiB, together ${total.toFixed(0)} MiB (must be at most ${MUST_MEBIBYTES})\n`,
    );
    process.stdout.write(`first start, from the process to the banner: ${(readyMs / 1000).toFixed(1)} s\n`);
    if (args.includes('--json')) {
      const measures = [
        { name: 'idle memory', value: Math.round(total), unit: 'MiB', must: `<= ${MUST_MEBIBYTES}`, ok },
      ];
      process.stdout.write(`${JSON.stringify({ measures })}\n`);
    }
    return ok;
  } finally {
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function measure(service: ServiceProcess): { service: number; postgres: number } {
  const postmaster = (
    JSON.parse(readFileSync(join(service.home, 'postgres', 'postmaster.json'), 'utf8')) as { pid: number }
  ).pid;
  const postgres = new Set(treeOf(postmaster));
  const ours = treeOf(service.pid ?? -1).filter((pid) => !postgres.has(pid));
  const sum = (pids: Iterable<number>): number =>
    [...pids].reduce((total, pid) => total + proportionalMebibytes(pid), 0);
  return { service: sum(ours), postgres: sum(postgres) };
}

/** A process and all below it. */
function treeOf(top: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const parent = parentOf(entry);
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const below = (pid: number): number[] => [pid, ...(children.get(pid) ?? []).flatMap(below)];
  return below(top);
}

function parentOf(pid: string): number | undefined {
  try {
    // The name in parentheses may hold anything; what follows the last one is fixed.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ');
    return Number(fields?.[1]);
  } catch {
    // It ended between the listing and the look.
    return undefined;
  }
}

function proportionalMebibytes(pid: number): number {
  try {
    const [, kibibytes] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
    return Number(kibibytes ?? 0) / 1024;
  } catch {
    // It ended between the listing and the look.
    return 0;
  }
}
