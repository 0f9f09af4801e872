import type { Queryable } from '../../database/queryable.js';

/** One step of a move, as the object's story tells it. */
export interface ObjectStepRow {
  readonly scanId: string;
  /** `quarantine`, `release`, `deletion` */
  readonly move: string;
  readonly step: string;
  readonly note: string | null;
  readonly data: Record<string, unknown> | null;
  readonly at: number;
}

/** The newest steps of all scans of an object. */
export const objectSteps = (db: Queryable, objectId: string, limit: number): Promise<ObjectStepRow[]> =>
  db.query<ObjectStepRow>(
    `SELECT t.scan_id AS "scanId", t.move, t.step, t.note, t.data, t.at::float8 AS at
       FROM object_step t WHERE t.scan_id IN (SELECT id FROM scan WHERE object_id = $1)
      ORDER BY t.id DESC LIMIT $2`,
    [objectId, limit],
  );
