import { appendAudit } from '../../audit/audit.js';
import type { Queryable } from '../../database/queryable.js';

interface Binding {
  readonly userId: string;
  readonly issuer: string;
  readonly subject: string;
  readonly at: number;
  readonly actor: string;
}

/** Writes that an identity opens an account from now on; the caller has made sure that it may. */
export async function bindIdentity(
  tx: Queryable,
  { userId, issuer, subject, at, actor }: Binding,
): Promise<void> {
  await tx.query(
    'INSERT INTO oidc_identity (issuer, subject, user_id, bound_at, bound_by) VALUES ($1, $2, $3, $4, $5)',
    [issuer, subject, userId, at, actor],
  );
  const data = { issuer, subject };
  await appendAudit(tx, [{ at, actor, action: 'user.identity_bound', subject: `user:${userId}`, data }]);
}
