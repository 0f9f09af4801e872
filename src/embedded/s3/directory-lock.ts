import { readFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from './error-code.js';
import { DirectoryInUse } from './store-errors.js';

/**
 * Claims a directory for this process, so that a second start does not write into the same journal.
 *
 * The claim is a file with the process's id and start time; one left by a killed process does not hold,
 * even if another program has got its id since. Returns what gives the claim up. Throws `DirectoryInUse`.
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const path = join(directory, 'lock');
  const mine = claim(process.pid);
  const held = await readFile(path, 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return '';
    throw error;
  });
  const pid = Number(held.split(' ')[0]);
  if (held !== '' && held !== mine && isAlive(pid) && claim(pid) === held)
    throw new DirectoryInUse(directory, pid);
  await writeFile(path, mine, { mode: 0o600 });
  return () => rm(path, { force: true });
}

const claim = (pid: number): string => `${pid} ${statOf(pid)?.startedAt ?? '-'}`;

/** What the kernel says of a process, where there is one to ask. */
function statOf(pid: number): { readonly state: string; readonly startedAt: string } | undefined {
  try {
    // The second field is the program's name in brackets, which may itself hold spaces and brackets.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return { state: fields[0] ?? '', startedAt: fields[19] ?? '-' };
  } catch {
    return undefined; // Not Linux, or gone: the id alone has to do.
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  // Killed, and not yet collected by its parent: it has its number and writes nothing any more.
  if (/^[ZX]$/i.test(statOf(pid)?.state ?? '')) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}
