import type { Queryable } from '../../database/queryable.js';
import type { SourceClass } from '../source-class.js';

export interface PauseRow {
  readonly queue: string;
  readonly endpoint_id: string | null;
  readonly bucket: string | null;
  readonly source_class: SourceClass | null;
  readonly reason: string | null;
  readonly paused_by: string;
  readonly paused_at: number;
}

/** What people stopped. As many as they stopped by hand. */
export const pauses = (db: Queryable): Promise<PauseRow[]> =>
  db.query<PauseRow>(
    `SELECT queue, endpoint_id, bucket, source_class, reason, paused_by, paused_at::float8
       FROM backlog_pause ORDER BY paused_at, queue`,
  );

/** @returns whether it was not stopped before. */
export async function insertPause(tx: Queryable, pause: PauseRow): Promise<boolean> {
  const inserted = await tx.query(
    `INSERT INTO backlog_pause (queue, endpoint_id, bucket, source_class, reason, paused_by, paused_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (queue) DO NOTHING RETURNING queue`,
    [
      pause.queue,
      pause.endpoint_id,
      pause.bucket,
      pause.source_class,
      pause.reason,
      pause.paused_by,
      pause.paused_at,
    ],
  );
  return inserted.length > 0;
}

/** @returns whether it was stopped. */
export async function deletePause(tx: Queryable, queue: string): Promise<boolean> {
  return (await tx.query('DELETE FROM backlog_pause WHERE queue = $1 RETURNING queue', [queue])).length > 0;
}
