import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { canEnter, type Account } from './account.js';
import { PostgresCannotStart } from './postgres-cannot-start.js';

/** Where the files of one embedded PostgreSQL lie. */
export interface Location {
  /** The folder that the account owns and initdb works in. */
  readonly clusterDirectory: string;
  /** PostgreSQL's own data directory, inside it. */
  readonly dataDirectory: string;
}

const Pointer = z.object({ clusterDirectory: z.string() });

/** Used by root alone, for what the unprivileged account must be able to reach. */
export const SYSTEM_DIRECTORY = '/var/lib/sallyport';

/**
 * Where the data already lies, or undefined before the first start.
 *
 * Normally inside `directory`; `location.json` says where when that was out of the account's reach.
 */
export function existingLocation(directory: string): Location | undefined {
  const pointer = join(directory, 'location.json');
  if (existsSync(pointer)) {
    const { clusterDirectory } = Pointer.parse(JSON.parse(readFileSync(pointer, 'utf8')));
    if (!existsSync(clusterDirectory)) {
      throw new PostgresCannotStart(
        'damaged',
        `The PostgreSQL data of ${directory} should lie in ${clusterDirectory}, which is gone. ` +
          `Restore it from a backup, or delete ${directory} to begin empty.`,
      );
    }
    return at(clusterDirectory);
  }
  const inside = at(join(directory, 'cluster'));
  return existsSync(inside.dataDirectory) ? inside : undefined;
}

/**
 * Makes the folder for a new cluster, owned by the account.
 *
 * Root's own folders are usually closed to everybody else (a clone in /root is), and then the data goes below
 * `systemDirectory`, and `location.json` says so.
 */
export function makeLocation(directory: string, account: Account, systemDirectory: string): Location {
  if (account.uid === undefined || canEnter(account, directory)) {
    const inside = at(join(directory, 'cluster'));
    own(inside.clusterDirectory, account);
    return inside;
  }
  const elsewhere = at(join(systemDirectory, `postgres-${randomBytes(6).toString('hex')}`));
  try {
    mkdirSync(systemDirectory, { recursive: true, mode: 0o755 });
    own(elsewhere.clusterDirectory, account);
  } catch (error) {
    throw new PostgresCannotStart(
      'unreachable',
      `PostgreSQL must not run as root, and the user ${account.name} can enter neither ${directory} nor ${systemDirectory}. ` +
        'Start Sallyport as an ordinary user, or set SALLYPORT_HOME to a folder that everybody may enter.',
      { cause: error },
    );
  }
  if (!canEnter(account, elsewhere.clusterDirectory)) {
    throw new PostgresCannotStart(
      'unreachable',
      `PostgreSQL must not run as root, and the user ${account.name} can enter neither ${directory} nor ${systemDirectory}. ` +
        'Start Sallyport as an ordinary user, or set SALLYPORT_HOME to a folder that everybody may enter.',
    );
  }
  const pointer = { clusterDirectory: elsewhere.clusterDirectory };
  writeFileSync(join(directory, 'location.json'), `${JSON.stringify(pointer)}\n`, { mode: 0o600 });
  return elsewhere;
}

const at = (clusterDirectory: string): Location => ({
  clusterDirectory,
  dataDirectory: join(clusterDirectory, 'data'),
});

function own(path: string, account: Account): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
  if (account.uid !== undefined && account.gid !== undefined) chownSync(path, account.uid, account.gid);
}
