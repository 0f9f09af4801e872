import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { S3Event } from '../s3-event.js';

/** What an event did. `known`: its object was there already. */
export type Effect = 'scan' | 'skipped' | 'superseded' | 'known' | 'deleted' | 'marker';

/** An event as it is kept. */
export interface StoredEvent {
  readonly eventKey: string;
  readonly endpointId: string;
  readonly event: S3Event;
  readonly receivedAt: Instant;
  readonly objectId?: string | undefined;
  readonly openedObject: boolean;
  readonly effect: Effect;
}

/** Which of these events were stored by an earlier delivery. The caller holds their keys' locks. */
export async function knownEvents(tx: Queryable, eventKeys: readonly string[]): Promise<Set<string>> {
  const rows = await tx.query<{ event_key: string }>(
    'SELECT event_key FROM intake_event WHERE event_key = ANY ($1)',
    [eventKeys],
  );
  return new Set(rows.map((row) => row.event_key));
}

export async function storeEvents(tx: Queryable, events: readonly StoredEvent[]): Promise<void> {
  if (events.length === 0) return;
  const rows = events.map(({ event, ...stored }) => ({
    event_key: stored.eventKey,
    endpoint_id: stored.endpointId,
    bucket: event.bucket,
    key: event.key,
    version_id: event.versionId,
    e_tag: event.eTag,
    size_bytes: event.sizeBytes,
    sequencer: event.sequencer,
    kind: event.kind,
    event_name: event.eventName,
    source_kind: event.sourceKind,
    event_at: event.eventTime,
    received_at: stored.receivedAt,
    object_id: stored.objectId,
    opened_object: stored.openedObject,
    effect: stored.effect,
  }));
  await tx.query(
    `INSERT INTO intake_event (event_key, endpoint_id, bucket, key, version_id, e_tag, size_bytes, sequencer, kind,
                               event_name, source_kind, event_at, received_at, object_id, opened_object, effect)
     SELECT event_key, endpoint_id, bucket, key, version_id, e_tag, size_bytes, sequencer, kind,
            event_name, source_kind, event_at, received_at, object_id, opened_object, effect
       FROM json_to_recordset($1::json) AS e (event_key text, endpoint_id text, bucket text, key text,
            version_id text, e_tag text, size_bytes bigint, sequencer text, kind text, event_name text,
            source_kind text, event_at bigint, received_at bigint, object_id uuid, opened_object boolean,
            effect text)`,
    [JSON.stringify(rows)],
  );
}
