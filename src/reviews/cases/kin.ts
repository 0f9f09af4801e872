import { createHash } from 'node:crypto';
import { canonicalJson } from '../../canonical-json.js';
import type { Policy } from '../rules/policy.js';
import type { Subject } from '../rules/subject.js';

/** By what one review is like another; each is a SHA-256 in hex. */
export interface Kin {
  /** Absent where nothing was found. */
  readonly findings: string | undefined;
  /** Absent where the bytes are not known. */
  readonly bytes: string | undefined;
}

const sha256 = (value: unknown): string => createHash('sha256').update(canonicalJson(value)).digest('hex');

/**
 * Two reviews are about the same when the same was found, or their bytes are the same; and what was said of it and done
 * with it is the same too, so that one answer does the same to both.
 */
export function kinOf({ fingerprints, sha256: bytes, verdict, quarantined }: Subject): Kin {
  const handled = [verdict ?? null, quarantined ?? null];
  return {
    findings: fingerprints.length === 0 ? undefined : sha256(['findings', handled, fingerprints]),
    bytes: bytes === undefined ? undefined : sha256(['bytes', handled, bytes]),
  };
}

/** Who asks what: the step of the workflow, what can be chosen, and under which rules. Titles name objects and do not count. */
export const questionOf = (
  asked: { readonly workflowName: string; readonly reference: string },
  outcomes: readonly string[],
  policy: Policy,
): string => sha256([asked.workflowName, asked.reference, outcomes, policy]);
