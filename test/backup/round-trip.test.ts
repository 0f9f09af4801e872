import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyOut } from '../../src/backup/copy-out.js';
import { tablesOf } from '../../src/backup/tables.js';
import { Database } from '../../src/database/database.js';
import { queryable } from '../../src/database/queryable.js';
import { copyIn } from '../../src/engine/postgres/inline-copy.js';
import { randomFrom } from '../../prove/proof.js';
import { emptyDatabase, testDatabase, type TestDatabase } from '../support/database.js';
import { Backups, lifeOn, type Life } from './backups.js';
import { fillEveryTable } from './fill-tables.js';

const backups = new Backups();
let source: TestDatabase;
let target: TestDatabase;
let admin: pg.Client;
let db: Database;
let life: Life;

beforeAll(async () => {
  source = await testDatabase();
  target = await emptyDatabase('target');
  admin = new pg.Client(source.adminUrl);
  await admin.connect();
  db = new Database(source.url);
  life = await lifeOn(db, backups.masterKey);
});
afterAll(async () => {
  await admin.end();
  await db.close();
});

/** Each row of a table as PostgreSQL writes it, in an order that both databases have. */
const rowsOf = async (database: TestDatabase, table: string): Promise<string[]> => {
  const rows = await database.query<{ row: string }>(
    `SELECT t::text AS row FROM public."${table}" t ORDER BY t::text COLLATE "C"`,
  );
  return rows.map(({ row }) => row);
};

// What a restore itself writes.
const OF_THE_RESTORE = new Set([
  'restoration',
  'app_session',
  'audit_chain',
  'audit_event',
  'outbox',
  'review_event',
]);

describe('a backup of a database in which every table has rows with odd values', () => {
  it('gives each row back as it was, and the schema with its keys, triggers and sequences', async () => {
    await life.record(40);
    await life.sequencer.turn();
    await life.record(1, 'user:bob');
    // Behind the events: what is put into their tables is no chain.
    expect(await fillEveryTable(admin, randomFrom(7))).toEqual([]);
    const { folder, manifest } = await backups.make(source.url);
    expect(manifest.chain).toMatchObject({ events: 40, waiting: 1, signedUpTo: 40 });
    const tables = await tablesOf(queryable(admin));
    expect(manifest.tables.map(({ name }) => name)).toEqual(tables.map(({ name }) => name));
    expect(manifest.tables.filter(({ rows }) => rows === 0).map(({ name }) => name)).toEqual([]);

    const { verification } = await backups.restore(folder, target.url);
    expect(verification).toMatchObject({ isWhole: true, events: 40, waiting: 1, checkpoints: 1 });
    for (const { name } of tables) {
      if (OF_THE_RESTORE.has(name)) continue;
      expect(await rowsOf(target, name), name).toEqual(await rowsOf(source, name));
    }
    for (const facts of [CONSTRAINTS, TRIGGERS, INDEXES, COLUMNS])
      expect(await target.query(facts), facts).toEqual(await source.query(facts));
    await expect(target.query('DELETE FROM audit_event')).rejects.toThrow(/append/);
    const [next] = await target.query<{ id: string }>(
      `INSERT INTO audit_event (at, actor, action, subject, data) VALUES (1, 'a', 'b', 'c', '{}') RETURNING id`,
    );
    // 41 of before, that the backup was made, and that it was restored: no number is given twice.
    const [last] = await source.query<{ last: string }>('SELECT max(id) AS last FROM audit_event');
    expect(Number(next?.id)).toBeGreaterThan(Number(last?.last));
  }, 120_000);

  it('is on record where it was made, with the head that it has', async () => {
    const { manifest } = await backups.make(source.url);
    const [made] = await source.query<{ data: Record<string, unknown> }>(
      `SELECT data FROM audit_event WHERE action = 'backup.made' ORDER BY id DESC LIMIT 1`,
    );
    const { at, chain } = manifest;
    expect(made?.data).toMatchObject({ at, chain: chain.id, events: chain.events, head: chain.head });
  });
});

