import type { Queryable } from '../../../../database/queryable.js';

/** How requests as from Slack were signed: with other secrets than ours so often, and with one of ours at all. */
export interface Signatures {
  readonly refused: number;
  readonly believed: boolean;
}

/** Adds to what was counted with these secrets in a minute; what is older than `forgetBefore` goes. */
export async function addSignatures(
  db: Queryable,
  counted: Signatures & {
    readonly secretsSha256: Buffer;
    readonly minute: number;
    readonly forgetBefore: number;
  },
): Promise<void> {
  await db.query('DELETE FROM slack_signature WHERE minute < $1', [counted.forgetBefore]);
  await db.query(
    `INSERT INTO slack_signature AS s (secrets_sha256, minute, refused, believed) VALUES ($1, $2, $3, $4)
     ON CONFLICT (secrets_sha256, minute) DO UPDATE
     SET refused = s.refused + excluded.refused, believed = s.believed OR excluded.believed`,
    [counted.secretsSha256, counted.minute, counted.refused, counted.believed],
  );
}

/** Of all nodes, since a minute. */
export async function signaturesSince(
  db: Queryable,
  secretsSha256: Buffer,
  minute: number,
): Promise<Signatures> {
  const [row] = await db.query<{ refused: string; believed: boolean }>(
    `SELECT coalesce(sum(refused), 0) AS refused, coalesce(bool_or(believed), false) AS believed
       FROM slack_signature WHERE secrets_sha256 = $1 AND minute >= $2`,
    [secretsSha256, minute],
  );
  return { refused: Number(row?.refused ?? 0), believed: row?.believed ?? false };
}
