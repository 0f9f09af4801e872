import { setTimeout as pause } from 'node:timers/promises';
import pg, { escapeIdentifier } from 'pg';
import { DataSource, type QueryRunner } from 'typeorm';
import { ConfigError, Unavailable } from '../errors.js';
import type { Queryable } from './queryable.js';
import { connectionTo } from './connection.js';
import { dataSourceOptions, migrations, type MigrationClass } from './data-source.js';
import { checkServerVersion, explainRefusal } from './refusals.js';
import { remedyOf } from './trouble.js';

// Any constant works as long as every process uses the same one.
const MIGRATION_LOCK = 7_205_759_403;
const LOCK_EVERY_MS = 200;
// An index on a big table may take this long to build.
const LOCK_PATIENCE_MS = 3_600_000;

/*
 * A statement that waits for a table makes everybody who comes later wait behind it. So it gives up soon, and tries
 * again when what it waited for may be over.
 */
const TABLE_PATIENCE = '4s';
const TABLE_TRIES = 40;
const TABLE_PAUSE_MS = 1_000;

/*
 * Nodes of the first release cannot go on with a prepared statement whose table got another column: it fails on its
 * connection from then on. So what brings the schema from there to here ends their connections while it still holds
 * the tables: the statements are prepared again, on new ones, after it. Later nodes look after themselves.
 */
const LAST_UNDER_FIRST_RELEASE = 1_764_200_000_000;
const END_ENGINE_CONNECTIONS = `
  SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND application_name = 'sallyport-engine'
    AND (pg_has_role(usesysid, 'MEMBER') OR pg_has_role('pg_signal_backend', 'MEMBER'))`;

/** Made before a restore touches anything, dropped when it is whole: see `src/backup`. */
export const UNFINISHED_RESTORE = 'unfinished_restore';

/** What the service only ever appends to. */
const APPEND_ONLY = [
  'audit_event',
  'audit_link',
  'audit_checkpoint',
  'audit_anchor',
  'verdict',
  'report_file',
  'report_part',
];
/** What it takes away again, and never changes. */
const NEVER_CHANGED = ['audit_personal'];

/** The part of pino that migrating uses. */
export interface MigrateLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}

/** What was done to the schema, and what a newer version had done to it before. */
export interface Schema {
  readonly applied: readonly string[];
  /** Migrations that this version does not know. They only add, so it serves all the same. */
  readonly newer: readonly string[];
}

export interface MigrateOptions {
  /** Only these, by their names: a backup is restored into the schema that it was made of. */
  readonly only?: readonly string[] | undefined;
  /** A restore itself; everybody else keeps away from one that was cut short. */
  readonly isRestore?: boolean;
}

/**
 * Brings the schema up to date, while other versions go on serving. Safe when several processes start at once: one
 * migrates, the others wait; one that is killed in the middle leaves whole migrations behind, and the next goes on.
 *
 * Nothing is held over a session, so this works through PgBouncer in transaction mode too.
 *
 * @param url of a role that may create tables.
 * @param serviceUrl of the role that the service works with; where it is another one it is granted what the service
 * needs, and cannot change what is only appended to.
 *
 * @throws ConfigError for a PostgreSQL older than 15 or a URL that it refuses; Unavailable when it does not answer or
 * takes no changes.
 */
export async function migrate(
  url: string,
  serviceUrl: string = url,
  log?: MigrateLog,
  { only, isRestore = false }: MigrateOptions = {},
): Promise<Schema> {
  const service = userOf(serviceUrl) === userOf(url) ? undefined : userOf(serviceUrl);
  const classes = (await migrations()).filter(({ name }) => only === undefined || only.includes(name));
  const admin = await connect(url, service === undefined ? 'DATABASE_URL' : 'DATABASE_ADMIN_URL');
  try {
    await checkServer(admin, isRestore);
    const before = await compare(admin, classes);
    // The usual start: it waits for nobody, not even for a newer version that migrates at this moment.
    if (before.pending.length === 0 && (service === undefined || (await isGranted(admin, service)))) {
      return { applied: [], newer: before.newer };
    }
    await takeLock(admin, log);
    const { pending } = await compare(admin, classes);
    if (pending.length > 0) await withLock(admin, () => runAll(url, classes, log));
    if (service !== undefined) await grant(admin, service);
    await admin.query('COMMIT');
    return { applied: pending, newer: before.newer };
  } finally {
    await admin.end();
  }
}

async function connect(url: string, variable: string): Promise<pg.Client> {
  const client = new pg.Client({ ...connectionTo(url, variable), application_name: 'sallyport-migrate' });
  // Told by the statement that is under way, or by `withLock`.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    throw explainRefusal(error, variable);
  }
}

async function checkServer(admin: pg.Client, isRestore: boolean): Promise<void> {
  const { rows } = await admin.query<{ version: string; read_only: string; is_half: boolean }>(
    `SELECT current_setting('server_version_num') AS version, current_setting('transaction_read_only') AS read_only,
            to_regclass('${UNFINISHED_RESTORE}') IS NOT NULL AS is_half`,
  );
  checkServerVersion(Number(rows[0]?.version));
  if (rows[0]?.is_half === true && !isRestore)
    throw new ConfigError(
      'A restore into this database was cut short, so it holds only a part. Run it again: sallyport restore, with the same backup or another one; it begins anew by itself.',
    );
  if (rows[0]?.read_only === 'off') return;
  throw new Unavailable(
    'postgresql',
    `PostgreSQL is read-only, so nothing can be stored. ${remedyOf('read-only')}`,
  );
}

