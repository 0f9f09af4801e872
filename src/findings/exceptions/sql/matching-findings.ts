import type { Queryable } from '../../../database/queryable.js';
import type { Target } from '../exception.js';

/** A finding that an exception would answer for. */
export interface MatchingFinding {
  readonly id: string;
  readonly objectId: string;
  readonly bucket: string;
  readonly key: string;
  readonly path: string;
  readonly line: number | null;
  readonly ruleId: string;
  readonly severity: string;
  readonly confidence: string;
  readonly excerpt: string | null;
  /** Something answers for it already. */
  readonly accepted: boolean;
}

export interface Matching {
  readonly findings: number;
  readonly objects: number;
  /** There are more: only the newest were looked at. */
  readonly isCut: boolean;
  readonly sample: readonly MatchingFinding[];
}

// Of one fingerprint or rule; what is beyond is told as "more than".
const WALKED = 20_000;

/** What an exception would answer for of what objects are judged by now: how much, and the worst of it. */
export async function matchingFindings(db: Queryable, target: Target, sample: number): Promise<Matching> {
  const rows = await db.query<
    MatchingFinding & { readonly walked: number; readonly findings: number; readonly objects: number }
  >(
    `WITH f AS MATERIALIZED (
       SELECT * FROM finding
        WHERE ${target.fingerprint === undefined ? '$1::text IS NULL AND rule_id = $2' : 'fingerprint = $1::text'}
          AND kind = $3 AND source = ''
        ORDER BY id DESC LIMIT $4
     ), fit AS (
       SELECT f.id, f.object_id AS "objectId", o.bucket, o.key, f.path, f.line, f.rule_id AS "ruleId", f.severity,
              f.confidence, f.excerpt, f.accepted
         FROM f JOIN scan s ON s.id = f.scan_id
         JOIN object_version o ON o.id = f.object_id AND o.verdict_generation = s.generation
        WHERE o.folded_into IS NULL
          AND ($5 <> 'rule' OR (o.bucket = $7 AND starts_with(o.key, coalesce($10, ''))))
          AND ($5 <> 'finding' OR (f.rule_id = $2 AND f.path = $9 AND (
                ($3 = 'secret' AND o.endpoint_id = $6 AND o.bucket = $7 AND o.key = $8)
                OR EXISTS (SELECT FROM verdict v WHERE v.id = o.verdict_id AND v.sha256 = $11))))
     )
     SELECT fit.*, (SELECT count(*)::int FROM f) AS walked, (SELECT count(*)::int FROM fit) AS findings,
            (SELECT count(DISTINCT "objectId")::int FROM fit) AS objects
       FROM (SELECT 1) one LEFT JOIN fit ON true
      ORDER BY array_position('{critical,high,medium,low}'::text[], fit.severity),
               array_position('{high,medium,low}'::text[], fit.confidence), fit.id DESC
      LIMIT $12`,
    [
      target.fingerprint ?? null,
      target.ruleId,
      target.findingKind,
      WALKED,
      target.scope,
      target.endpointId ?? null,
      target.bucket ?? null,
      target.key ?? null,
      target.memberPath ?? null,
      target.keyPrefix ?? null,
      target.sha256 ?? null,
      sample,
    ],
  );
  const [first] = rows;
  return {
    findings: first?.findings ?? 0,
    objects: first?.objects ?? 0,
    isCut: (first?.walked ?? 0) >= WALKED,
    sample: rows
      .filter((row) => row.id !== null)
      .map(({ walked: _walked, findings: _findings, objects: _objects, ...finding }) => finding),
  };
}
