import type { Queryable } from '../../../database/queryable.js';
import type { PayloadLocation } from '../../execution-store.js';
import { refText, type PayloadRef } from '../../payloads/placeholder.js';

interface LocationRow {
  readonly token: string;
  readonly operation: PayloadLocation['operation'];
  readonly payload_type: PayloadLocation['payloadType'];
  readonly issued_to: string;
  readonly expires_at: number;
  readonly ref: string | null;
}

export const insertPayloadLocation = (db: Queryable, location: PayloadLocation): Promise<unknown> =>
  db.query(
    `INSERT INTO payload_location (token, operation, payload_type, issued_to, expires_at, ref)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [
      location.token,
      location.operation,
      location.payloadType,
      location.issuedTo,
      location.expiresAt,
      location.ref ?? null,
    ],
  );

export async function loadPayloadLocation(
  db: Queryable,
  token: string,
): Promise<PayloadLocation | undefined> {
  const [row] = await db.query<LocationRow>('SELECT * FROM payload_location WHERE token = $1', [token]);
  return (
    row && {
      token: row.token,
      operation: row.operation,
      payloadType: row.payload_type,
      issuedTo: row.issued_to,
      expiresAt: row.expires_at,
      ref: row.ref ?? undefined,
    }
  );
}

const TAKE = `
  UPDATE payload_location SET taken_at = $2
  WHERE token = $1 AND operation = 'WRITE' AND taken_at IS NULL AND expires_at > $2 RETURNING token`;

/** Of several who write at once, one may. */
export const takePayloadLocation = async (db: Queryable, token: string, now: number): Promise<boolean> =>
  (await db.query(TAKE, [token, now])).length > 0;

/** The value is stored; or could not be, and may be written again. */
export const settlePayloadLocation = (
  db: Queryable,
  token: string,
  ref: string | undefined,
): Promise<unknown> =>
  db.query(
    `UPDATE payload_location SET ref = $2, taken_at = CASE WHEN $2::text IS NULL THEN NULL ELSE taken_at END
     WHERE token = $1`,
    [token, ref ?? null],
  );

/** The reference of a value that rows refer to. */
export async function usedPayload(db: Queryable, key: string): Promise<string | undefined> {
  const [row] = await db.query<PayloadRef>(
    `SELECT key, store, bytes FROM external_payload WHERE key = $1 AND state = 'used'`,
    [key],
  );
  return row && refText(row);
}

export const PRUNE_PAYLOAD_LOCATIONS = `
  DELETE FROM payload_location WHERE token IN (
    SELECT token FROM payload_location WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`;
