import type { Instant } from '../../../clock.js';
import type { Queryable } from '../../../database/queryable.js';
import type { PinnedObject } from '../../../s3/object-storage.js';

/**
 * How far a move is. `copying`: a place is reserved. `copied`: the copy is verified, the original still there.
 * `moved`: the original is deleted. `released` and `deleted`: the quarantined copy is gone again.
 */
export type QuarantineState = 'copying' | 'copied' | 'moved' | 'released' | 'deleted';

/** One object's move, as far as it went. */
export interface QuarantineRow {
  readonly scanId: string;
  readonly original: PinnedObject;
  readonly place: { readonly endpointId: string; readonly bucket: string; readonly key: string };
  readonly copy?: { readonly versionId?: string | undefined; readonly eTag: string } | undefined;
  readonly sizeBytes: number;
  readonly sha256?: string | undefined;
  readonly state: QuarantineState;
}

interface Row {
  scan_id: string;
  endpoint_id: string;
  bucket: string;
  key: string;
  version_id: string | null;
  etag: string;
  quarantine_bucket: string;
  quarantine_key: string;
  quarantine_version_id: string | null;
  quarantine_etag: string | null;
  size_bytes: string;
  sha256: string | null;
  state: QuarantineState;
}

export async function readQuarantined(db: Queryable, scanId: string): Promise<QuarantineRow | undefined> {
  const [row] = await db.query<Row>(`SELECT * FROM quarantined_object WHERE scan_id = $1`, [scanId]);
  if (row === undefined) return undefined;
  return {
    scanId: row.scan_id,
    original: {
      endpointId: row.endpoint_id,
      bucket: row.bucket,
      key: row.key,
      versionId: row.version_id ?? undefined,
      eTag: row.etag,
    },
    place: { endpointId: row.endpoint_id, bucket: row.quarantine_bucket, key: row.quarantine_key },
    copy:
      row.quarantine_etag === null
        ? undefined
        : { versionId: row.quarantine_version_id ?? undefined, eTag: row.quarantine_etag },
    sizeBytes: Number(row.size_bytes),
    sha256: row.sha256 ?? undefined,
    state: row.state,
  };
}

/**
 * Reserves a place in quarantine for a scan's object: the first of `keys` that nobody holds. Repeatable: a scan that
 * has a place keeps it.
 *
 * @returns whether there is a place now.
 */
export async function reservePlace(
  db: Queryable,
  move: {
    scanId: string;
    original: PinnedObject;
    sizeBytes: number;
    bucket: string;
    keys: readonly string[];
    at: Instant;
  },
): Promise<boolean> {
  const { original } = move;
  for (const key of move.keys) {
    // Both unique indexes may refuse: the scan has a place already, or the place is taken.
    await db.query(
      `INSERT INTO quarantined_object (scan_id, endpoint_id, bucket, key, version_id, etag,
         quarantine_bucket, quarantine_key, size_bytes, state, created_at, updated_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'copying', $10, $10)
       ON CONFLICT DO NOTHING`,
      [
        move.scanId,
        original.endpointId,
        original.bucket,
        original.key,
        original.versionId ?? null,
        original.eTag,
        move.bucket,
        key,
        move.sizeBytes,
        Math.round(move.at),
      ],
    );
    const held = await db.query(`SELECT 1 FROM quarantined_object WHERE scan_id = $1`, [move.scanId]);
    if (held.length > 0) return true;
  }
  return false;
}

/** The copy is there and verified. */
export async function markCopied(
  db: Queryable,
  copied: { scanId: string; versionId: string | undefined; eTag: string; sha256: string; at: Instant },
): Promise<void> {
  await db.query(
    `UPDATE quarantined_object
     SET state = 'copied', quarantine_version_id = $2, quarantine_etag = $3, sha256 = $4, updated_at = $5
     WHERE scan_id = $1 AND state = 'copying'`,
    [copied.scanId, copied.versionId ?? null, copied.eTag, copied.sha256, Math.round(copied.at)],
  );
}

export async function markQuarantine(
  db: Queryable,
  scanId: string,
  state: 'moved' | 'released' | 'deleted',
  at: Instant,
): Promise<void> {
  await db.query(`UPDATE quarantined_object SET state = $2, updated_at = $3 WHERE scan_id = $1`, [
    scanId,
    state,
    Math.round(at),
  ]);
}
