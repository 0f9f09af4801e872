import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';

/** Scans that started before `startedBefore` and have neither a verdict nor an end, oldest first. */
export const unjudgedScans = (
  db: Queryable,
  args: { readonly startedBefore: Instant; readonly limit: number },
): Promise<{ readonly id: string; readonly workflow_id: string }[]> =>
  db.query(
    `SELECT id, workflow_id FROM scan
      WHERE started_at < $1 AND verdict_at IS NULL AND closed_at IS NULL
      ORDER BY started_at LIMIT $2`,
    [args.startedBefore, args.limit],
  );
