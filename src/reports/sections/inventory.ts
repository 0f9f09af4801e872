import type { Instant } from '../../clock.js';
import type { Coverage } from '../data/coverage.js';
import { isoOrNull, type Asked } from './section.js';

type Inventory = Coverage['inventory'];

interface Row {
  readonly endpointId: string;
  readonly bucket: string;
  readonly state: string | null;
  readonly listedAt: Instant | null;
  readonly error: string | null;
  readonly counts: Readonly<Record<string, number | undefined>> | null;
}

/** What each bucket's own listing says of the period, as the comparison of this report found it. */
export async function readInventory({ tx }: Asked, reportId: string): Promise<Inventory> {
  const rows = await tx.query<Row>(
    `SELECT b.endpoint_id AS "endpointId", b.name AS bucket, r.state, r.listed_at::float8 AS "listedAt",
            r.last_error AS error, r.counts
       FROM bucket b LEFT JOIN listing_run r
         ON r.cause = $1 AND r.kind = 'reconcile' AND r.endpoint_id = b.endpoint_id AND r.bucket = b.name
      WHERE b.removed_at IS NULL AND b.enabled ORDER BY b.name, b.endpoint_id`,
    [`report ${reportId}`],
  );
  return rows.map((row) => {
    const listed = (name: string): number => row.counts?.[name] ?? 0;
    const counts = {
      listed: listed('dated'),
      known: listed('datedKnown'),
      missing: listed('datedMissing'),
      young: listed('datedYoung'),
      older: listed('datedOlder'),
    };
    return {
      endpointId: row.endpointId,
      bucket: row.bucket,
      ...standing(row),
      listedAt: isoOrNull(row.listedAt),
      ...counts,
      unusable: listed('unusable'),
      vanished: listed('vanished'),
      addsUp: counts.listed === counts.known + counts.missing + counts.young + counts.older,
    };
  });
}

function standing({ state, listedAt, error }: Row): Pick<Inventory[number], 'state' | 'why'> {
  if (state === null) return { state: 'not_compared', why: 'it was not listed for this report' };
  if (listedAt !== null) return { state: 'compared', why: null };
  if (state === 'failed' || state === 'cancelled')
    return { state: 'failed', why: error ?? `it was ${state}` };
  return { state: 'not_compared', why: error ?? 'its listing had not come to its end' };
}
