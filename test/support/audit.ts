import { listEvents, type EventFilter, type StoredEvent } from '../../src/audit/sql/events.js';
import type { Queryable } from '../../src/database/queryable.js';

type Told = Pick<StoredEvent, 'actor' | 'action' | 'subject'> & { readonly data: Record<string, unknown> };

/** Audit events as an auditor reads them, the oldest first: with what stands beside them. */
export async function audited(
  db: Queryable,
  filter: Pick<EventFilter, 'actor' | 'action' | 'subject'> = {},
): Promise<Told[]> {
  const events = await listEvents(db, { ...filter, limit: 1000 });
  return events
    .toReversed()
    .map(({ actor, action, subject, data }) => ({ actor, action, subject, data: data as Told['data'] }));
}
