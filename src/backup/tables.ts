import { UNFINISHED_RESTORE } from '../database/migrate.js';
import type { Queryable } from '../database/queryable.js';

/** A table as a backup keeps it: its columns but those that PostgreSQL computes, in their order. */
export interface TableColumns {
  readonly name: string;
  readonly columns: readonly string[];
}

export interface Constraint {
  readonly table: string;
  readonly name: string;
  readonly definition: string;
}

/** Every table of ours that outlives a crash of PostgreSQL, by name. The migrations' own is told by their names. */
export async function tablesOf(db: Queryable): Promise<TableColumns[]> {
  const rows = await db.query<{ name: string; columns: string[] }>(
    `SELECT c.relname AS name,
            array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.attgenerated = '') AS columns
       FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relpersistence = 'p'
        AND c.relname NOT IN ('schema_migration', '${UNFINISHED_RESTORE}')
      GROUP BY c.relname ORDER BY c.relname`,
  );
  return rows;
}

/** What rows need not keep to while they are loaded: foreign keys, and what was never asked of older rows (NOT VALID). */
export const lateConstraintsOf = (db: Queryable): Promise<Constraint[]> =>
  db.query<{ table: string; name: string; definition: string }>(
    `SELECT conrelid::regclass::text AS table, quote_ident(conname) AS name, pg_get_constraintdef(oid) AS definition
       FROM pg_constraint WHERE (contype = 'f' OR NOT convalidated) AND connamespace = 'public'::regnamespace ORDER BY 1, 2`,
  );

/** Names of the migrations that the database has seen, in their order; none where there is no schema yet. */
export async function schemaOf(db: Queryable): Promise<string[]> {
  const [table] = await db.query<{ there: boolean }>(
    `SELECT to_regclass('public.schema_migration') IS NOT NULL AS there`,
  );
  if (table?.there !== true) return [];
  const rows = await db.query<{ name: string }>('SELECT name FROM schema_migration ORDER BY id');
  return rows.map(({ name }) => name);
}

/** How every value is written and read, whatever the role or the server prefers. */
export const EXACT_TEXT = `SET LOCAL search_path = public; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres';
  SET LOCAL TimeZone = 'UTC'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex';
  SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0`;

export const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');

/** PostgreSQL's time in milliseconds since 1970; there is no service whose clock could be asked. */
export const NOW = '(extract(epoch FROM clock_timestamp()) * 1000)::bigint';
