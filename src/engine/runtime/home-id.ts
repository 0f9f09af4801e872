import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const FILE = 'home-id';

/**
 * The lasting name of an installation: made once and kept in its home directory, so that the next start there knows
 * which leases were its own. A home holds one live process at a time; the launcher's lock sees to that.
 */
export async function homeIdOf(home: string): Promise<string> {
  const path = join(home, FILE);
  await mkdir(home, { recursive: true });
  try {
    // Fails when it exists: two first starts at once settle on one name.
    await writeFile(path, randomUUID(), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  return (await readFile(path, 'utf8')).trim();
}
