import type { Instant } from '../../../clock.js';
import type { Queryable } from '../../../database/queryable.js';
import type { Accepted, Found, FoundAt } from '../accepted.js';

interface InForceRow {
  readonly id: string;
  readonly scope: 'finding' | 'secret' | 'rule';
  readonly finding_kind: 'secret' | 'malware';
  readonly rule_id: string;
  readonly fingerprint: string | null;
  readonly endpoint_id: string | null;
  readonly bucket: string | null;
  readonly key: string | null;
  readonly member_path: string | null;
  readonly sha256: string | null;
  readonly key_prefix: string | null;
  readonly reason: string;
  readonly expires_at: number;
}

// More than a scan keeps findings: each is answered for by one.
const MOST = 5_000;

/** The exceptions in force that may answer for what was found there. */
export async function exceptionsInForce(
  db: Queryable,
  found: readonly Found[],
  at: FoundAt,
  now: Instant,
): Promise<readonly Accepted[]> {
  const rows = await db.query<InForceRow>(
    `SELECT id, scope, finding_kind, rule_id, fingerprint, endpoint_id, bucket, key, member_path, sha256, key_prefix,
            reason, expires_at::float8
       FROM finding_exception
      WHERE state = 'IN_FORCE' AND expires_at > $1 AND fingerprint = ANY ($2)
        AND (scope = 'secret' OR sha256 = $3 OR (endpoint_id = $4 AND bucket = $5 AND key = $6))
     UNION ALL
     SELECT id, scope, finding_kind, rule_id, fingerprint, endpoint_id, bucket, key, member_path, sha256, key_prefix,
            reason, expires_at::float8
       FROM finding_exception
      WHERE state = 'IN_FORCE' AND expires_at > $1 AND scope = 'rule' AND rule_id = ANY ($7) AND bucket = $5
        AND starts_with($6, coalesce(key_prefix, ''))
      LIMIT ${MOST}`,
    [
      now,
      [...new Set(found.map(({ fingerprint }) => fingerprint))],
      at.sha256 ?? null,
      at.endpointId,
      at.bucket,
      at.key,
      [...new Set(found.map(({ ruleId }) => ruleId))],
    ],
  );
  return rows.map(acceptedOf);
}

const acceptedOf = (row: InForceRow): Accepted => ({
  kind: row.finding_kind,
  reason: row.reason,
  expiresAt: row.expires_at,
  exceptionId: row.id,
  ...(row.fingerprint !== null && { fingerprint: row.fingerprint }),
  ...(row.scope !== 'secret' && { ruleId: row.rule_id }),
  ...(row.scope === 'rule' && { bucket: row.bucket ?? undefined, keyPrefix: row.key_prefix ?? undefined }),
  ...(row.scope === 'finding' && {
    only: {
      endpointId: row.endpoint_id ?? '',
      bucket: row.bucket ?? '',
      key: row.key ?? '',
      path: row.member_path ?? '',
      ...(row.sha256 !== null && { sha256: row.sha256 }),
    },
  }),
});
