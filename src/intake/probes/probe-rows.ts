import type { Instant } from '../../clock.js';
import type { Queryable } from '../../database/queryable.js';
import type { BucketPlace } from '../../s3/bucket-settings.js';
import type { S3Event } from '../s3-event.js';

/** A probe as the database knows it. */
export interface ProbeRow {
  readonly id: string;
  readonly endpointId: string;
  readonly bucket: string;
  readonly versionId: string | undefined;
  readonly eTag: string | undefined;
  readonly arrivedAt: number | undefined;
  readonly sourceKind: string | undefined;
}

/** An event whose key has the form of a probe's. */
export interface ProbeEvent {
  readonly id: string;
  readonly endpointId: string;
  readonly event: Pick<S3Event, 'bucket' | 'kind' | 'versionId' | 'eTag'>;
  /** The way that it came, as `sqs`. */
  readonly way: string;
}

// A probe that is not done by then was left behind by a process that ended; what stands at its key may be anybody's.
const LIVE_MS = 15 * 60_000;
// Queues deliver late; an event of an earlier day is taken for an upload, and found gone.
const KEPT_MS = 86_400_000;

export const insertProbe = (
  db: Queryable,
  probe: BucketPlace & { readonly id: string; readonly at: Instant },
) =>
  db.query(`INSERT INTO doctor_probe (id, endpoint_id, bucket, created_at) VALUES ($1, $2, $3, $4)`, [
    probe.id,
    probe.endpointId,
    probe.bucket,
    Math.round(probe.at),
  ]);

export const markPut = (
  db: Queryable,
  id: string,
  put: { readonly versionId?: string | undefined; readonly eTag: string },
) =>
  db.query(`UPDATE doctor_probe SET version_id = $2, e_tag = $3 WHERE id = $1`, [
    id,
    put.versionId ?? null,
    put.eTag,
  ]);

export const markFinished = (db: Queryable, id: string, at: Instant) =>
  db.query(`UPDATE doctor_probe SET finished_at = $2 WHERE id = $1 AND finished_at IS NULL`, [
    id,
    Math.round(at),
  ]);

export async function readProbe(db: Queryable, id: string): Promise<ProbeRow | undefined> {
  const [row] = await db.query<Stored>(`SELECT * FROM doctor_probe WHERE id = $1`, [id]);
  return row === undefined ? undefined : probeOf(row);
}

/** Probes of a bucket that a process left behind: it ended before it removed them. At most 100. */
export async function leftBehind(db: Queryable, place: BucketPlace, at: Instant): Promise<ProbeRow[]> {
  const rows = await db.query<Stored>(
    `SELECT * FROM doctor_probe
      WHERE endpoint_id = $1 AND bucket = $2 AND finished_at IS NULL AND created_at < $3 LIMIT 100`,
    [place.endpointId, place.bucket, Math.round(at - LIVE_MS)],
  );
  return rows.map(probeOf);
}

export const forgetProbes = (db: Queryable, at: Instant) =>
  db.query(`DELETE FROM doctor_probe WHERE finished_at < $1`, [Math.round(at - KEPT_MS)]);

/**
 * Notes the arrival of those events that are a running probe's, or an ended one's own (the version or the bytes that
 * were put, or its removal). @returns the ids of probes that they belong to; every other event is an upload like any.
 */
export async function noteArrivals(
  db: Queryable,
  events: readonly ProbeEvent[],
  at: Instant,
): Promise<Set<ProbeEvent>> {
  const ours = new Set<ProbeEvent>();
  for (const told of events) {
    const { id, endpointId, event } = told;
    const isCreation = event.kind === 'created';
    const rows = await db.query(
      `UPDATE doctor_probe
          SET arrived_at = CASE WHEN $4 THEN coalesce(arrived_at, $5) ELSE arrived_at END,
              source_kind = CASE WHEN $4 THEN coalesce(source_kind, $6) ELSE source_kind END
        WHERE id = $1 AND endpoint_id = $2 AND bucket = $3
          AND ((finished_at IS NULL AND created_at > $7)
               OR NOT $4 OR e_tag = $8::text OR version_id = $9::text)
        RETURNING id`,
      [
        id,
        endpointId,
        event.bucket,
        isCreation,
        Math.round(at),
        told.way,
        Math.round(at - LIVE_MS),
        event.eTag ?? null,
        event.versionId ?? null,
      ],
    );
    if (rows.length > 0) ours.add(told);
  }
  return ours;
}

interface Stored {
  readonly id: string;
  readonly endpoint_id: string;
  readonly bucket: string;
  readonly version_id: string | null;
  readonly e_tag: string | null;
  readonly arrived_at: string | null;
  readonly source_kind: string | null;
}

const probeOf = (row: Stored): ProbeRow => ({
  id: row.id,
  endpointId: row.endpoint_id,
  bucket: row.bucket,
  versionId: row.version_id ?? undefined,
  eTag: row.e_tag ?? undefined,
  arrivedAt: row.arrived_at === null ? undefined : Number(row.arrived_at),
  sourceKind: row.source_kind ?? undefined,
});
