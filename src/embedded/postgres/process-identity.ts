import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { spawnSync } from 'node:child_process';
import { z } from 'zod';

/**
 * Names one process so that its number, taken by another one later, is not mistaken for it.
 *
 * A number means something only on one machine, in one boot, in one process namespace (a container has its own).
 */
export const ProcessIdentity = z.object({
  pid: z.int().positive(),
  host: z.string(),
  boot: z.string(),
  namespace: z.string(),
  startedAt: z.string(),
});
export type ProcessIdentity = Readonly<z.infer<typeof ProcessIdentity>>;

/** What is known of a process that somebody once wrote down: `unknown` when it cannot be seen from here. */
export type Liveness = 'alive' | 'gone' | 'unknown';

/** The identity of a process that runs now, or undefined when there is none with that number. */
export function identify(pid: number): ProcessIdentity | undefined {
  const startedAt = startTime(pid);
  return startedAt === undefined ? undefined : { pid, ...here(), startedAt };
}

/** Says whether exactly the process that was written down is still running. */
export function livenessOf(recorded: ProcessIdentity): Liveness {
  const now = here();
  if (recorded.host !== now.host) return 'unknown';
  if (recorded.boot !== now.boot) return 'gone';
  if (recorded.namespace !== now.namespace) return 'unknown';
  return startTime(recorded.pid) === recorded.startedAt ? 'alive' : 'gone';
}

/** Whether any process with this number runs. A zombie does not: it holds nothing any more. */
export const isRunning = (pid: number): boolean => startTime(pid) !== undefined;

function here(): { host: string; boot: string; namespace: string } {
  return {
    host: hostname(),
    boot: read('/proc/sys/kernel/random/boot_id') ?? 'unknown',
    namespace: link('/proc/self/ns/pid') ?? 'unknown',
  };
}

function startTime(pid: number): string | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  if (process.platform === 'linux') {
    // The command in brackets may itself hold spaces and brackets: count the fields after the last one.
    const fields = read(`/proc/${pid}/stat`)?.split(') ').at(-1)?.split(' ');
    if (fields === undefined || fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return fields[19];
  }
  const answer = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', timeout: 5_000 });
  return answer.status === 0 ? answer.stdout.trim() || undefined : undefined;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined; // Not Linux, or the process is gone: the caller's answer is the same.
  }
}

function link(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
