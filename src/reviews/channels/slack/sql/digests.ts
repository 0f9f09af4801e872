import type { Instant } from '../../../../clock.js';
import type { Queryable } from '../../../../database/queryable.js';

/**
 * Takes the moment of a kind of digest: to one of all nodes, once. @returns when the one before was; `undefined` for
 * whoever comes too late, and for the very first, before which there is nothing to tell of.
 */
export async function takeDigestTime(tx: Queryable, kind: string, at: Instant): Promise<Instant | undefined> {
  await tx.query('INSERT INTO slack_digest_time (kind, at) VALUES ($1, $2) ON CONFLICT (kind) DO NOTHING', [
    kind,
    at,
  ]);
  const [last] = await tx.query<{ at: string }>(
    'SELECT at FROM slack_digest_time WHERE kind = $1 FOR UPDATE',
    [kind],
  );
  if (last === undefined || Number(last.at) >= at) return undefined;
  await tx.query('UPDATE slack_digest_time SET at = $2 WHERE kind = $1', [kind, at]);
  return Number(last.at);
}

/** Who decided how many reviews of these queues in [from, to), those with most first. */
export const decidersIn = (
  db: Queryable,
  asked: {
    readonly from: Instant;
    readonly to: Instant;
    readonly queues: readonly string[];
    readonly limit: number;
  },
): Promise<readonly { readonly name: string; readonly decided: number }[]> =>
  db.query(
    `SELECT coalesce(decided_by_name, decided_by) AS name, count(*)::int AS decided FROM review
      WHERE coalesce(decided_at, cancelled_at) >= $1 AND coalesce(decided_at, cancelled_at) < $2
        AND state = 'COMPLETED' AND queue = ANY ($3)
      GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT $4`,
    [asked.from, asked.to, asked.queues, asked.limit],
  );
