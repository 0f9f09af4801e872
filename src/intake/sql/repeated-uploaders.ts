import type { Queryable } from '../../database/queryable.js';

/** The objects of events that were stored before; those of events that led to none are left out. */
export async function objectsOfEvents(
  tx: Queryable,
  eventKeys: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await tx.query<{ event_key: string; id: string }>(
    `SELECT e.event_key, coalesce(o.folded_into, o.id) AS id
       FROM intake_event e JOIN object_version o ON o.id = e.object_id WHERE e.event_key = ANY ($1)`,
    [eventKeys],
  );
  return new Map(rows.map((row) => [row.event_key, row.id]));
}
