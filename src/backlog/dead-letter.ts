import { appendAudit } from '../audit/audit.js';
import type { Instant } from '../clock.js';
import type { Queryable } from '../database/queryable.js';
import { appendVerdicts } from '../verdicts/sql/append-verdict.js';
import { buryItems, type BuriedItem, type HopelessItem } from './sql/dead-letters.js';

const ACTOR = 'system:backlog';

/**
 * Gives items up, in the caller's transaction: each is kept as a dead letter with its reason, and the ledger says of an
 * object of which nothing else is known that it failed. One that was scanned before keeps what that scan found.
 *
 * @returns those that were given up; the others' objects were busy.
 */
export async function giveUp(
  tx: Queryable,
  hopeless: readonly HopelessItem[],
  at: Instant,
): Promise<readonly BuriedItem[]> {
  if (hopeless.length === 0) return [];
  const buried = await buryItems(tx, hopeless, at);
  await appendVerdicts(
    tx,
    buried
      .filter((item) => item.verdict_generation < 1)
      .map((item) => ({
        objectId: item.object_id,
        scanId: item.scan_id,
        generation: item.generation,
        verdict: 'failed',
        reason: 'could_not_start',
        detail: item.reason,
        engines: [],
        bytesScanned: 0,
        bytesTotal: item.size_bytes ?? 0,
        notCovered: [],
        at,
        actor: ACTOR,
      })),
  );
  await appendAudit(
    tx,
    buried.map((item) => ({
      at,
      actor: ACTOR,
      action: 'scan.dead_lettered',
      subject: `object:${item.object_id}`,
      data: { scanId: item.scan_id, attempts: item.attempts, code: item.code, reason: item.reason },
    })),
  );
  return buried;
}
