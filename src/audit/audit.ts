import type { Instant } from '../clock.js';
import type { Queryable } from '../database/queryable.js';
import { withCommitments } from './personal/commitment.js';

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

const INSERT_EVENTS = `
  INSERT INTO audit_event (at, actor, action, subject, data)
  SELECT (e->>'at')::bigint, e->>'actor', e->>'action', e->>'subject', e->'data'
    FROM json_array_elements($1::json) AS e`;

// One statement, so that it is whole where the caller has no transaction.
const INSERT_BOTH = `
  WITH beside AS (
    INSERT INTO audit_personal (commitment, person, salt, value)
    SELECT decode(p->>'commitment', 'hex'), p->>'person', decode(p->>'salt', 'hex'), p->>'value'
      FROM json_array_elements($2::json) AS p)
  ${INSERT_EVENTS}`;

/**
 * Appends events in the deed's own transaction: the deed and its record commit together or not at all. What they say of
 * people is kept beside them (personal/fields.ts says what that is), and can be erased.
 */
export async function appendAudit(tx: Queryable, events: readonly AuditEvent[]): Promise<void> {
  if (events.length === 0) return;
  const both = events.map(withCommitments);
  const told = JSON.stringify(both.map(({ event }) => event));
  const facts = both.flatMap((one) => one.facts);
  if (facts.length === 0) await tx.query(INSERT_EVENTS, [told]);
  else await tx.query(INSERT_BOTH, [told, JSON.stringify(facts)]);
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

/**
 * The same as a part of the deed's own statement: one event for each row of `from`. The data is stored as it is, so it says
 * nothing of people.
 */
export const insertAudit = ({ at, actor, action, subject, data, from }: AuditExpressions): string =>
  `INSERT INTO audit_event (at, actor, action, subject, data)
   SELECT ${at}, ${actor}, ${action}, ${subject}, ${data} FROM ${from}`;
