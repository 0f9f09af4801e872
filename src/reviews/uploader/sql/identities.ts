import type { Instant } from '../../../clock.js';
import type { Queryable } from '../../../database/queryable.js';
import type { Identity } from '../resolve.js';

export interface StoredIdentity extends Identity {
  readonly id: string;
  readonly note: string;
  readonly createdAt: Instant;
  /** As in AuditEvent.actor. */
  readonly createdBy: string;
}

const COLUMNS = `id, principal, kind, target, note, created_at::float8 AS "createdAt", created_by AS "createdBy"`;

/** By principal; few enough to be listed whole. */
export const listIdentities = (db: Queryable, limit: number): Promise<StoredIdentity[]> =>
  db.query(`SELECT ${COLUMNS} FROM uploader_identity ORDER BY principal LIMIT $1`, [limit]);

/** Those that mean one of these principals. */
export const identitiesOf = (db: Queryable, principals: readonly string[]): Promise<StoredIdentity[]> =>
  db.query(
    `SELECT ${COLUMNS} FROM uploader_identity i
      WHERE principal = ANY ($1) OR (right(principal, 1) = '*' AND EXISTS (
        SELECT FROM unnest($1::text[]) AS p WHERE starts_with(p, left(i.principal, -1))))`,
    [principals],
  );

/** @returns whether it was added: false when the principal has one, or there are `most` already. */
export async function insertIdentity(
  tx: Queryable,
  identity: StoredIdentity,
  most: number,
): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO uploader_identity (id, principal, kind, target, note, created_at, created_by)
     SELECT $1, $2, $3, $4, $5, $6, $7 WHERE (SELECT count(*) FROM uploader_identity) < $8
     ON CONFLICT (principal) DO NOTHING RETURNING id`,
    [
      identity.id,
      identity.principal,
      identity.kind,
      identity.target,
      identity.note,
      identity.createdAt,
      identity.createdBy,
      most,
    ],
  );
  return rows.length === 1;
}

export async function deleteIdentity(tx: Queryable, id: string): Promise<StoredIdentity | undefined> {
  const [row] = await tx.query<StoredIdentity>(
    `DELETE FROM uploader_identity WHERE id = $1 RETURNING ${COLUMNS}`,
    [id],
  );
  return row;
}
