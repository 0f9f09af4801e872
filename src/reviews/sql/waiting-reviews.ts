import { WAITING_STATES } from '../rules/review.js';
import type { Queryable } from '../../database/queryable.js';

/** What waits for people. */
export interface WaitingReviews {
  /** Nobody is on them. */
  readonly open: number;
  readonly claimed: number;
  /** Of the claimed: by whoever asks. */
  readonly mine: number;
  /** When the oldest of all was opened (ms). */
  readonly oldestAt: number | null;
}

/** What is counted at most, of each state: whoever has more waiting does not need the exact number. */
export const MOST_COUNTED = 10_000;

/** How many reviews wait, and since when; read through the index on the state. */
export async function waitingReviews(db: Queryable, personId: string): Promise<WaitingReviews> {
  const [row] = await db.query<WaitingReviews>(
    `SELECT (SELECT count(*) FROM (SELECT FROM review WHERE state = 'OPEN' LIMIT $2) o)::int AS open,
            c.claimed, c.mine,
            (SELECT min(oldest) FROM unnest($3::text[]) AS s(state), LATERAL
              (SELECT created_at AS oldest FROM review WHERE state = s.state ORDER BY created_at LIMIT 1) first)::float8
              AS "oldestAt"
       FROM (SELECT count(*)::int AS claimed, (count(*) FILTER (WHERE claimed_by = $1))::int AS mine
               FROM (SELECT claimed_by FROM review WHERE claimed_by IS NOT NULL LIMIT $2) held) c`,
    [personId, MOST_COUNTED, WAITING_STATES],
  );
  return row ?? { open: 0, claimed: 0, mine: 0, oldestAt: null };
}
