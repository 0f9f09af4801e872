import type { Queryable } from '../../../database/queryable.js';

/** A finding with where it is. */
export interface KnownFinding {
  readonly id: string;
  readonly scanId: string;
  readonly objectId: string;
  readonly kind: 'secret' | 'malware';
  readonly ruleId: string;
  readonly title: string;
  readonly severity: string;
  readonly path: string;
  readonly fingerprint: string;
  /** The scanner outside that found it; empty for our own. */
  readonly source: string;
  readonly endpointId: string;
  readonly bucket: string;
  readonly key: string;
  /** Of the bytes that were read; absent where they were not read to their end. */
  readonly sha256: string | null;
}

export async function knownFinding(
  db: Queryable,
  by: { readonly id: string } | { readonly scanId: string; readonly fingerprint: string },
): Promise<KnownFinding | undefined> {
  const [row] = await db.query<KnownFinding>(
    `SELECT f.id, f.scan_id AS "scanId", f.object_id AS "objectId", f.kind, f.rule_id AS "ruleId", f.title, f.severity,
            f.path, f.fingerprint, f.source, o.endpoint_id AS "endpointId", o.bucket, o.key,
            (SELECT v.sha256 FROM verdict v WHERE v.object_id = f.object_id AND v.scan_id = f.scan_id
              ORDER BY v.id DESC LIMIT 1) AS sha256
       FROM finding f JOIN object_version o ON o.id = f.object_id
      WHERE ${'id' in by ? 'f.id = $1::bigint' : 'f.scan_id = $1::uuid AND f.fingerprint = $2'} ORDER BY f.id LIMIT 1`,
    'id' in by ? [by.id] : [by.scanId, by.fingerprint],
  );
  return row;
}
