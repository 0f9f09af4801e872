import { UNFINISHED_RESTORE } from '../database/migrate.js';
import type { Queryable } from '../database/queryable.js';
import { ConfigError } from '../errors.js';

// A node tells each few seconds that it lives.
const ALIVE_MS = 60_000;

interface Standing {
  readonly tables: number;
  readonly isHalf: boolean;
  readonly isOurs: boolean;
  readonly others: number;
}

/**
 * Nothing is replaced under somebody's feet, and nothing but Sallyport's own.
 *
 * @throws ConfigError with what would be lost.
 */
export async function refuseToReplace(db: Queryable, discardsExisting: boolean): Promise<void> {
  const { tables, isHalf, isOurs, others } = await standing(db);
  if (others > 0)
    throw new ConfigError(
      `${others} connections of Sallyport are open to this database: a service, or another restore, works with it. Stop it first.`,
    );
  if (isHalf || tables === 0) return;
  if (!isOurs)
    throw new ConfigError(
      `This database holds ${tables} tables, and they are not Sallyport's. Name an empty one in DATABASE_URL.`,
    );
  await refuseLive(db);
  if (discardsExisting) return;
  throw new ConfigError(
    `This database is not empty: it holds ${await contentOf(db)}. Name an empty one, or say --discard-existing: then all of that is lost.`,
  );
}

async function standing(db: Queryable): Promise<Standing> {
  const [row] = await db.query<{ tables: number; is_half: boolean; is_ours: boolean; others: number }>(
    `SELECT (SELECT count(*)::int FROM pg_class WHERE relnamespace = 'public'::regnamespace
              AND relkind IN ('r', 'p', 'v', 'm', 'f') AND relname <> '${UNFINISHED_RESTORE}') AS tables,
            to_regclass('public.${UNFINISHED_RESTORE}') IS NOT NULL AS is_half,
            to_regclass('public.schema_migration') IS NOT NULL AND to_regclass('public.audit_event') IS NOT NULL AS is_ours,
            (SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database()
              AND application_name LIKE 'sallyport%' AND pid <> pg_backend_pid()) AS others`,
  );
  if (row === undefined) throw new Error('PostgreSQL did not say what the database holds');
  return { tables: row.tables, isHalf: row.is_half, isOurs: row.is_ours, others: row.others };
}

/** Connections of another role do not tell their name. */
async function refuseLive(db: Queryable): Promise<void> {
  const [row] = await db.query<{ live: number }>(
    `SELECT count(*)::int AS live FROM node WHERE heartbeat_at > (extract(epoch FROM clock_timestamp()) * 1000) - $1`,
    [ALIVE_MS],
  );
  if ((row?.live ?? 0) === 0) return;
  throw new ConfigError(
    `${row?.live ?? 0} nodes told within the last minute that they work with this database. Stop them, and wait a minute.`,
  );
}

async function contentOf(db: Queryable): Promise<string> {
  const [row] = await db.query<{ events: string; objects: string; reviews: string; last: string | null }>(
    `SELECT (SELECT count(*) FROM audit_event) AS events, (SELECT max(at) FROM audit_event) AS last,
            (SELECT count(*) FROM object_version) AS objects, (SELECT count(*) FROM review) AS reviews`,
  );
  const until = row?.last == null ? '' : `, the last of ${new Date(Number(row.last)).toISOString()}`;
  return `${row?.objects ?? 0} objects, ${row?.reviews ?? 0} reviews and ${row?.events ?? 0} audit events${until}`;
}

/** Drops everything in the schema but the mark. */
export async function clearDatabase(db: Queryable): Promise<void> {
  const things = await db.query<{ statement: string }>(
    `SELECT 'DROP TABLE IF EXISTS ' || oid::regclass || ' CASCADE' AS statement FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> '${UNFINISHED_RESTORE}'
     UNION ALL
     SELECT 'DROP FUNCTION IF EXISTS ' || p.oid::regprocedure || ' CASCADE' FROM pg_proc p
      WHERE p.pronamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')`,
  );
  for (const { statement } of things) await db.query(statement);
  await db.query(`TRUNCATE public.${UNFINISHED_RESTORE}`);
}
