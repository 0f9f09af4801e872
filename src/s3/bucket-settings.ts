import {
  GetBucketEncryptionCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  HeadBucketCommand,
  PutBucketNotificationConfigurationCommand,
  type GetBucketNotificationConfigurationCommandOutput,
  type NotificationConfiguration,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { Endpoints } from './endpoints.js';
import { asStorageError } from './explain-error.js';
import { StorageError } from './storage-error.js';

/** A bucket by its place. */
export interface BucketPlace {
  readonly endpointId: string;
  readonly bucket: string;
}

/** How what is put into a bucket is encrypted where the upload does not say. */
export interface BucketEncryption {
  /** `AES256`, `aws:kms` or `aws:kms:dsse`. */
  readonly algorithm: string;
  /** Id, ARN or alias; absent for AWS's own key. */
  readonly kmsKey?: string | undefined;
}

/** Settings of whole buckets. Every method fails with StorageError. */
export class BucketSettings {
  constructor(private readonly endpoints: Endpoints) {}

  /** Whether the bucket is there and may be listed; its region where the server says. */
  async region(place: BucketPlace, signal?: AbortSignal): Promise<string | undefined> {
    const answer = await this.ask(place, 'HeadBucket', (s3) =>
      s3.send(new HeadBucketCommand({ Bucket: place.bucket }), abortable(signal)),
    );
    return answer.BucketRegion;
  }

  async versioning(place: BucketPlace, signal?: AbortSignal): Promise<'enabled' | 'suspended' | 'never'> {
    const { Status } = await this.ask(place, 'GetBucketVersioning', (s3) =>
      s3.send(new GetBucketVersioningCommand({ Bucket: place.bucket }), abortable(signal)),
    );
    if (Status === undefined) return 'never';
    return Status === 'Enabled' ? 'enabled' : 'suspended';
  }

  async notifications(place: BucketPlace, signal?: AbortSignal): Promise<NotificationConfiguration> {
    const answer = await this.ask(place, 'GetBucketNotificationConfiguration', (s3) =>
      s3.send(new GetBucketNotificationConfigurationCommand({ Bucket: place.bucket }), abortable(signal)),
    );
    return withoutMetadata(answer);
  }

  /** Replaces them all: whoever calls has merged what was there. S3 tries each target before it takes them. */
  async putNotifications(place: BucketPlace, all: NotificationConfiguration): Promise<void> {
    await this.ask(place, 'PutBucketNotificationConfiguration', (s3) =>
      s3.send(
        new PutBucketNotificationConfigurationCommand({
          Bucket: place.bucket,
          NotificationConfiguration: all,
        }),
      ),
    );
  }

  /** As JSON text; undefined when the bucket has none. */
  async policy(place: BucketPlace, signal?: AbortSignal): Promise<string | undefined> {
    return this.orNone('NoSuchBucketPolicy', async () => {
      const { Policy } = await this.ask(place, 'GetBucketPolicy', (s3) =>
        s3.send(new GetBucketPolicyCommand({ Bucket: place.bucket }), abortable(signal)),
      );
      return Policy;
    });
  }

  async encryption(place: BucketPlace, signal?: AbortSignal): Promise<BucketEncryption | undefined> {
    return this.orNone('ServerSideEncryptionConfigurationNotFoundError', async () => {
      const answer = await this.ask(place, 'GetBucketEncryption', (s3) =>
        s3.send(new GetBucketEncryptionCommand({ Bucket: place.bucket }), abortable(signal)),
      );
      const rule = answer.ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault;
      if (rule?.SSEAlgorithm === undefined) return undefined;
      return { algorithm: rule.SSEAlgorithm, kmsKey: rule.KMSMasterKeyID };
    });
  }

  private async orNone<T>(code: string, ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof StorageError && error.s3Code === code) return undefined;
      throw error;
    }
  }

  private async ask<T>(
    { endpointId }: BucketPlace,
    operation: string,
    call: (s3: S3Client) => Promise<T>,
  ): Promise<T> {
    const client = this.endpoints.client(endpointId);
    try {
      return await call(client);
    } catch (error) {
      throw asStorageError(error, { operation, ofVersion: false });
    }
  }
}

const abortable = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { abortSignal: signal });

const withoutMetadata = (
  answer: GetBucketNotificationConfigurationCommandOutput,
): NotificationConfiguration =>
  Object.fromEntries(Object.entries(answer).filter(([name]) => name !== '$metadata'));
