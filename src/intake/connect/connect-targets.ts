import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import { NotFound } from '../../errors.js';
import type { BucketPlace } from '../../s3/bucket-settings.js';
import { CONFIGURED_ENDPOINT, EMBEDDED_ENDPOINT, type BucketPolicy } from '../../s3/buckets.js';
import { BucketRegistry } from '../../s3/registry/bucket-registry.js';

/** What is known of a bucket before anything is asked of its server. */
@Injectable()
export class ConnectTargets {
  constructor(
    private readonly registry: BucketRegistry,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws NotFound for a bucket that is not registered. */
  policyOf({ endpointId, bucket }: BucketPlace): BucketPolicy {
    const policy = this.registry.find(endpointId, bucket);
    if (policy === undefined || policy.removedAt !== undefined) {
      throw new NotFound(`No bucket ${bucket} is registered on ${endpointId}. See: sallyport bucket list`);
    }
    return policy;
  }

  /** How its server tells of uploads: AWS, or what speaks like all of it, by queues; others by webhook. */
  kindOf({ endpointId }: BucketPlace): 'sqs' | 'webhook' | 'embedded' {
    if (endpointId === EMBEDDED_ENDPOINT) return 'embedded';
    return this.urlOf(endpointId) === undefined || this.config.SQS_ENDPOINT !== undefined ? 'sqs' : 'webhook';
  }

  /** Where the server does not say. */
  regionOf({ endpointId }: BucketPlace): string {
    return this.registry.endpoint(endpointId)?.region ?? this.config.S3_REGION;
  }

  /** The role that the service takes on at the endpoint; undefined where it works as what its environment gives. */
  roleOf({ endpointId }: BucketPlace): string | undefined {
    const credentials = this.registry.endpoint(endpointId)?.credentials;
    return credentials?.kind === 'role' ? credentials.roleArn : undefined;
  }

  private urlOf(endpointId: string): string | undefined {
    return endpointId === CONFIGURED_ENDPOINT
      ? this.config.S3_ENDPOINT
      : this.registry.endpoint(endpointId)?.url;
  }
}
