import { Client, escapeIdentifier, Pool, type QueryResultRow } from 'pg';
import { afterAll, inject } from 'vitest';
import type { TestServer } from './global-setup.js';

/** A migrated database of one test file's own. */
export interface TestDatabase {
  /** Logs in as the user that owns the schema, as the service does. */
  readonly url: string;
  /** The superuser on the same database (on a server lent by DATABASE_URL_TEST: the same user as `url`). */
  readonly adminUrl: string;
  /** Runs one statement as the owner. */
  query<Row extends QueryResultRow = Record<string, unknown>>(
    text: string,
    values?: unknown[],
  ): Promise<Row[]>;
  /** Empties every table but those that the migrations filled, which get those rows back. Call it between tests. */
  truncate(): Promise<void>;
}

let mine: Promise<TestDatabase> | undefined;

/**
 * The database of this test file: cloned from the migrated template at the first call, dropped by the next file of the
 * same worker. Nothing that a test does to it is seen by another file.
 */
export function testDatabase(): Promise<TestDatabase> {
  return (mine ??= makeClone('t'));
}

/** One more clone, for tests that need two databases at once or an empty one of a known name; `name` is [a-z0-9_]. */
export function anotherDatabase(name: string): Promise<TestDatabase> {
  return makeClone(name);
}

/** A database with nothing in it, as the role that owns it gets it from an administrator. */
export function emptyDatabase(name: string): Promise<TestDatabase> {
  return makeClone(name, 'template0');
}

async function makeClone(name: string, template?: string): Promise<TestDatabase> {
  const server: TestServer = inject('testServer');
  if (server.problem !== undefined)
    throw new Error(`The migrations failed, so there is no test database: ${server.problem}`);
  const run = server.template.split('_').at(-1);
  const database = `sallyport_test_${run}_${process.env.VITEST_POOL_ID ?? '0'}_${name}`;
  const admin = new Client({ connectionString: server.adminUrl });
  await admin.connect();
  try {
    await admin.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
    const owner = escapeIdentifier(decodeURIComponent(new URL(server.ownerUrl).username));
    await admin.query(`CREATE DATABASE ${database} TEMPLATE ${template ?? server.template} OWNER ${owner}`);
  } finally {
    await admin.end();
  }
  const url = withDatabase(server.ownerUrl, database);
  const adminUrl = withDatabase(server.adminUrl, database);
  const pool = new Pool({ connectionString: url, max: 2, allowExitOnIdle: true });
  // The database may be dropped by force while a connection idles here.
  pool.on('error', () => undefined);
  afterAll(() => pool.end());
  return {
    url,
    adminUrl,
    query: async <Row extends QueryResultRow>(text: string, values: unknown[] = []) =>
      (await pool.query<Row>(text, values)).rows,
    truncate: () => truncate(adminUrl),
  };
}

const DEADLOCK_DETECTED = '40P01';

async function truncate(adminUrl: string): Promise<void> {
  const admin = new Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    const { rows } = await admin.query<{ name: string; seeded: boolean }>(
      `SELECT t.tablename AS name, s.tablename IS NOT NULL AS seeded
         FROM pg_tables t LEFT JOIN pg_tables s ON s.schemaname = 'test_seed' AND s.tablename = t.tablename
        WHERE t.schemaname = 'public' AND t.tablename <> 'schema_migration'`,
    );
    if (rows.length === 0) return;
    const tables = rows.map(({ name }) => `public.${escapeIdentifier(name)}`).join(', ');
    const restore = rows
      .filter(({ seeded }) => seeded)
      .map(({ name }) => escapeIdentifier(name))
      .map((table) => `INSERT INTO public.${table} OVERRIDING SYSTEM VALUE SELECT * FROM test_seed.${table};`)
      .join('\n');
    // Append-only tables refuse TRUNCATE by trigger; in this mode triggers and foreign keys rest.
    const empty = `BEGIN; SET LOCAL session_replication_role = replica;
       TRUNCATE ${tables} RESTART IDENTITY CASCADE;
       ${restore}
       COMMIT;`;
    // Every table is locked, in no order that a service which some test keeps running beside it knows: either of the
    // two may be PostgreSQL's victim of a deadlock, and does its work again.
    for (let attempt = 1; ; attempt++) {
      try {
        await admin.query(empty);
        return;
      } catch (error) {
        if (attempt === 5 || (error as { code?: string }).code !== DEADLOCK_DETECTED) throw error;
        await admin.query('ROLLBACK');
      }
    }
  } finally {
    await admin.end();
  }
}

function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