async function compare(
  admin: pg.Client,
  classes: readonly MigrationClass[],
): Promise<{ pending: readonly string[]; newer: readonly string[] }> {
  const known = classes.map(({ name }) => name);
  const table = await admin.query<{ there: boolean }>(
    `SELECT to_regclass('schema_migration') IS NOT NULL AS there`,
  );
  if (table.rows[0]?.there !== true) return { pending: known, newer: [] };
  const { rows } = await admin.query<{ name: string }>('SELECT name FROM schema_migration ORDER BY id');
  const done = new Set(rows.map(({ name }) => name));
  return {
    pending: known.filter((name) => !done.has(name)),
    newer: [...done].filter((name) => !known.includes(name)),
  };
}

/**
 * Opens the transaction that holds the lock. It asks again and again instead of waiting: a waiting statement has a
 * snapshot, and CREATE INDEX CONCURRENTLY in the process that migrates would wait for it to end.
 */
async function takeLock(admin: pg.Client, log: MigrateLog | undefined): Promise<void> {
  const deadline = performance.now() + LOCK_PATIENCE_MS;
  for (let tries = 0; performance.now() < deadline; tries++) {
    await admin.query(
      'BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0',
    );
    const { rows } = await admin.query<{ held: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS held', [
      MIGRATION_LOCK,
    ]);
    if (rows[0]?.held === true) return;
    await admin.query('ROLLBACK');
    if (tries === 0) log?.info({}, 'another process migrates the database; waiting for it');
    await pause(LOCK_EVERY_MS);
  }
  throw new Unavailable(
    'postgresql',
    'Another process has been migrating the database for an hour. Look at pg_stat_activity for application_name sallyport-migrate, end what hangs, and start again.',
  );
}

/** Keeps migrations away until the transaction ends. @throws Unavailable when one is under way. */
export async function holdMigrations(tx: Queryable): Promise<void> {
  const [row] = await tx.query<{ held: boolean }>('SELECT pg_try_advisory_xact_lock_shared($1) AS held', [
    MIGRATION_LOCK,
  ]);
  if (row?.held === true) return;
  throw new Unavailable(
    'postgresql',
    'The database is being migrated at this moment. Try again when that is done.',
  );
}

/** Rejects as soon as the lock is lost: then somebody else may be migrating. */
async function withLock(admin: pg.Client, work: () => Promise<void>): Promise<void> {
  let lose: (error: Error) => void = () => undefined;
  const lost = new Promise<never>((_, reject) => (lose = reject));
  const onLost = (): void =>
    lose(new Unavailable('postgresql', 'The connection broke while the database was migrated. Start again.'));
  admin.once('end', onLost);
  try {
    await Promise.race([work(), lost]);
  } finally {
    admin.removeListener('end', onLost);
    // What loses the race must not count as unhandled.
    lost.catch(() => undefined);
  }
}

async function runAll(
  url: string,
  classes: readonly MigrationClass[],
  log: MigrateLog | undefined,
): Promise<void> {
  const source = new DataSource({
    ...dataSourceOptions(url, classes.map(impatient)),
    poolSize: 2,
    applicationName: 'sallyport-migrate',
  });
  await source.initialize();
  try {
    for (let tries = 1; ; tries++) {
      try {
        await source.runMigrations({ transaction: 'each' });
        return;
      } catch (error) {
        if ((error as { code?: unknown }).code !== '55P03') throw error;
        if (tries === 1) log?.info({}, 'a table is in use; the migration waits for a quiet moment');
        if (tries >= TABLE_TRIES) throw inUse(error);
        await pause(TABLE_PAUSE_MS);
      }
    }
  } finally {
    await source.destroy();
  }
}

const inUse = (error: unknown): Unavailable =>
  new Unavailable(
    'postgresql',
    'A long transaction holds a table that must be migrated. Find it in pg_stat_activity (xact_start), end it, and start again.',
    { cause: error },
  );

/** The same migration, that waits only shortly for tables. One without a transaction looks after itself. */
function impatient(Migration: MigrationClass): MigrationClass {
  class Impatient extends Migration {
    override async up(db: QueryRunner): Promise<void> {
      if (db.isTransactionActive) {
        await db.query(`SET LOCAL lock_timeout = '${TABLE_PATIENCE}'`);
        await db.query('SET LOCAL statement_timeout = 0');
      }
      await super.up(db);
      if (db.isTransactionActive && timeOf(Migration) < LAST_UNDER_FIRST_RELEASE) {
        await db.query(END_ENGINE_CONNECTIONS);
      }
    }
  }
  // The name is what is recorded.
  Object.defineProperty(Impatient, 'name', { value: Migration.name });
  return Impatient;
}

const timeOf = ({ name }: MigrationClass): number => Number(/\d{13}$/.exec(name)?.[0]);

const userOf = (url: string): string => decodeURIComponent(new URL(url).username);

async function isGranted(admin: pg.Client, role: string): Promise<boolean> {
  const { rows } = await admin.query<{ missing: string }>(
    `SELECT count(*) AS missing FROM pg_tables
     WHERE schemaname = 'public' AND (to_regrole(quote_ident($1)) IS NULL
       OR NOT has_table_privilege(quote_ident($1)::regrole::oid, format('%I.%I', schemaname, tablename), 'INSERT'))`,
    [role],
  );
  return rows[0]?.missing === '0';
}

async function grant(admin: pg.Client, role: string): Promise<void> {
  const service = escapeIdentifier(role);
  await admin.query(`
    GRANT USAGE ON SCHEMA public TO ${service};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${service};
    GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO ${service};
    REVOKE UPDATE, DELETE, TRUNCATE ON ${APPEND_ONLY.join(', ')} FROM ${service};
    REVOKE UPDATE, TRUNCATE ON ${NEVER_CHANGED.join(', ')} FROM ${service}`);
}
