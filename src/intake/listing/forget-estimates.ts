import { appendAudit } from '../../audit/audit.js';
import type { Instant } from '../../clock.js';
import type { Database } from '../../database/database.js';
import { expireEstimates } from './sql/runs.js';

// What is in a bucket after a week is another thing than what was estimated.
const KEPT_MS = 7 * 86_400_000;
const WHY = 'Nobody began it within seven days; ask for a new estimate.';

/** Ends the backfills whose estimate nobody answered. @returns how many. */
export async function forgetEstimates(database: Database, at: Instant): Promise<number> {
  return database.transaction(async (tx) => {
    const ids = await expireEstimates(tx, { before: at - KEPT_MS, at, why: WHY });
    await appendAudit(
      tx,
      ids.map((id) => ({
        at,
        actor: 'system:listing',
        action: 'backfill.expired',
        subject: `run:${id}`,
        data: { was: 'estimated' },
      })),
    );
    return ids.length;
  });
}
