import type { Queryable } from '../../../database/queryable.js';
import type { RegistrySnapshot } from '../registered.js';
import { bucketOf, endpointOf, type BucketRow, type EndpointRow } from './rows.js';

// One statement sees one moment.
const READ_REGISTRY = `
  SELECT revision::float8 AS revision,
    (SELECT coalesce(json_agg(e ORDER BY e.id), '[]') FROM s3_endpoint e) AS endpoints,
    (SELECT coalesce(json_agg(b ORDER BY b.endpoint_id, b.name), '[]') FROM bucket b) AS buckets
  FROM bucket_registry`;

/** Everything; some hundred rows as a rule, 10,000 at most. */
export async function readRegistry(db: Queryable): Promise<RegistrySnapshot> {
  const [row] = await db.query<{ revision: number; endpoints: EndpointRow[]; buckets: BucketRow[] }>(
    READ_REGISTRY,
  );
  if (row === undefined) return { revision: 0, endpoints: [], buckets: [] };
  return {
    revision: row.revision,
    endpoints: row.endpoints.map(endpointOf),
    buckets: row.buckets.map(bucketOf),
  };
}

/** Whether there is anything new, for the price of one row. */
export async function readRevision(db: Queryable): Promise<number> {
  const [row] = await db.query<{ revision: number }>(
    'SELECT revision::float8 AS revision FROM bucket_registry',
  );
  return row?.revision ?? 0;
}

/** Until the transaction's end nobody else changes the registry; others who want to wait their turn. */
export const lockRegistry = (tx: Queryable): Promise<unknown> =>
  tx.query('SELECT revision FROM bucket_registry FOR UPDATE');

/** Tells everybody that it changed, once the transaction commits. */
export const raiseRevision = (tx: Queryable): Promise<unknown> =>
  tx.query('UPDATE bucket_registry SET revision = revision + 1');
