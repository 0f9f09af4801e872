import pg, { escapeIdentifier } from 'pg';
import { ConfigError, Unavailable } from '../errors.js';
import { createDataSource } from './data-source.js';

// Any constant works as long as every process uses the same one.
const MIGRATION_LOCK = 7_205_759_403;

const MINIMUM_SERVER_VERSION = 150_000;

/** What the service only ever appends to. */
const APPEND_ONLY = ['audit_event', 'verdict'];

/**
 * Brings the schema up to date. Safe when several processes start at once: one migrates, the others wait.
 *
 * @param url of a role that may create tables.
 * @param serviceUrl of the role that the service works with; where it is another one it is granted what the service
 * needs, and cannot change what is only appended to.
 *
 * @throws ConfigError for a PostgreSQL older than 15; Unavailable when it does not answer.
 */
export async function migrate(url: string, serviceUrl: string = url): Promise<void> {
  const lock = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  try {
    await lock.connect();
  } catch (error) {
    throw new Unavailable(
      'postgresql',
      `PostgreSQL does not answer: ${(error as Error).message}. Check DATABASE_URL and that the server runs.`,
      { cause: error },
    );
  }
  try {
    const version = await lock.query<{ server_version_num: string }>('SHOW server_version_num');
    const number = Number(version.rows[0]?.server_version_num);
    if (number < MINIMUM_SERVER_VERSION) {
      throw new ConfigError(
        `DATABASE_URL: PostgreSQL 15 or newer is needed; this is ${Math.floor(number / 10_000)}.`,
      );
    }
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const source = await createDataSource(url);
    await source.initialize();
    try {
      await source.runMigrations({ transaction: 'each' });
      const service = userOf(serviceUrl);
      if (service !== userOf(url)) await grant(lock, service);
    } finally {
      await source.destroy();
    }
  } finally {
    await lock.end();
  }
}

const userOf = (url: string): string => decodeURIComponent(new URL(url).username);

async function grant(admin: pg.Client, role: string): Promise<void> {
  const service = escapeIdentifier(role);
  await admin.query(`
    GRANT USAGE ON SCHEMA public TO ${service};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${service};
    GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO ${service};
    REVOKE UPDATE, DELETE, TRUNCATE ON ${APPEND_ONLY.join(', ')} FROM ${service}`);
}
