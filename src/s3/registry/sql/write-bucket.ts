import type { Queryable } from '../../../database/queryable.js';
import type { RegisteredBucket } from '../registered.js';

const WRITE_BUCKET = `
  INSERT INTO bucket (endpoint_id, name, action_mode, required, quarantine_bucket, versioned, owner_group, reviewers, priority,
    max_running, max_running_bytes, sealed_archive_passwords, archive_password_count, expected_owner, requester_pays, enabled,
    managed_by, version, created_at, updated_at, updated_by, removed_at, quarantine_owner)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
  ON CONFLICT (endpoint_id, name) DO UPDATE SET action_mode = excluded.action_mode, required = excluded.required,
    quarantine_bucket = excluded.quarantine_bucket, versioned = excluded.versioned, owner_group = excluded.owner_group,
    reviewers = excluded.reviewers, priority = excluded.priority, max_running = excluded.max_running,
    max_running_bytes = excluded.max_running_bytes, sealed_archive_passwords = excluded.sealed_archive_passwords,
    archive_password_count = excluded.archive_password_count, expected_owner = excluded.expected_owner,
    requester_pays = excluded.requester_pays, enabled = excluded.enabled, managed_by = excluded.managed_by,
    version = excluded.version, created_at = excluded.created_at, updated_at = excluded.updated_at,
    updated_by = excluded.updated_by, removed_at = excluded.removed_at,
    quarantine_owner = excluded.quarantine_owner`;

/** Under the registry's lock: what stood there was read and judged before. */
export const writeBucket = (tx: Queryable, bucket: RegisteredBucket): Promise<unknown> =>
  tx.query(WRITE_BUCKET, [
    bucket.endpointId,
    bucket.bucket,
    bucket.actionMode,
    bucket.required,
    bucket.quarantineBucket ?? null,
    bucket.versioned ?? null,
    bucket.ownerGroup ?? null,
    bucket.reviewers ?? null,
    bucket.priority ?? null,
    bucket.quotas?.maxRunning ?? null,
    bucket.quotas?.maxRunningBytes ?? null,
    bucket.sealedArchivePasswords ?? null,
    bucket.archivePasswordCount,
    bucket.expectedOwner ?? null,
    bucket.requesterPays,
    bucket.enabled,
    bucket.managedBy,
    bucket.version,
    bucket.createdAt,
    bucket.updatedAt,
    bucket.updatedBy,
    bucket.removedAt ?? null,
    bucket.quarantineOwner ?? null,
  ]);