describe('numbers of transactions', () => {
  it('stand in the columns alone that a restore gives others', async () => {
    const columns = await source.query(
      `SELECT table_name || '.' || column_name AS name FROM information_schema.columns
        WHERE table_schema = 'public' AND udt_name IN ('xid', 'xid8', 'pg_lsn', 'pg_snapshot', 'tid', 'oid') ORDER BY 1`,
    );
    expect(columns.map(({ name }) => name)).toEqual(['audit_chain.mark_xid', 'review_event.xid']);
  });
});

const CONSTRAINTS = `SELECT conrelid::regclass::text AS t, conname, pg_get_constraintdef(oid) AS def, convalidated
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2`;
const TRIGGERS = `SELECT tgrelid::regclass::text AS t, tgname, tgenabled FROM pg_trigger
  WHERE NOT tgisinternal ORDER BY 1, 2`;
const INDEXES = `SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1`;
const COLUMNS = `SELECT table_name, column_name, data_type, column_default, is_nullable FROM information_schema.columns
  WHERE table_schema = 'public' ORDER BY 1, ordinal_position`;

describe('any values that PostgreSQL takes', () => {
  const text = fc
    .string({ unit: 'binary', maxLength: 40 })
    .map((one) => one.toWellFormed().replaceAll('\0', ''));
  const row = fc.record({
    t: fc.option(text),
    b: fc.option(fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes))),
    a: fc.option(fc.array(fc.option(text), { maxLength: 4 })),
    n: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    f: fc.option(fc.double()),
    j: fc.option(
      fc.oneof(
        fc.bigInt().map(String),
        text.map((one) => `{ "a" :  ${JSON.stringify(one)}, "a": 9007199254740993.10 }`),
      ),
    ),
  });

  it('come back as they were', async () => {
    await admin.query(
      `CREATE TABLE public.odd (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, t text, b bytea, a text[], n bigint, f float8, j json, up text GENERATED ALWAYS AS (upper(t)) STORED);
       ALTER TABLE public.odd OWNER TO ${new URL(source.url).username};
       CREATE TABLE public.odd_copy (LIKE public.odd)`,
    );
    try {
      await fc.assert(
        fc.asyncProperty(
          fc.array(row, { minLength: 1, maxLength: 12 }),
          fc.integer({ min: 1, max: 300 }),
          async (rows, size) => {
            await admin.query('TRUNCATE public.odd, public.odd_copy');
            for (const { t, b, a, n, f, j } of rows)
              await admin.query('INSERT INTO public.odd (t, b, a, n, f, j) VALUES ($1, $2, $3, $4, $5, $6)', [
                t,
                b,
                a,
                n?.toString(),
                f,
                j,
              ]);
            const columns = 'id, t, b, a, n, f, j';
            const pieces: Buffer[] = [];
            for await (const { bytes } of copyOut(admin, `COPY public.odd (${columns}) TO STDOUT`, size))
              pieces.push(bytes);
            for (const bytes of pieces)
              await copyIn(admin, `COPY public.odd_copy (${columns}) FROM STDIN`, bytes);
            const {
              rows: [found],
            } = await admin.query<{ same: boolean; count: number }>(
              `SELECT count(*)::int AS count, bool_and((o.id, o.t, o.b, o.a, o.n, o.f, o.j::text) IS NOT DISTINCT FROM (c.id, c.t, c.b, c.a, c.n, c.f, c.j::text)) AS same
               FROM public.odd o JOIN public.odd_copy c USING (id)`,
            );
            expect(found).toEqual({ same: true, count: rows.length });
          },
        ),
        { numRuns: 60 },
      );
    } finally {
      await admin.query('DROP TABLE public.odd, public.odd_copy');
    }
  }, 60_000);
});
