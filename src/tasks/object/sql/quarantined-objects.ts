import type { Instant } from '../../../clock.js';
import type { Queryable } from '../../../database/queryable.js';
import type { ObjectEncryption } from '../../../s3/object-head.js';
import type { PinnedObject } from '../../../s3/object-storage.js';
import { forgetUpload } from './copy-uploads.js';
import { appendStep, type ObjectStep } from './object-steps.js';

/**
 * How far a move is. `copying`: a place is reserved; with `copy`, that is written and not verified yet. `copied`: the copy is verified, the original still there.
 * `moved`: the original is deleted. `released` and `deleted`: the quarantined copy is gone again.
 */
export type QuarantineState = 'copying' | 'copied' | 'moved' | 'released' | 'deleted';

/** What the copy in quarantine does not keep of the original, for the way back. */
export interface OriginalFacts {
  readonly encryption?: ObjectEncryption | undefined;
  readonly storageClass?: string | undefined;
}

/** One object's move, as far as it went. */
export interface QuarantineRow {
  readonly scanId: string;
  readonly original: PinnedObject;
  readonly place: { readonly endpointId: string; readonly bucket: string; readonly key: string };
  readonly copy?: { readonly versionId?: string | undefined; readonly eTag: string } | undefined;
  readonly sizeBytes: number;
  readonly sha256?: string | undefined;
  readonly originalFacts: OriginalFacts;
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
  original_facts: OriginalFacts | null;
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
    originalFacts: row.original_facts ?? {},
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
  tx: Queryable,
  move: {
    scanId: string;
    original: PinnedObject;
    sizeBytes: number;
    bucket: string;
    keys: readonly string[];
    originalFacts: OriginalFacts;
    at: Instant;
  },
): Promise<boolean> {
  const { original } = move;
  for (const key of move.keys) {
    // Both unique indexes may refuse: the scan has a place already, or the place is taken.
    const reserved = await tx.query(
      `INSERT INTO quarantined_object (scan_id, endpoint_id, bucket, key, version_id, etag,
         quarantine_bucket, quarantine_key, size_bytes, original_facts, state, created_at, updated_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'copying', $11, $11)
       ON CONFLICT DO NOTHING RETURNING scan_id`,
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
        JSON.stringify(move.originalFacts),
        Math.round(move.at),
      ],
    );
    if (reserved.length > 0) {
      const data = { bucket: move.bucket, key, original: { ...move.originalFacts } };
      await appendStep(tx, {
        scanId: move.scanId,
        move: 'quarantine',
        step: 'reserved',
        data,
        at: move.at,
      });
      return true;
    }
    const held = await tx.query(`SELECT 1 FROM quarantined_object WHERE scan_id = $1`, [move.scanId]);
    if (held.length > 0) return true;
  }
  return false;
}

/** The copy is written; nobody has read it back yet. */
export async function markWritten(
  tx: Queryable,
  written: { scanId: string; versionId: string | undefined; eTag: string; at: Instant },
): Promise<void> {
  const { scanId, versionId, eTag, at } = written;
  const changed = await tx.query(
    `UPDATE quarantined_object SET quarantine_version_id = $2, quarantine_etag = $3, updated_at = $4
      WHERE scan_id = $1 AND state = 'copying' AND quarantine_etag IS NULL RETURNING scan_id`,
    [scanId, versionId ?? null, eTag, Math.round(at)],
  );
  if (changed.length === 0) return;
  await forgetUpload(tx, { scanId, move: 'quarantine' });
  await appendStep(tx, { scanId, move: 'quarantine', step: 'copied', data: { versionId, eTag }, at });
}

/** What was written is no copy of the original, or is gone: another one is made. */
export async function forgetCopy(tx: Queryable, scanId: string, why: string, at: Instant): Promise<void> {
  const changed = await tx.query(
    `UPDATE quarantined_object SET quarantine_version_id = NULL, quarantine_etag = NULL, updated_at = $2
      WHERE scan_id = $1 AND state = 'copying' AND quarantine_etag IS NOT NULL RETURNING scan_id`,
    [scanId, Math.round(at)],
  );
  if (changed.length === 0) return;
  await appendStep(tx, { scanId, move: 'quarantine', step: 'copy_discarded', note: why, at });
}

/** The copy was read back and holds the original's bytes. */
export async function markVerified(
  tx: Queryable,
  verified: { scanId: string; sha256: string; at: Instant },
): Promise<void> {
  const { scanId, sha256, at } = verified;
  const changed = await tx.query(
    `UPDATE quarantined_object SET state = 'copied', sha256 = $2, updated_at = $3
      WHERE scan_id = $1 AND state = 'copying' AND quarantine_etag IS NOT NULL RETURNING scan_id`,
    [scanId, sha256, Math.round(at)],
  );
  if (changed.length === 0) return;
  await appendStep(tx, { scanId, move: 'quarantine', step: 'verified', data: { sha256 }, at });
}

// What left quarantine does not leave it again: of two who take it out, the second changes nothing.
const BEFORE = { moved: ['copied'], released: ['copied', 'moved'], deleted: ['copied', 'moved'] } as const;

/** A later state, and the step that led there. */
export async function markQuarantine(
  tx: Queryable,
  change: {
    readonly scanId: string;
    readonly state: 'moved' | 'released' | 'deleted';
    readonly step: Omit<ObjectStep, 'scanId' | 'at'>;
    readonly at: Instant;
  },
): Promise<void> {
  const { scanId, state, step, at } = change;
  const changed = await tx.query(
    `UPDATE quarantined_object SET state = $2, updated_at = $3
      WHERE scan_id = $1 AND state = ANY ($4) RETURNING scan_id`,
    [scanId, state, Math.round(at), BEFORE[state]],
  );
  if (changed.length > 0) await appendStep(tx, { ...step, scanId, at });
}
