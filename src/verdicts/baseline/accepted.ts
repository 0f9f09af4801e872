import type { Instant } from '../../clock.js';
import type { Finding } from '../ledger.js';

/**
 * What answers for findings: a known secret of the baseline, or an exception that two people agreed on. Everything that it
 * names must be so. One that names neither a fingerprint nor a rule answers for nothing.
 */
export interface Accepted {
  /** Secrets when absent. */
  readonly kind?: Finding['kind'] | undefined;
  readonly fingerprint?: string | undefined;
  /** Only in a bucket of this name; anywhere when absent. */
  readonly bucket?: string | undefined;
  /** Only where this rule finds it; whatever finds it when absent. */
  readonly ruleId?: string | undefined;
  /** Only under keys that begin so. */
  readonly keyPrefix?: string | undefined;
  /** Only this one finding. */
  readonly only?: TheFinding | undefined;
  readonly reason: string;
  /** Counts until then, and not at it; for ever when absent. */
  readonly expiresAt?: Instant | undefined;
  /** Of the exception; absent for the baseline. */
  readonly exceptionId?: string | undefined;
}

/** Where one finding is: a member of an object, which may be scanned again, replaced, renamed or copied. */
interface TheFinding extends Omit<FoundAt, 'sha256'> {
  readonly path: string;
  readonly sha256?: string | undefined;
}

/** The object that something was found in. */
export interface FoundAt {
  readonly endpointId: string;
  readonly bucket: string;
  readonly key: string;
  /** Of the bytes that were read. */
  readonly sha256?: string | undefined;
}

/** What a finding is judged by. */
export type Found = Pick<Finding, 'kind' | 'fingerprint' | 'ruleId' | 'path'>;

/**
 * The entry that answers for a finding, if there is one. The nearest goes first, so that what is recorded is the nearest
 * reason: one for this very finding, then one that names its bucket, then one for all buckets.
 */
export function acceptedAs(
  found: Found,
  at: FoundAt,
  entries: readonly Accepted[],
  now: Instant,
): Accepted | undefined {
  const fitting = entries.filter(
    (entry) =>
      (entry.expiresAt === undefined || now < entry.expiresAt) &&
      (entry.kind ?? 'secret') === found.kind &&
      (entry.fingerprint !== undefined || entry.ruleId !== undefined) &&
      isOr(entry.fingerprint, found.fingerprint) &&
      isOr(entry.ruleId, found.ruleId) &&
      isOr(entry.bucket, at.bucket) &&
      at.key.startsWith(entry.keyPrefix ?? '') &&
      (entry.only === undefined || isThis(entry.only, found, at)),
  );
  return (
    fitting.find((entry) => entry.only !== undefined) ??
    fitting.find((entry) => entry.bucket !== undefined) ??
    fitting[0]
  );
}

/** A finding as it is recorded when an entry answers for it. */
export const withReason = (finding: Finding, { reason, exceptionId }: Accepted): Finding => ({
  ...finding,
  accepted: reason,
  ...(exceptionId !== undefined && { exceptionId }),
});

const isOr = (wanted: string | undefined, is: string): boolean => wanted === undefined || wanted === is;

/**
 * The same bytes under any name; and of a secret, whose fingerprint tells it from all others, whatever the object of this
 * key holds by now. A signature's name tells no malware from another.
 */
function isThis(only: TheFinding, found: Found, at: FoundAt): boolean {
  if (only.path !== found.path) return false;
  if (only.sha256 !== undefined && only.sha256 === at.sha256) return true;
  return (
    found.kind === 'secret' &&
    only.endpointId === at.endpointId &&
    only.bucket === at.bucket &&
    only.key === at.key
  );
}
