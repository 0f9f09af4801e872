import { NotFound } from '../../errors.js';
import type { Queryable } from '../../database/queryable.js';
import { isUuid } from '../../uuid5.js';
import type { ObjectFacts, ObjectRef, ScanContext } from '../ledger.js';
import { HAS_EXTERNAL_THREATS } from './external-threats.js';

/** A scan with its object; bigint columns as numbers. */
export interface ScanRow {
  readonly scan_id: string;
  readonly object_id: string;
  readonly generation: number;
  readonly closed_at: number | null;
  readonly duplicate_of: string | null;
  readonly endpoint_id: string;
  readonly bucket: string;
  readonly key: string;
  readonly version_id: string | null;
  readonly identity: string;
  readonly identity_fixed: boolean;
  readonly e_tag: string | null;
  readonly size_bytes: number | null;
  readonly last_modified: string | null;
  readonly content_type: string | null;
  readonly detected_type: string | null;
  readonly storage_class: string | null;
  readonly folded_into: string | null;
  readonly verdict: string;
  readonly verdict_generation: number;
  readonly workflow_id: string;
  readonly has_external_threats: boolean;
  readonly uploader: string | null;
}

export const noScan = (scanId: string): NotFound =>
  new NotFound(`No scan ${scanId.slice(0, 100)} in the ledger. Check the id.`);

/**
 * Scans and their objects by id; what is no id, or unknown, is left out. With `lock`, the objects' rows stay ours to the
 * end of the transaction.
 */
export async function findScans(
  db: Queryable,
  scanIds: readonly string[],
  options: { readonly lock?: boolean } = {},
): Promise<ReadonlyMap<string, ScanRow>> {
  const rows = await db.query<ScanRow>(
    `SELECT s.id AS scan_id, s.object_id, s.generation, s.closed_at::float8, s.duplicate_of, s.workflow_id,
            o.endpoint_id, o.bucket, o.key, o.version_id, o.identity, o.identity_fixed, o.e_tag,
            o.size_bytes::float8, o.last_modified, o.content_type, o.detected_type, o.storage_class,
            o.folded_into, o.verdict, o.verdict_generation, o.uploader, ${HAS_EXTERNAL_THREATS} AS has_external_threats
       FROM scan s JOIN object_version o ON o.id = s.object_id
      WHERE s.id = ANY ($1::uuid[]) ${options.lock === true ? LOCKED : ''}`,
    [scanIds.filter((id) => isUuid(id))],
  );
  return new Map(rows.map((row) => [row.scan_id, row]));
}

// In one order, as everybody takes several: two who do must not wait for each other.
const LOCKED = 'ORDER BY o.id FOR NO KEY UPDATE OF o';

/** The same of one. @throws NotFound */
export async function findScan(
  db: Queryable,
  scanId: string,
  options: { readonly lock?: boolean } = {},
): Promise<ScanRow> {
  const row = (await findScans(db, [scanId], options)).get(scanId);
  if (row === undefined) throw noScan(scanId);
  return row;
}

export const refOf = (row: ScanRow): ObjectRef => ({
  endpointId: row.endpoint_id,
  bucket: row.bucket,
  key: row.key,
  ...(row.version_id !== null && { versionId: row.version_id }),
});

/** The context that workers get; `facts` only once HEAD told them. */
export function contextOf(row: ScanRow): ScanContext {
  const facts = factsOf(row);
  return {
    scanId: row.scan_id,
    objectId: row.object_id,
    ref: refOf(row),
    generation: row.generation,
    ...(facts !== undefined && { facts }),
    told: {
      ...(row.e_tag !== null && { eTag: row.e_tag }),
      ...(row.size_bytes !== null && { sizeBytes: row.size_bytes }),
    },
    ...(row.uploader !== null && { uploader: row.uploader }),
    ...(row.has_external_threats && { hasExternalThreats: true as const }),
  };
}

function factsOf(row: ScanRow): ObjectFacts | undefined {
  if (row.e_tag === null || row.size_bytes === null || row.last_modified === null) return undefined;
  return {
    eTag: row.e_tag,
    sizeBytes: row.size_bytes,
    lastModified: row.last_modified,
    ...(row.content_type !== null && { contentType: row.content_type }),
    ...(row.detected_type !== null && { detectedType: row.detected_type }),
    ...(row.storage_class !== null && { storageClass: row.storage_class }),
  };
}
