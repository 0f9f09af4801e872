import type { Instant } from '../../../clock.js';
import type { Queryable } from '../../../database/queryable.js';
import type { EngineVersion } from '../../../tasks/scan/engine-versions.js';

type Seen = Pick<EngineVersion, 'engine' | 'database'>;

/** `first`: no database of this engine was ever seen. `changed`: others were, this one not. */
export async function howKnown(
  db: Queryable,
  { engine, database }: Seen,
): Promise<'first' | 'changed' | 'known'> {
  const rows = await db.query<{ database: string }>(
    `SELECT database FROM engine_seen WHERE engine = $1 ORDER BY database = $2 DESC LIMIT 1`,
    [engine, database],
  );
  const [row] = rows;
  if (row === undefined) return 'first';
  return row.database === database ? 'known' : 'changed';
}

export const noteEngine = (db: Queryable, { engine, database }: Seen, at: Instant): Promise<unknown> =>
  db.query(
    `INSERT INTO engine_seen (engine, database, first_seen_at) VALUES ($1, $2, $3)
     ON CONFLICT (engine, database) DO NOTHING`,
    [engine, database, at],
  );

/** Whether objects were left incomplete for one of these reasons before that time. */
export async function hasLeftIncomplete(
  db: Queryable,
  reasons: readonly string[],
  before: Instant,
): Promise<boolean> {
  const rows = await db.query(
    `SELECT FROM object_version o JOIN verdict v ON v.id = o.verdict_id
      WHERE o.verdict = 'incomplete' AND o.folded_into IS NULL AND o.deleted_at IS NULL
        AND v.reason = ANY ($1) AND v.at < $2 LIMIT 1`,
    [reasons, before],
  );
  return rows.length > 0;
}
