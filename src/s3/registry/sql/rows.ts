import type { ActionMode } from '../../buckets.js';
import type { RequiredEngine } from '../../../verdicts/verdict.js';
import type { EndpointCredentials, RegisteredBucket, RegisteredEndpoint } from '../registered.js';

/** A row of s3_endpoint, as JSON brings it. */
export interface EndpointRow {
  readonly id: string;
  readonly kind: RegisteredEndpoint['kind'];
  readonly url: string | null;
  readonly region: string;
  readonly path_style: boolean;
  readonly credentials: EndpointCredentials['kind'];
  readonly sealed_keys: string | null;
  readonly access_key_hint: string | null;
  readonly role_arn: string | null;
  readonly external_id: string | null;
  readonly version: number;
  readonly created_at: number;
  readonly updated_at: number;
  readonly updated_by: string;
}

/** A row of bucket, as JSON brings it. */
export interface BucketRow {
  readonly endpoint_id: string;
  readonly name: string;
  readonly action_mode: ActionMode;
  readonly required: readonly RequiredEngine[];
  readonly quarantine_bucket: string | null;
  readonly versioned: boolean | null;
  readonly owner_group: string | null;
  readonly reviewers: string | null;
  readonly priority: number | null;
  readonly max_running: number | null;
  readonly max_running_bytes: number | null;
  readonly sealed_archive_passwords: string | null;
  readonly archive_password_count: number;
  readonly expected_owner: string | null;
  readonly quarantine_owner: string | null;
  readonly requester_pays: boolean;
  readonly enabled: boolean;
  readonly managed_by: RegisteredBucket['managedBy'];
  readonly version: number;
  readonly created_at: number;
  readonly updated_at: number;
  readonly updated_by: string;
  readonly removed_at: number | null;
}

const given = <T>(value: T | null): T | undefined => value ?? undefined;

export const endpointOf = (row: EndpointRow): RegisteredEndpoint => ({
  id: row.id,
  kind: row.kind,
  url: given(row.url),
  region: row.region,
  pathStyle: row.path_style,
  credentials: credentialsOf(row),
  accessKeyHint: given(row.access_key_hint),
  version: row.version,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  updatedBy: row.updated_by,
});

function credentialsOf(row: EndpointRow): EndpointCredentials {
  switch (row.credentials) {
    case 'default':
      return { kind: 'default' };
    case 'keys':
      return { kind: 'keys', sealedKeys: row.sealed_keys ?? '' };
    case 'role':
      return {
        kind: 'role',
        roleArn: row.role_arn ?? '',
        externalId: given(row.external_id),
        sealedKeys: given(row.sealed_keys),
      };
    default:
      return row.credentials satisfies never;
  }
}

export const bucketOf = (row: BucketRow): RegisteredBucket => ({
  endpointId: row.endpoint_id,
  bucket: row.name,
  actionMode: row.action_mode,
  required: row.required,
  quarantineBucket: given(row.quarantine_bucket),
  versioned: given(row.versioned),
  ownerGroup: given(row.owner_group),
  reviewers: given(row.reviewers),
  priority: given(row.priority),
  quotas:
    row.max_running === null && row.max_running_bytes === null
      ? undefined
      : { maxRunning: given(row.max_running), maxRunningBytes: given(row.max_running_bytes) },
  sealedArchivePasswords: given(row.sealed_archive_passwords),
  archivePasswordCount: row.archive_password_count,
  expectedOwner: given(row.expected_owner),
  quarantineOwner: given(row.quarantine_owner),
  requesterPays: row.requester_pays,
  enabled: row.enabled && row.removed_at === null,
  managedBy: row.managed_by,
  version: row.version,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  updatedBy: row.updated_by,
  removedAt: given(row.removed_at),
});
