import type { Instant } from '../clock.js';
import type { Queryable } from '../database/queryable.js';

/** What people had to decide in a period. Times are ISO 8601. */
export interface ReviewBalance {
  readonly opened: number;
  readonly decided: number;
  readonly openAtEnd: number;
  readonly oldestOpenSince: string | null;
}

const iso = (at: string | number): string => new Date(Number(at)).toISOString();

/** Reviews opened and decided in [from, to), and those open when the period ended. */
export async function reviewBalance(db: Queryable, from: Instant, to: Instant): Promise<ReviewBalance> {
  const [row] = await db.query<{ opened: string; decided: string; open: string; oldest: string | null }>(
    `SELECT count(*) FILTER (WHERE created_at >= $1 AND created_at < $2) AS opened,
            count(*) FILTER (WHERE decided_at >= $1 AND decided_at < $2) AS decided,
            count(*) FILTER (WHERE created_at < $2 AND coalesce(decided_at, cancelled_at, $2) >= $2) AS open,
            min(created_at) FILTER (WHERE created_at < $2 AND coalesce(decided_at, cancelled_at, $2) >= $2) AS oldest
     FROM review`,
    [from, to],
  );
  const oldest = row?.oldest ?? null;
  return {
    opened: Number(row?.opened ?? 0),
    decided: Number(row?.decided ?? 0),
    openAtEnd: Number(row?.open ?? 0),
    oldestOpenSince: oldest === null ? null : iso(oldest),
  };
}
