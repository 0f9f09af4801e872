import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createIndexConcurrently } from '../../src/database/concurrent-index.js';
import { dataSourceOptions, migrations } from '../../src/database/data-source.js';
import { migrate } from '../../src/database/migrate.js';
import { anotherDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';

const MIGRATION_LOCK = 7_205_759_403;

describe('processes that start on one database', { timeout: 60_000 }, () => {
  let db: TestDatabase;
  let admin: Client;
  beforeEach(async () => {
    db = await anotherDatabase('starters');
    admin = new Client({ connectionString: db.adminUrl });
    await admin.connect();
  });
  afterEach(() => admin.end());

  const empty = async (): Promise<void> => {
    const owner = decodeURIComponent(new URL(db.url).username);
    await admin.query(`DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION "${owner}"`);
  };
  const names = async () => (await migrations()).map(({ name }) => name).sort();
  const recorded = async () =>
    (await admin.query<{ name: string }>('SELECT name FROM schema_migration')).rows
      .map(({ name }) => name)
      .sort();

  test('at once: one migrates, the others wait and find it done', async () => {
    await empty();
    const lines: string[] = [];
    const log = { info: (_: object, line: string) => lines.push(line), warn: () => undefined };
    const schemas = await Promise.all(Array.from({ length: 5 }, () => migrate(db.url, db.url, log)));
    expect(schemas.map(({ applied }) => applied.length).sort((a, b) => a - b)).toEqual([
      0,
      0,
      0,
      0,
      (await names()).length,
    ]);
    expect(await recorded()).toEqual(await names());
    expect(lines.filter((line) => line.includes('waiting for it'))).toHaveLength(4);
  });

  test('of which one is killed in the middle: another goes on where it was', async () => {
    await empty();
    const migrating = migrate(db.url).catch((error: unknown) => error);
    const done = async (): Promise<number> => {
      const { rows } = await admin.query<{ there: boolean }>(
        `SELECT to_regclass('public.schema_migration') IS NOT NULL AS there`,
      );
      return rows[0]?.there === true ? (await recorded()).length : 0;
    };
    while ((await done()) < 3);
    // What the kernel does when it ends a process: all its connections are gone.
    await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = 'sallyport-migrate' AND datname = current_database()`,
    );
    const first = await migrating;
    expect(first).toBeInstanceOf(Error);
    expect((await recorded()).length).toBeLessThan((await names()).length);
    const [second, third] = await Promise.all([migrate(db.url), migrate(db.url)]);
    expect(second.applied.length + third.applied.length).toBeLessThan((await names()).length);
    expect(await recorded()).toEqual(await names());
  });

  test('of an older version: it serves on a newer schema, says so, and waits for nobody who migrates', async () => {
    await admin.query(
      `INSERT INTO schema_migration (timestamp, name) VALUES (1, 'AddSomething2000000000000')`,
    );
    await admin.query('BEGIN; SELECT pg_advisory_xact_lock(7205759403)');
    expect(await migrate(db.url)).toEqual({ applied: [], newer: ['AddSomething2000000000000'] });
    await admin.query('ROLLBACK');
  });

  test('make way for whoever works: a table in use is asked for again, not waited for in its queue', async () => {
    await admin.query(`DELETE FROM schema_migration WHERE name = 'AddTraceparent1764150000000'`);
    await admin.query('ALTER TABLE workflow_payload DROP COLUMN traceparent');
    await admin.query('BEGIN; SELECT 1 FROM workflow_payload');
    const lines: string[] = [];
    const log = { info: (_: object, line: string) => lines.push(line), warn: () => undefined };
    const migrating = migrate(db.url, db.url, log);
    await eventually(() => lines.some((line) => line.includes('in use')), { timeoutMs: 20_000 });
    // While it pauses, and later too, a writer gets through within the patience of the migration.
    await db.query('INSERT INTO workflow_payload SELECT * FROM workflow_payload LIMIT 0');
    await admin.query('COMMIT');
    expect((await migrating).applied).toEqual(['AddTraceparent1764150000000']);
  });

  test('hold no lock afterwards', async () => {
    await empty();
    await migrate(db.url);
    const { rows } = await admin.query('SELECT pg_try_advisory_lock($1) AS free', [MIGRATION_LOCK]);
    expect(rows).toEqual([{ free: true }]);
    await admin.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
  });
});

test('an index is made beside writers, and again when an earlier try was cut short', async () => {
  const db = await anotherDatabase('indexes');
  const source = new DataSource(dataSourceOptions(db.adminUrl, []));
  await source.initialize();
  const runner = source.createQueryRunner();
  const valid = () =>
    db.query(`SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass('task_worker')`);
  try {
    await createIndexConcurrently(runner, 'task_worker', 'ON task (worker_id)');
    await createIndexConcurrently(runner, 'task_worker', 'ON task (worker_id)');
    expect(await valid()).toEqual([{ valid: true }]);
    await runner.query(`UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'task_worker'::regclass`);
    await createIndexConcurrently(runner, 'task_worker', 'ON task (worker_id)');
    expect(await valid()).toEqual([{ valid: true }]);
  } finally {
    await runner.release();
    await source.destroy();
  }
});
