import type { Instant } from '../../clock.js';
import type { Finding } from '../ledger.js';

/** A secret that is known by its fingerprint, and for which somebody answers. */
export interface Accepted {
  readonly fingerprint: string;
  /** Only in a bucket of this name; anywhere when absent. */
  readonly bucket?: string | undefined;
  /** Only where this rule finds it; whatever finds it when absent. */
  readonly ruleId?: string | undefined;
  readonly reason: string;
  /** Counts until then, and not at it; for ever when absent. */
  readonly expiresAt?: Instant | undefined;
}

/** What a finding is judged by. */
type Found = Pick<Finding, 'kind' | 'fingerprint' | 'ruleId'>;

/**
 * The entry that answers for a finding, if there is one. One that names its bucket goes before one for all buckets, so
 * that what is recorded is the nearest reason.
 */
export function acceptedAs(
  found: Found,
  bucket: string,
  entries: readonly Accepted[],
  now: Instant,
): Accepted | undefined {
  if (found.kind !== 'secret') return undefined;
  const fitting = entries.filter(
    (entry) =>
      entry.fingerprint === found.fingerprint &&
      (entry.bucket === undefined || entry.bucket === bucket) &&
      (entry.ruleId === undefined || entry.ruleId === found.ruleId) &&
      (entry.expiresAt === undefined || now < entry.expiresAt),
  );
  return fitting.find((entry) => entry.bucket !== undefined) ?? fitting[0];
}
