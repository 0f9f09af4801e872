import type { Queryable } from '../../database/queryable.js';
import { riskOf } from '../rules/risk.js';
import type { Subject } from '../rules/subject.js';

/** Shows something else from now on; its digest is written with the new round. @returns whether there is such a review. */
export async function replaceSubject(tx: Queryable, reviewId: string, subject: Subject): Promise<boolean> {
  const rows = await tx.query(
    'UPDATE review SET subject = $2::json, verdict = $3, reason = $4, risk = $5 WHERE id = $1 RETURNING id',
    [reviewId, JSON.stringify(subject), subject.verdict ?? null, subject.reason ?? null, riskOf(subject)],
  );
  return rows.length === 1;
}
