import type { Queryable } from '../../../database/queryable.js';
import type { Window } from '../estimate.js';

const WINDOW_MS = 10_000;
// Some minutes of a busy installation, and read by its primary key.
const VERDICTS = 5_000;

/** The latest verdicts of scans, counted in windows of ten seconds. */
export async function verdictWindows(db: Queryable): Promise<readonly Window[]> {
  const rows = await db.query<{ objects: number; bytes: number }>(
    `SELECT count(*)::int AS objects, sum(bytes_scanned)::float8 AS bytes
       FROM (SELECT at, bytes_scanned FROM verdict WHERE scan_id IS NOT NULL ORDER BY id DESC LIMIT $1) v
      GROUP BY at / $2`,
    [VERDICTS, WINDOW_MS],
  );
  return rows.map((row) => ({ ...row, seconds: WINDOW_MS / 1000 }));
}
