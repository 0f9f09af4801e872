import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';

/** An address that takes no mail, and since when it gets none. */
export interface MailSuspension {
  readonly email: string;
  readonly since: Instant;
  /** Of RFC 3463, as 5.1.1. */
  readonly status: string;
  readonly person: { readonly id: string; readonly name: string };
}

/** @returns whether it got mail until now. */
export async function suspendAddress(
  tx: Queryable,
  bounce: { email: string; status: string; at: Instant; person: { id: string; name: string } },
): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO mail_suspension (email, since, status, person_id, person_name) VALUES (lower($1), $2, $3, $4, $5)
     ON CONFLICT (email) DO NOTHING RETURNING 1`,
    [bounce.email, bounce.at, bounce.status, bounce.person.id, bounce.person.name],
  );
  return rows.length > 0;
}

export async function isSuspended(db: Queryable, email: string): Promise<boolean> {
  return (await db.query('SELECT 1 FROM mail_suspension WHERE email = lower($1)', [email])).length > 0;
}

/** @returns whose it is; `undefined` when it was not suspended. */
export async function resumeAddress(tx: Queryable, email: string): Promise<string | undefined> {
  const [row] = await tx.query<{ person_id: string }>(
    'DELETE FROM mail_suspension WHERE email = lower($1) RETURNING person_id',
    [email],
  );
  return row?.person_id;
}

const MOST_LISTED = 1000;

/** Newest first. */
export async function mailSuspensions(db: Queryable): Promise<MailSuspension[]> {
  const rows = await db.query<{
    email: string;
    since: string;
    status: string;
    person_id: string;
    person_name: string;
  }>('SELECT * FROM mail_suspension ORDER BY since DESC, email LIMIT $1', [MOST_LISTED]);
  return rows.map(({ email, since, status, person_id, person_name }) => ({
    email,
    since: Number(since),
    status,
    person: { id: person_id, name: person_name },
  }));
}
