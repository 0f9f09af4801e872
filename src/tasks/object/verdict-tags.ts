import type { Config } from '../../config.js';
import type { Instant } from '../../clock.js';
import type { Tags } from '../../s3/tags.js';
import type { Verdict } from '../../verdicts/verdict.js';

/** Every name under which we may have written. GuardDuty's own is not among them: it may be GuardDuty's. */
export const OWN_TAGS = ['sallyport-verdict', 'sallyport-scanned-at', 'sallyport-decision'] as const;

/** On what a person let pass, beside its verdict, which stays what it was; in either style. */
export const RELEASED_TAG = { key: 'sallyport-decision', value: 'released' } as const;

/** What tells of a verdict, in either style. */
export const VERDICT_TAGS = ['sallyport-verdict', 'GuardDutyMalwareScanStatus'] as const;

/** The tags that tell a verdict, the verdict itself first; `undefined` for a verdict that has no word in the chosen style. */
export function verdictTags(
  verdict: Verdict,
  at: Instant,
  style: Config['VERDICT_TAG_STYLE'],
): Tags | undefined {
  if (style === 'sallyport') {
    return { 'sallyport-verdict': wordOf(verdict), 'sallyport-scanned-at': new Date(at).toISOString() };
  }
  const status = guardDutyStatus(verdict);
  return status === undefined ? undefined : { GuardDutyMalwareScanStatus: status };
}

/** S3 takes no brackets in a tag. */
const wordOf = (verdict: Verdict): string => verdict.replace(/ \((\w+)\)$/, ':$1');

function guardDutyStatus(verdict: Verdict): string | undefined {
  switch (verdict) {
    // GuardDuty's word is about malware alone.
    case 'clean':
    case 'clean (malware)':
      return 'NO_THREATS_FOUND';
    case 'infected':
    case 'suspicious':
    case 'secrets':
      return 'THREATS_FOUND';
    case 'clean (secrets)':
    case 'encrypted':
    case 'unsupported':
    case 'incomplete':
    case 'archived':
      return 'UNSUPPORTED';
    case 'denied':
      return 'ACCESS_DENIED';
    case 'failed':
      return 'FAILED';
    case 'pending':
    case 'gone':
    case 'superseded':
    case 'skipped':
      return undefined;
    default:
      return verdict satisfies never;
  }
}
