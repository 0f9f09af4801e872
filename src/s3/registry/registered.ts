import type { BucketPolicy } from '../buckets.js';

/** How the service logs in at an endpoint. What is sealed opens with the keyring only. */
export type EndpointCredentials =
  /** The AWS SDK's own chain: environment, profile, instance role. */
  | { readonly kind: 'default' }
  | { readonly kind: 'keys'; readonly sealedKeys: string }
  /** Taken on with STS; by the keys where there are some, else by the default chain. */
  | {
      readonly kind: 'role';
      readonly roleArn: string;
      readonly externalId?: string | undefined;
      readonly sealedKeys?: string | undefined;
    };

/** A server of S3's protocol as the registry knows it. */
export interface RegisteredEndpoint {
  readonly id: string;
  /** `embedded` and `configured` take address and credentials from their process's configuration. */
  readonly kind: 'embedded' | 'configured' | 'registered';
  /** AWS when absent. */
  readonly url?: string | undefined;
  readonly region: string;
  readonly pathStyle: boolean;
  readonly credentials: EndpointCredentials;
  readonly accessKeyHint?: string | undefined;
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** As in AuditEvent. */
  readonly updatedBy: string;
}

/** A bucket as the registry knows it. */
export interface RegisteredBucket extends BucketPolicy {
  readonly required: BucketPolicy['required'];
  readonly enabled: boolean;
  readonly requesterPays: boolean;
  /** Opens with the keyring only. */
  readonly sealedArchivePasswords?: string | undefined;
  readonly archivePasswordCount: number;
  readonly managedBy: 'configuration' | 'people';
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly updatedBy: string;
  readonly removedAt?: number | undefined;
}

/** The whole registry at one moment. */
export interface RegistrySnapshot {
  /** Higher with every change. */
  readonly revision: number;
  readonly endpoints: readonly RegisteredEndpoint[];
  /** Removed ones too. */
  readonly buckets: readonly RegisteredBucket[];
}

/** What an endpoint's keys are sealed for. */
export const keysOf = (endpointId: string): string => `s3_endpoint:${endpointId}`;

/** What a bucket's archive passwords are sealed for. */
export const passwordsOf = (endpointId: string, bucket: string): string => `bucket:${endpointId}/${bucket}`;
