import type { Queryable } from '../../database/queryable.js';

/** Which of these secrets and threats had been found before a moment, wherever that was. */
export async function knownBefore(
  db: Queryable,
  moment: number,
  fingerprints: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await db.query<{ fingerprint: string }>(
    `SELECT one AS fingerprint FROM unnest($1::text[]) AS one
      WHERE EXISTS (SELECT FROM finding f JOIN scan s ON s.id = f.scan_id
                     WHERE f.fingerprint = one AND s.verdict_at < $2)`,
    [[...new Set(fingerprints)], moment],
  );
  return new Set(rows.map(({ fingerprint }) => fingerprint));
}
