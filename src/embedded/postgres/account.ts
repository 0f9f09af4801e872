import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { PostgresCannotStart } from './postgres-cannot-start.js';

/**
 * The account that PostgreSQL's programs run under; empty when they simply run as we do.
 *
 * Spread into the options of `spawn`: Node drops root's supplementary groups when it changes the uid.
 */
export interface Account {
  readonly name?: string;
  readonly uid?: number;
  readonly gid?: number;
}

// `postgres` first: where it exists nobody else's daemons share it, which is not true of `nobody`.
const UNPRIVILEGED = ['postgres', 'nobody'];

/**
 * Picks the account to run PostgreSQL under, which refuses to run as root.
 *
 * A data directory that exists already keeps its owner: another account could not read it. Otherwise root borrows an
 * account that is in the user database (a bare number is not enough: initdb looks its own name up).
 */
export function chooseAccount(dataDirectory: string): Account {
  const owner = ownerOf(dataDirectory);
  if (process.getuid?.() !== 0) {
    const me = process.getuid?.();
    if (owner !== undefined && me !== undefined && owner.uid !== me) {
      throw new PostgresCannotStart(
        'account',
        `The PostgreSQL data in ${dataDirectory} belongs to the user with id ${owner.uid}, and this process runs as id ${me}. ` +
          `Start it as that user, or give the folder to this one with: chown -R ${me} '${dataDirectory}'.`,
      );
    }
    return {};
  }
  if (owner !== undefined && owner.uid !== 0) {
    const name = accountName(owner.uid);
    if (name !== undefined) return { name, ...owner };
  }
  for (const name of UNPRIVILEGED) {
    const ids = lookUp(name);
    if (ids !== undefined && ids.uid !== 0) return { name, ...ids };
  }
  throw new PostgresCannotStart(
    'account',
    'PostgreSQL refuses to run as root, and this machine has neither a "postgres" nor a "nobody" user to run it as. ' +
      'Start Sallyport as an ordinary user, or set DATABASE_URL to a PostgreSQL of your own.',
  );
}

/** Whether the account can pass through every folder on the way into `directory`; asked of the kernel, not computed. */
export function canEnter(account: Account, directory: string): boolean {
  if (account.uid === undefined) return true;
  const probe = spawnSync('/bin/sh', ['-c', 'cd -- "$1"', 'sh', directory], {
    uid: account.uid,
    ...(account.gid === undefined ? {} : { gid: account.gid }),
    cwd: '/',
    env: {},
    stdio: 'ignore',
    timeout: 5_000,
  });
  return probe.status === 0;
}

function ownerOf(path: string): { uid: number; gid: number } | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && { uid: found.uid, gid: found.gid };
}

function lookUp(name: string): { uid: number; gid: number } | undefined {
  const uid = id(['-u', name]);
  const gid = id(['-g', name]);
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

const accountName = (uid: number): string | undefined => id(['-nu', String(uid)]);

/** `id` reads every user database there is (files, LDAP, the Mac's directory), which /etc/passwd alone would miss. */
function id(args: string[]): string | undefined {
  const answer = spawnSync('id', args, { encoding: 'utf8', timeout: 5_000 });
  return answer.status === 0 ? answer.stdout.trim() : undefined;
}
