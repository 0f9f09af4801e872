import type { RequiredEngine, Verdict } from './verdict.js';
import { judge } from './verdict.js';
import type { ScanReport } from './ledger.js';

/** What became of the object between its event and its scan, as inspect and the readers found it. */
export const OUTCOMES = [
  'present',
  'gone',
  'denied',
  'archived',
  'superseded',
  'failed',
  'duplicate',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Which of the workflow's ways follows a verdict. */
export type Route = 'tag' | 'review' | 'none';

export interface ConcludeInput {
  readonly outcome: Outcome;
  readonly reason: string;
  /** Why a reader could not read although inspect saw the object: it was overwritten or removed under way. */
  readonly gaps: readonly string[];
  readonly required: readonly RequiredEngine[];
  readonly reports: readonly ScanReport[];
  readonly others?: readonly ScanReport[] | undefined;
  readonly degradedPolicy: 'tag' | 'review';
  /** What other scanners found in these bytes: never our own finding, and never `clean` beside it. */
  readonly externalThreats?: number | undefined;
}

export interface Conclusion {
  readonly verdict: Verdict;
  readonly reason: string;
  readonly route: Route;
  /** The bucket asked for an engine that is not there. */
  readonly degraded: boolean;
}

// In this order: an object that is gone cannot be denied, and so on.
const WITHOUT_BYTES = ['gone', 'superseded', 'denied', 'archived', 'failed'] as const;

/** The verdict on one scan and what the workflow does next. Pure. */
export function conclude(input: ConcludeInput): Conclusion {
  if (input.outcome === 'duplicate') {
    // Our own copy after a release: a person looked at these bytes, and the ledger says where.
    if (input.reason === RELEASED) return unread('skipped', RELEASED);
    // Our quarantine under another name: whoever registered it hears of it by this reason.
    if (input.reason === QUARANTINED) return unread('skipped', QUARANTINED);
    return unread('superseded', input.reason || 'duplicate');
  }
  const without = WITHOUT_BYTES.find((outcome) => outcome === input.outcome);
  if (without !== undefined) return unread(without, input.reason || DEFAULT_REASON[without]);

  const { verdict, reason, degradedOnly, asIf = verdict } = judge(input);
  // What a scanner saw in bytes that are gone by now is still a finding about those bytes; but nothing that was not
  // read to its end may be called clean.
  const gap = WITHOUT_BYTES.find((outcome) => input.gaps.includes(outcome));
  const found = isFound(asIf);
  if (gap !== undefined && !found) return unread(gap, `${DEFAULT_REASON[gap]}_during_scan`);
  if (!found && (input.externalThreats ?? 0) > 0) {
    return {
      // Known malware beside it keeps its name.
      verdict: isFound(verdict) ? verdict : 'suspicious',
      reason: 'external_threats_found',
      route: routeOf('suspicious', false, input.degradedPolicy),
      degraded: false,
    };
  }
  return {
    verdict,
    reason,
    route: routeOf(asIf, degradedOnly, input.degradedPolicy),
    degraded: degradedOnly,
  };
}

const isFound = (verdict: Verdict): boolean =>
  verdict === 'infected' || verdict === 'secrets' || verdict === 'suspicious';

const RELEASED = 'released_by_review';
const QUARANTINED = 'quarantined_copy';

const DEFAULT_REASON = {
  gone: 'object_gone',
  superseded: 'overwritten',
  denied: 'access_denied',
  archived: 'storage_class_archived',
  failed: 'unreadable',
} as const;

const unread = (verdict: Verdict, reason: string): Conclusion => ({
  verdict,
  reason,
  route: routeOf(verdict, false, 'tag'),
  degraded: false,
});

function routeOf(verdict: Verdict, degradedOnly: boolean, policy: 'tag' | 'review'): Route {
  switch (verdict) {
    case 'infected':
    case 'secrets':
    case 'suspicious':
    case 'encrypted':
      return 'review';
    case 'incomplete':
      return degradedOnly && policy === 'review' ? 'review' : 'tag';
    case 'clean':
    case 'clean (secrets)':
    case 'clean (malware)':
    case 'unsupported':
    // Not read, but there: its tag says so, where the rights for that are left.
    case 'archived':
    case 'denied':
    case 'failed':
      return 'tag';
    case 'gone':
    case 'superseded':
    case 'skipped':
    case 'pending':
      return 'none';
    default:
      return verdict satisfies never;
  }
}
