import type { Queryable } from '../../../database/queryable.js';
import type { RegisteredEndpoint } from '../registered.js';

const WRITE_ENDPOINT = `
  INSERT INTO s3_endpoint (id, kind, url, region, path_style, credentials, sealed_keys, access_key_hint, role_arn, external_id,
    version, created_at, updated_at, updated_by)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
  ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, url = excluded.url, region = excluded.region,
    path_style = excluded.path_style, credentials = excluded.credentials, sealed_keys = excluded.sealed_keys,
    access_key_hint = excluded.access_key_hint, role_arn = excluded.role_arn, external_id = excluded.external_id,
    version = excluded.version, updated_at = excluded.updated_at, updated_by = excluded.updated_by`;

/** Under the registry's lock: what stood there was read and judged before. */
export function writeEndpoint(tx: Queryable, endpoint: RegisteredEndpoint): Promise<unknown> {
  const { credentials } = endpoint;
  return tx.query(WRITE_ENDPOINT, [
    endpoint.id,
    endpoint.kind,
    endpoint.url ?? null,
    endpoint.region,
    endpoint.pathStyle,
    credentials.kind,
    credentials.kind === 'default' ? null : (credentials.sealedKeys ?? null),
    endpoint.accessKeyHint ?? null,
    credentials.kind === 'role' ? credentials.roleArn : null,
    credentials.kind === 'role' ? (credentials.externalId ?? null) : null,
    endpoint.version,
    endpoint.createdAt,
    endpoint.updatedAt,
    endpoint.updatedBy,
  ]);
}

/** With what is left of buckets that were removed from it. */
export async function deleteEndpoint(tx: Queryable, id: string): Promise<void> {
  await tx.query('DELETE FROM bucket WHERE endpoint_id = $1 AND removed_at IS NOT NULL', [id]);
  await tx.query('DELETE FROM s3_endpoint WHERE id = $1', [id]);
}
