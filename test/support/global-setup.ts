import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, escapeIdentifier } from 'pg';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../src/embedded/postgres/start-embedded-postgres.js';
import { readPidFile } from '../../src/embedded/postgres/pid-file.js';
import { livenessOf, ProcessIdentity } from '../../src/embedded/postgres/process-identity.js';

/** What the workers are told about the one PostgreSQL of the run. */
export interface TestServer {
  /** Its user may make databases; on our own PostgreSQL it is the superuser. */
  readonly adminUrl: string;
  /** User that owns the clones, as in production; the admin itself on a server that was lent to us. */
  readonly ownerUrl: string;
  /** The migrated database that every worker clones. */
  readonly template: string;
  /** Why there is no migrated template, for the tests that need it; the others run all the same. */
  readonly problem?: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    testServer: TestServer;
  }
}

const PREFIX = 'sallyport-test-postgres-';

/**
 * Starts one PostgreSQL for the whole run and migrates one database in it, which each worker clones.
 *
 * `DATABASE_URL_TEST` lends us a server instead; its user must be allowed to make databases.
 */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const lent = process.env.DATABASE_URL_TEST;
  const server =
    lent === undefined ? await startOwn() : { adminUrl: lent, ownerUrl: lent, stop: async () => {} };
  const template = `sallyport_template_${process.pid}`;
  await asAdmin(server.adminUrl, async (admin) => {
    await admin.query(`DROP DATABASE IF EXISTS ${template}`);
    await admin.query(`CREATE DATABASE ${template} OWNER ${ownerOf(server.ownerUrl)}`);
  });
  const problem = await tryMigrate(
    withDatabase(server.ownerUrl, template),
    withDatabase(server.adminUrl, template),
  );
  const { adminUrl, ownerUrl } = server;
  project.provide('testServer', {
    adminUrl,
    ownerUrl,
    template,
    ...(problem === undefined ? {} : { problem }),
  });
  return async () => {
    if (lent !== undefined) await dropOurs(lent, template);
    await server.stop();
  };
}

async function startOwn(): Promise<{ adminUrl: string; ownerUrl: string; stop: () => Promise<void> }> {
  sweepAbandoned();
  const directory = mkdtempSync(join(places()[0] ?? tmpdir(), PREFIX));
  // Open to pass through: as root, PostgreSQL runs under another account.
  chmodSync(directory, 0o711);
  const postgres = await startEmbeddedPostgres({
    directory,
    isDurable: false,
    // Each worker's tests open pools of their own, and a crash test several services at once.
    settings: { max_connections: '200', shared_buffers: '128MB' },
  });
  return {
    adminUrl: postgres.adminUrl,
    ownerUrl: postgres.url,
    stop: async () => {
      await postgres.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const MEMORY = '/dev/shm';
// What the largest tests write, and as much again.
const ROOM_BYTES = 8 * 1024 ** 3;

/** Where the data may lie, the best first: in memory where there is room, since nothing of it outlives the run. */
function places(): string[] {
  if (!existsSync(MEMORY)) return [tmpdir()];
  const { bavail, bsize } = statfsSync(MEMORY);
  return bavail * bsize >= ROOM_BYTES ? [MEMORY, tmpdir()] : [tmpdir(), MEMORY];
}

/** Ends and removes what an earlier run left behind when it was killed; a run that goes on beside us is left alone. */
function sweepAbandoned(): void {
  const left = places().flatMap((place) =>
    readdirSync(place)
      .filter((entry) => entry.startsWith(PREFIX))
      .map((name) => join(place, name)),
  );
  for (const directory of left) {
    const lock = join(directory, 'lock.json');
    const server = join(directory, 'postmaster.json');
    if (!existsSync(lock) || livenessOf(identityIn(lock)) !== 'gone') continue;
    const pid = readPidFile(join(directory, 'cluster', 'data'))?.pid;
    if (pid !== undefined && existsSync(server)) {
      const recorded = identityIn(server);
      if (recorded.pid === pid && livenessOf(recorded) === 'alive') process.kill(pid, 'SIGQUIT');
    }
    rmSync(directory, { recursive: true, force: true });
  }
}

const identityIn = (path: string): ProcessIdentity =>
  ProcessIdentity.parse(JSON.parse(readFileSync(path, 'utf8')));

/**
 * Migrates the template and keeps a copy of what the migrations put into tables, for `truncate` to restore.
 *
 * A migration that fails is told to the tests that need a database, and spoils no others.
 */
async function tryMigrate(ownerUrl: string, adminUrl: string): Promise<string | undefined> {
  try {
    const { migrate } = await import('../../src/database/migrate.js');
    await migrate(ownerUrl);
    await asAdmin(adminUrl, keepSeeds);
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

async function keepSeeds(admin: Client): Promise<void> {
  await admin.query('CREATE SCHEMA test_seed');
  const { rows } = await admin.query<{ name: string }>(
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_migration'",
  );
  for (const { name } of rows) {
    const table = escapeIdentifier(name);
    const { rowCount } = await admin.query(`SELECT FROM public.${table} LIMIT 1`);
    if (rowCount !== 0) await admin.query(`CREATE TABLE test_seed.${table} AS TABLE public.${table}`);
  }
}

/** On a server that was lent to us, every database that this run made is dropped again. */
async function dropOurs(adminUrl: string, template: string): Promise<void> {
  await asAdmin(adminUrl, async (admin) => {
    const { rows } = await admin.query<{ datname: string }>(
      'SELECT datname FROM pg_database WHERE datname = $1 OR datname LIKE $2',
      [template, `sallyport_test_${process.pid}_%`],
    );
    for (const { datname } of rows) await admin.query(`DROP DATABASE IF EXISTS ${datname} WITH (FORCE)`);
  });
}

async function asAdmin(url: string, work: (admin: Client) => Promise<void>): Promise<void> {
  const admin = new Client({ connectionString: url });
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}

function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

const ownerOf = (url: string): string => escapeIdentifier(decodeURIComponent(new URL(url).username));
