import type { BucketPolicy } from '../../s3/buckets.js';

/** A bucket on an endpoint. */
export interface Place {
  readonly endpointId: string;
  readonly bucket: string;
}

/**
 * Why nothing may be moved from here to there, or nothing at all may be scanned here: every move would start another scan.
 * The registry refuses such buckets too; but between its word and this action it may have changed. Pure.
 *
 * @param kept buckets in which the service keeps things of its own.
 */
export function loopOf(
  source: Place,
  quarantineBucket: string | undefined,
  policies: readonly BucketPolicy[],
  kept: readonly Place[],
): string | undefined {
  const { endpointId } = source;
  const isSame = (a: Place, b: Place) => a.endpointId === b.endpointId && nameOf(a) === nameOf(b);
  const holder = policies.find(
    (policy) =>
      policy.quarantineBucket !== undefined &&
      isSame({ endpointId: policy.endpointId, bucket: policy.quarantineBucket }, source),
  );
  if (holder !== undefined) return `${source.bucket} holds the quarantine of ${holder.bucket}`;
  if (kept.some((place) => isSame(place, source)))
    return `${source.bucket} holds what the service keeps for itself`;
  if (quarantineBucket === undefined) return undefined;
  const quarantine = { endpointId, bucket: quarantineBucket };
  if (isSame(quarantine, source)) return `${quarantineBucket} would be its own quarantine`;
  if (policies.some((policy) => isSame(policy, quarantine))) return `${quarantineBucket} is scanned itself`;
  if (kept.some((place) => isSame(place, quarantine)))
    return `${quarantineBucket} holds what the service keeps for itself`;
  return undefined;
}

/** A bucket answers to its ARN as well as to its name. */
const nameOf = ({ bucket }: Place): string => bucket.replace(/^arn:[^:]*:s3:[^:]*:[^:]*:/i, '');
