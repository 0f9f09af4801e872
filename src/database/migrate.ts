import pg from 'pg';
import { ConfigError, Unavailable } from '../errors.js';
import { createDataSource } from './data-source.js';

// Any constant works as long as every process uses the same one.
const MIGRATION_LOCK = 7_205_759_403;

const MINIMUM_SERVER_VERSION = 150_000;

/**
 * Brings the schema up to date. Safe when several processes start at once: one migrates, the others wait.
 *
 * @throws ConfigError for a PostgreSQL older than 15; Unavailable when it does not answer.
 */
export async function migrate(url: string): Promise<void> {
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
    } finally {
      await source.destroy();
    }
  } finally {
    await lock.end();
  }
}
