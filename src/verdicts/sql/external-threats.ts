import { createHash } from 'node:crypto';
import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { ObjectRef } from '../ledger.js';
import { storableText } from '../text.js';

/** What another scanner found in one version of an object, or in the bytes of this eTag. */
export interface ExternalThreat {
  readonly engine: string;
  readonly ref: ObjectRef;
  readonly eTag?: string | undefined;
  readonly names: readonly string[];
  readonly receivedAt: Instant;
}

/** A version id that names bytes; unversioned ones are told apart by their eTag. */
const SAME_BYTES = `t.endpoint_id = o.endpoint_id AND t.bucket = o.bucket AND t.key = o.key
  AND CASE WHEN coalesce(o.version_id, 'null') = 'null'
           THEN coalesce(t.version_id, 'null') = 'null' AND t.e_tag = o.e_tag
           ELSE t.version_id = o.version_id END`;

/** For the statement that finds a scan's object `o`: whether another scanner found something in it. */
export const HAS_EXTERNAL_THREATS = `EXISTS (SELECT FROM external_threat t WHERE ${SAME_BYTES})`;

export async function storeThreats(tx: Queryable, threats: readonly ExternalThreat[]): Promise<void> {
  if (threats.length === 0) return;
  const rows = threats.map(({ engine, ref, eTag, names, receivedAt }) => ({
    threat_key: createHash('sha256')
      .update(JSON.stringify([engine, ref.endpointId, ref.bucket, ref.key, ref.versionId, eTag, names]))
      .digest('hex'),
    engine,
    endpoint_id: ref.endpointId,
    bucket: ref.bucket,
    key: ref.key,
    version_id: ref.versionId,
    e_tag: eTag,
    names: names.map((name) => storableText(name, 300)),
    received_at: receivedAt,
  }));
  await tx.query(
    `INSERT INTO external_threat (threat_key, engine, endpoint_id, bucket, key, version_id, e_tag, names,
                                  received_at, look_at)
     SELECT threat_key, engine, endpoint_id, bucket, key, version_id, e_tag, names, received_at, received_at
       FROM json_to_recordset($1::json) AS e (threat_key text, engine text, endpoint_id text, bucket text,
            key text, version_id text, e_tag text, names text[], received_at bigint)
      ORDER BY threat_key
     ON CONFLICT (threat_key) DO NOTHING`,
    [JSON.stringify(rows)],
  );
}

/** Puts what other scanners found of a scan's object among the scan's findings. @returns how many there are. */
export async function recordThreats(db: Queryable, scanId: string): Promise<number> {
  const rows = await db.query(
    `INSERT INTO finding (scan_id, object_id, kind, rule_id, title, severity, confidence, path, fingerprint)
     SELECT s.id, o.id, 'malware', t.engine || ':' || n.name, t.engine || ': ' || n.name, 'high', 'medium', '',
            'external:' || t.engine || ':' || md5(n.name)
       FROM scan s JOIN object_version o ON o.id = s.object_id
       JOIN external_threat t ON ${SAME_BYTES}
       CROSS JOIN LATERAL unnest(CASE WHEN cardinality(t.names) = 0 THEN '{unnamed}' ELSE t.names END) AS n (name)
      WHERE s.id = $1
        AND NOT EXISTS (SELECT FROM finding f WHERE f.scan_id = s.id AND f.rule_id = t.engine || ':' || n.name)
     RETURNING id`,
    [scanId],
  );
  if (rows.length > 0) return rows.length;
  const [known] = await db.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM finding WHERE scan_id = $1 AND fingerprint LIKE 'external:%'`,
    [scanId],
  );
  return known?.count ?? 0;
}

/** A threat that nobody has seen to, with its object as the ledger knows it now. */
export interface DueThreat {
  readonly id: string;
  readonly engine: string;
  readonly endpoint_id: string;
  readonly bucket: string;
  readonly key: string;
  readonly version_id: string | null;
  readonly attempts: number;
  /** Null while the ledger knows no such object. */
  readonly verdict: string | null;
  readonly reason: string | null;
}

/** Takes those whose time has come, for this node, until `nextLookAt`. */
export const claimThreats = (
  db: Queryable,
  args: { readonly now: Instant; readonly nextLookAt: Instant; readonly limit: number },
): Promise<DueThreat[]> =>
  db.query(
    `WITH due AS (
       SELECT id FROM external_threat WHERE settled_at IS NULL AND look_at <= $1
        ORDER BY look_at LIMIT $3 FOR UPDATE SKIP LOCKED
     ), t AS (
       UPDATE external_threat e SET look_at = $2, attempts = attempts + 1 FROM due WHERE e.id = due.id RETURNING e.*
     )
     SELECT t.id::text, t.engine, t.endpoint_id, t.bucket, t.key, t.version_id, t.attempts, o.verdict, o.reason
       FROM t LEFT JOIN LATERAL (
         SELECT o.verdict, v.reason FROM object_version o LEFT JOIN verdict v ON v.id = o.verdict_id
          WHERE ${SAME_BYTES} AND o.folded_into IS NULL
          ORDER BY o.first_seen_at DESC LIMIT 1
       ) o ON true
      ORDER BY t.id`,
    [args.now, args.nextLookAt, args.limit],
  );

export const settleThreat = (
  db: Queryable,
  id: string,
  outcome: 'judged' | 'rescanned' | 'gone' | 'given_up',
  at: Instant,
): Promise<unknown> =>
  db.query('UPDATE external_threat SET settled_at = $3, outcome = $2 WHERE id = $1 AND settled_at IS NULL', [
    id,
    outcome,
    at,
  ]);
