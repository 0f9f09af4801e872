import { execFile } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import type { Account } from './account.js';
import { CLEAN_ENVIRONMENT, ids, type Binaries } from './binaries.js';
import { ADMIN, DATABASE, OWNER, urlOf, type Credentials } from './credentials.js';
import { diagnose } from './diagnose.js';
import { messageOf } from './error-facts.js';
import type { Location } from './location.js';
import { PostgresCannotStart } from './postgres-cannot-start.js';

const run = promisify(execFile);

// A fresh cluster takes 40 MB and its first write-ahead log as much again.
const NEEDED_BYTES = 200 * 1024 * 1024;

/**
 * Makes a new cluster. It gets its final name only when it is whole, so an interrupted first start leaves nothing that
 * a second one would take for a database.
 */
export async function initialise(
  binaries: Binaries,
  account: Account,
  location: Location,
  credentials: Credentials,
  isDurable: boolean,
): Promise<void> {
  const { clusterDirectory, dataDirectory } = location;
  const disk = statfsSync(clusterDirectory);
  if (disk.bavail * disk.bsize < NEEDED_BYTES) throw diagnose('No space left on device', { dataDirectory });
  const unfinished = join(clusterDirectory, 'initialising');
  rmSync(unfinished, { recursive: true, force: true });
  const secrets = mkdtempSync(join(clusterDirectory, 'secret-'));
  try {
    const passwordFile = join(secrets, 'password');
    writeFileSync(passwordFile, credentials.adminPassword, { mode: 0o600 });
    giveTo(account, secrets, passwordFile);
    await run(
      binaries.initdb,
      [
        ['-D', unfinished, '-U', ADMIN, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'],
        ['--encoding=UTF8', '--no-locale', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
        ['--no-instructions', ...(isDurable ? [] : ['--no-sync'])],
      ].flat(),
      { ...ids(account), cwd: '/', env: CLEAN_ENVIRONMENT, timeout: 120_000, maxBuffer: 1024 * 1024 },
    );
    renameSync(unfinished, dataDirectory);
  } catch (error) {
    if (error instanceof PostgresCannotStart) throw error;
    throw diagnose(outputOf(error), { dataDirectory: clusterDirectory });
  } finally {
    rmSync(secrets, { recursive: true, force: true });
  }
}

/** Makes the service's own user and database where they are missing; a start that was cut short is completed so. */
export async function ensureDatabase(port: number, credentials: Credentials): Promise<void> {
  const client = new Client({
    connectionString: urlOf(ADMIN, credentials.adminPassword, port, 'postgres'),
    connectionTimeoutMillis: 10_000,
  });
  await client.connect();
  try {
    const { rows } = await client.query<{ has_role: boolean; has_database: boolean }>(
      `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1) AS has_role,
              EXISTS (SELECT FROM pg_database WHERE datname = $2) AS has_database`,
      [OWNER, DATABASE],
    );
    // Always set: the password in the file is the one that counts. It is made of URL-safe characters, no quotes.
    const verb = rows[0]?.has_role === true ? 'ALTER' : 'CREATE';
    await client.query(`${verb} ROLE ${OWNER} LOGIN PASSWORD '${credentials.password}'`);
    if (rows[0]?.has_database !== true) await client.query(`CREATE DATABASE ${DATABASE} OWNER ${OWNER}`);
  } finally {
    await client.end();
  }
}

/** What initdb complained of, or why it could not even run. */
function outputOf(error: unknown): string {
  const printed = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  return printed === '' ? messageOf(error) : printed;
}

function giveTo(account: Account, ...paths: string[]): void {
  if (account.uid === undefined || account.gid === undefined) return;
  for (const path of paths) chownSync(path, account.uid, account.gid);
}

/** Whether a cluster is there. */
export const isInitialised = (location: Location): boolean =>
  existsSync(join(location.dataDirectory, 'PG_VERSION'));
