import { ConfigError } from '../errors.js';
import type { Config } from '../config.js';
import type { RequiredEngine } from '../verdicts/verdict.js';

/** What the service may do to the objects of a bucket: only record, also tag, also move. */
export type ActionMode = 'observe' | 'tag' | 'quarantine';

/** Endpoint id of the S3 endpoint that `npm start` brings up. */
export const EMBEDDED_ENDPOINT = 'embedded';
/** Endpoint id of the one that S3_ENDPOINT, S3_REGION and the SDK's credential chain describe. */
export const CONFIGURED_ENDPOINT = 's3';

/** Buckets of the embedded endpoint; made by main when the endpoint starts. */
export const EMBEDDED_UPLOADS = 'uploads';
export const EMBEDDED_QUARANTINE = 'quarantine';

/** One registered source bucket and what holds for its objects. */
export interface BucketPolicy {
  readonly endpointId: string;
  readonly bucket: string;
  readonly actionMode: ActionMode;
  /** `clean` is said only when every one of these looked at every byte. */
  readonly required: readonly RequiredEngine[];
  /** On the same endpoint. Present whenever `actionMode` is `quarantine`. */
  readonly quarantineBucket?: string | undefined;
  /** Known to keep versions; absent when nobody asked the bucket. */
  readonly versioned?: boolean | undefined;
  /** 0..99 for its uploads, higher first; the trigger rule's when absent. */
  readonly priority?: number | undefined;
  readonly quotas?: BucketQuotas | undefined;
  /** The group whose people are asked about its objects; everybody who may decide when absent. */
  readonly reviewers?: string | undefined;
  /** AWS account that must own the bucket: sent with every call, so that a bucket of the same name elsewhere is refused. */
  readonly expectedOwner?: string | undefined;
  /** The same of the quarantine bucket, which may be another account's. */
  readonly quarantineOwner?: string | undefined;
  /** Its requests are paid by whoever makes them; S3 refuses them without our consent. */
  readonly requesterPays?: boolean | undefined;
  /** The people whose bucket it is. */
  readonly ownerGroup?: string | undefined;
  /** False: nothing new is scanned, what is under way ends by this policy. True when absent. */
  readonly enabled?: boolean | undefined;
}

/** How much of the service one bucket may take at once; no bound where absent. */
export interface BucketQuotas {
  readonly maxRunning?: number | undefined;
  /** Of the objects whose scans run. One object is always let through, however large. */
  readonly maxRunningBytes?: number | undefined;
}

/**
 * The buckets that are scanned. An event may name only these, and none of them is a quarantine bucket,
 * so that a move never starts another scan.
 */
export abstract class Buckets {
  /** Those whose uploads are scanned. */
  abstract list(): readonly BucketPolicy[];
  /** Also one that is disabled or was removed (`enabled` is false then): what is under way ends by its policy. */
  abstract find(endpointId: string, bucket: string): BucketPolicy | undefined;
  /** The only one of this name in the list; undefined where several endpoints have one, for nobody guesses which is meant. */
  abstract byName(bucket: string): BucketPolicy | undefined;

  /** All of this name in the list, on whichever endpoints. */
  named(bucket: string): readonly BucketPolicy[] {
    return this.list().filter((policy) => policy.bucket === bucket);
  }
}

/** What the configuration names; the registry is seeded with it. */
export class ConfiguredBuckets extends Buckets {
  private readonly policies: readonly BucketPolicy[];

  /** @throws ConfigError when a source bucket is also a quarantine bucket, or a quarantine bucket is missing. */
  constructor(config: Config) {
    super();
    this.policies = seed(config);
    refuseLoops(this.policies);
  }

  list(): readonly BucketPolicy[] {
    return this.policies;
  }

  find(endpointId: string, bucket: string): BucketPolicy | undefined {
    return this.policies.find((policy) => policy.endpointId === endpointId && policy.bucket === bucket);
  }

  byName(bucket: string): BucketPolicy | undefined {
    const [policy, another] = this.named(bucket);
    return another === undefined ? policy : undefined;
  }
}

const REQUIRED: readonly RequiredEngine[] = ['secrets', 'malware'];

function seed(config: Config): BucketPolicy[] {
  const policies: BucketPolicy[] = [];
  if (config.embeddedS3) {
    policies.push({
      endpointId: EMBEDDED_ENDPOINT,
      bucket: EMBEDDED_UPLOADS,
      actionMode: config.ACTION_MODE ?? 'quarantine',
      required: REQUIRED,
      // QUARANTINE_BUCKET belongs to the buckets of S3_BUCKETS when there are any; this endpoint has its own.
      quarantineBucket:
        config.S3_BUCKETS.length > 0
          ? EMBEDDED_QUARANTINE
          : (config.QUARANTINE_BUCKET ?? EMBEDDED_QUARANTINE),
      versioned: true,
    });
  }
  for (const bucket of new Set(config.S3_BUCKETS)) {
    policies.push({
      endpointId: CONFIGURED_ENDPOINT,
      bucket,
      actionMode: config.ACTION_MODE ?? 'tag',
      required: REQUIRED,
      ...(config.QUARANTINE_BUCKET !== undefined && { quarantineBucket: config.QUARANTINE_BUCKET }),
    });
  }
  return policies;
}

function refuseLoops(policies: readonly BucketPolicy[]): void {
  for (const policy of policies) {
    if (policy.actionMode === 'quarantine' && policy.quarantineBucket === undefined) {
      throw new ConfigError(
        `QUARANTINE_BUCKET: required, because objects of ${policy.bucket} are to be moved (ACTION_MODE=quarantine).`,
      );
    }
    const loop = policies.find(
      (other) => other.endpointId === policy.endpointId && other.quarantineBucket === policy.bucket,
    );
    if (loop !== undefined) {
      throw new ConfigError(
        `QUARANTINE_BUCKET: ${policy.bucket} is scanned and also holds the quarantine of ${loop.bucket}; every move would start another scan. Name a bucket of its own.`,
      );
    }
  }
}
