import { EMBEDDED_ENDPOINT, type BucketPolicy, type Buckets } from '../s3/buckets.js';

/** Whose upload it is: a bucket's that is scanned, nobody's that we know, or several's and nobody guesses. */
export type FoundBucket =
  | { readonly kind: 'found'; readonly policy: BucketPolicy }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'ambiguous'; readonly endpointIds: readonly string[] };

/** The bucket that a name means: on the endpoint that is known to be meant, else the only one of this name. */
export function findBucket(buckets: Buckets, bucket: string, endpointId: string | undefined): FoundBucket {
  if (endpointId === undefined) return foundAmong(buckets.named(bucket));
  const policy = buckets.find(endpointId, bucket);
  return policy === undefined || policy.enabled === false ? { kind: 'unknown' } : { kind: 'found', policy };
}

/**
 * The bucket that an event from outside means. Where several have the name it is none of the embedded endpoint, whose own
 * events say where they are from.
 */
export function bucketOfEvent(buckets: Buckets, bucket: string, endpointId: string | undefined): FoundBucket {
  const found = findBucket(buckets, bucket, endpointId);
  if (found.kind !== 'ambiguous') return found;
  return foundAmong(buckets.named(bucket).filter((policy) => policy.endpointId !== EMBEDDED_ENDPOINT));
}

function foundAmong(policies: readonly BucketPolicy[]): FoundBucket {
  const [policy, ...others] = policies;
  if (policy === undefined) return { kind: 'unknown' };
  if (others.length === 0) return { kind: 'found', policy };
  return { kind: 'ambiguous', endpointIds: policies.map((one) => one.endpointId) };
}
