import type { Queryable } from '../database/queryable.js';
import { Conflict } from '../errors.js';

/*
 * Changes of people, groups and grants are few: they are made one after the other, so that each sees what the ones before
 * it did. Two admins who disable each other at the same time would otherwise leave none.
 */

/** To be called first in the transaction. */
export async function lockAccess(tx: Queryable): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtext('sallyport.access'))`);
}

const ADMINS = `
  SELECT 1 FROM app_user u
  WHERE NOT u.disabled AND u.password_hash LIKE 'scrypt$%'
    AND ('admin' = ANY (u.roles) OR EXISTS (
      SELECT 1 FROM access_group_member m JOIN access_group g ON g.id = m.group_id
      WHERE m.user_id = u.id AND 'admin' = ANY (g.roles)))
  LIMIT 1`;

/** Whether somebody can log in who may do everything. Only who has a password counts: a provider may be away. */
const hasAdmin = async (tx: Queryable): Promise<boolean> => (await tx.query(ADMINS)).length > 0;

/** Makes a change, unless it takes away the last admin. @throws Conflict */
export async function keepingAnAdmin<T>(tx: Queryable, change: () => Promise<T>): Promise<T> {
  const had = await hasAdmin(tx);
  const result = await change();
  if (had && !(await hasAdmin(tx)))
    throw new Conflict(
      'This would leave nobody with a password and the role admin. Give the role to somebody else first.',
    );
  return result;
}

/** Ends what people are logged in with: they come back with the roles that they have then. */
export async function endSessions(tx: Queryable, userIds: readonly string[]): Promise<void> {
  await tx.query('DELETE FROM app_session WHERE user_id = ANY ($1::uuid[])', [userIds]);
}
