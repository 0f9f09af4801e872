import type { Instant } from '../clock.js';
import type { Queryable } from '../database/queryable.js';

/** One deed, told so that an auditor understands it without the code. */
export interface AuditEvent {
  readonly at: Instant;
  /** `user:alice`, `apikey:…`, `worker:…`, `system:…`. */
  readonly actor: string;
  /** `<subject>.<verb>` in the past tense, as `workflow.started`, `review.decided`, `object.quarantined`. */
  readonly action: string;
  /** What it was done to, as `workflow:<id>`, `object:<id>`, `review:<id>`. */
  readonly subject: string;
  /** Facts of the deed; never a found secret, a password or a token. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** Appends events in the deed's own transaction: the deed and its record commit together or not at all. */
export async function appendAudit(tx: Queryable, events: readonly AuditEvent[]): Promise<void> {
  if (events.length === 0) return;
  await tx.query(
    `INSERT INTO audit_event (at, actor, action, subject, data)
     SELECT (e->>'at')::bigint, e->>'actor', e->>'action', e->>'subject', e->'data'
     FROM json_array_elements($1::json) AS e`,
    [JSON.stringify(events)],
  );
}

/** SQL expressions of one event's columns, over the rows of `from`. Only fixed text and parameters: never a value. */
interface AuditExpressions {
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly data: string;
  readonly from: string;
}

/** The same as a part of the deed's own statement: one event for each row of `from`. */
export const insertAudit = ({ at, actor, action, subject, data, from }: AuditExpressions): string =>
  `INSERT INTO audit_event (at, actor, action, subject, data)
   SELECT ${at}, ${actor}, ${action}, ${subject}, ${data} FROM ${from}`;
