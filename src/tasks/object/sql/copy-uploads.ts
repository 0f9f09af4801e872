import type { Instant } from '../../../clock.js';
import type { Queryable } from '../../../database/queryable.js';

/** A copy in parts that is under way. */
export interface CopyUpload {
  readonly scanId: string;
  readonly move: 'quarantine' | 'release';
  readonly endpointId: string;
  readonly bucket: string;
  readonly key: string;
  readonly uploadId: string;
}

interface Row {
  scan_id: string;
  move: 'quarantine' | 'release';
  endpoint_id: string;
  bucket: string;
  key: string;
  upload_id: string;
}

const uploadOf = (row: Row): CopyUpload => ({
  scanId: row.scan_id,
  move: row.move,
  endpointId: row.endpoint_id,
  bucket: row.bucket,
  key: row.key,
  uploadId: row.upload_id,
});

/** The upload that an earlier attempt began. Counts as a sign of life. */
export async function resumeUpload(
  db: Queryable,
  scanId: string,
  move: CopyUpload['move'],
  at: Instant,
): Promise<string | undefined> {
  const [row] = await db.query<{ upload_id: string }>(
    `UPDATE copy_upload SET touched_at = $3 WHERE scan_id = $1 AND move = $2 RETURNING upload_id`,
    [scanId, move, Math.round(at)],
  );
  return row?.upload_id;
}

/** Says before its first part which upload it is. */
export async function rememberUpload(db: Queryable, upload: CopyUpload, at: Instant): Promise<void> {
  await db.query(
    `INSERT INTO copy_upload (scan_id, move, endpoint_id, bucket, key, upload_id, touched_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (scan_id, move) DO UPDATE SET upload_id = excluded.upload_id, touched_at = excluded.touched_at`,
    [
      upload.scanId,
      upload.move,
      upload.endpointId,
      upload.bucket,
      upload.key,
      upload.uploadId,
      Math.round(at),
    ],
  );
}

/** It was completed or aborted. */
export async function forgetUpload(
  db: Queryable,
  upload: Pick<CopyUpload, 'scanId' | 'move'> & { readonly uploadId?: string },
): Promise<void> {
  await db.query(
    `DELETE FROM copy_upload WHERE scan_id = $1 AND move = $2 AND ($3::text IS NULL OR upload_id = $3)`,
    [upload.scanId, upload.move, upload.uploadId ?? null],
  );
}

/** What is under way for a scan. */
export async function uploadsOf(db: Queryable, scanId: string): Promise<readonly CopyUpload[]> {
  const rows = await db.query<Row>(
    `SELECT scan_id, move, endpoint_id, bucket, key, upload_id FROM copy_upload WHERE scan_id = $1`,
    [scanId],
  );
  return rows.map(uploadOf);
}

/** Uploads that nobody touched since: the workflow that began them is over. Oldest first, at most 100. */
export async function abandonedUploads(db: Queryable, before: Instant): Promise<readonly CopyUpload[]> {
  const rows = await db.query<Row>(
    `SELECT scan_id, move, endpoint_id, bucket, key, upload_id FROM copy_upload
      WHERE touched_at < $1 ORDER BY touched_at LIMIT 100`,
    [Math.round(before)],
  );
  return rows.map(uploadOf);
}
