import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';

/** `all`: every mail about reviews that ask somebody; `mine`: only what asks them by name or is given to them. */
export const MAIL_PREFERENCES = ['all', 'mine'] as const;
export type MailPreference = (typeof MAIL_PREFERENCES)[number];

/** @returns whether it was otherwise before. */
export async function setMailPreference(
  tx: Queryable,
  personId: string,
  wanted: MailPreference,
  now: Instant,
): Promise<boolean> {
  const rows =
    wanted === 'all'
      ? await tx.query('DELETE FROM mail_preference WHERE person_id = $1 RETURNING 1', [personId])
      : await tx.query(
          `INSERT INTO mail_preference (person_id, reviews, since) VALUES ($1, $2, $3)
           ON CONFLICT (person_id) DO NOTHING RETURNING 1`,
          [personId, wanted, now],
        );
  return rows.length > 0;
}

export async function mailPreference(db: Queryable, personId: string): Promise<MailPreference> {
  const rows = await db.query('SELECT 1 FROM mail_preference WHERE person_id = $1', [personId]);
  return rows.length > 0 ? 'mine' : 'all';
}

/** Who wants only what is theirs. */
export async function wantLessMail(db: Queryable): Promise<ReadonlySet<string>> {
  const rows = await db.query<{ person_id: string }>('SELECT person_id FROM mail_preference');
  return new Set(rows.map((row) => row.person_id));
}
