import type { Instant } from '../../clock.js';

/** What somebody says of a finding. */
export const EXCEPTION_KINDS = ['suppressed', 'false_positive', 'accepted_risk'] as const;
export type ExceptionKind = (typeof EXCEPTION_KINDS)[number];

/**
 * How much it answers for. `finding`: this one, in this member of the object or of the same bytes under another name.
 * `secret`: the same secret anywhere. `rule`: all that a rule finds in a bucket, or under a prefix of it.
 */
export const EXCEPTION_SCOPES = ['finding', 'secret', 'rule'] as const;
export type ExceptionScope = (typeof EXCEPTION_SCOPES)[number];

/** `EXTENDED`: another one goes on in its place. */
export const EXCEPTION_STATES = [
  'REQUESTED',
  'IN_FORCE',
  'REFUSED',
  'WITHDRAWN',
  'EXPIRED',
  'EXTENDED',
] as const;
export type ExceptionState = (typeof EXCEPTION_STATES)[number];

/** What it answers for; which of the places are there goes by the scope. */
export interface Target {
  readonly scope: ExceptionScope;
  readonly findingKind: 'secret' | 'malware';
  readonly ruleId: string;
  readonly fingerprint?: string | undefined;
  readonly endpointId?: string | undefined;
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
  /** Inside nested archives; empty for the object itself. */
  readonly memberPath?: string | undefined;
  readonly sha256?: string | undefined;
  readonly keyPrefix?: string | undefined;
}

/** Somebody and their name at the time. */
export interface By {
  readonly id: string;
  readonly name: string;
}

export interface Exception {
  /** Also its workflow's. */
  readonly id: string;
  readonly kind: ExceptionKind;
  readonly target: Target;
  readonly reason: string;
  readonly state: ExceptionState;
  readonly expiresAt: Instant;
  readonly requestedBy: By;
  readonly requestedAt: Instant;
  readonly reviewId?: string | undefined;
  /** Who agreed or refused, and never who asked. */
  readonly decided?: { readonly by: By; readonly at: Instant; readonly reason: string } | undefined;
  readonly ended?: { readonly by: string; readonly at: Instant; readonly reason: string } | undefined;
  readonly warnedDays?: number | undefined;
  readonly extends?: string | undefined;
}

const DAY_MS = 86_400_000;
/** So many days before its end people are told of it. */
export const WARNED_DAYS = [14, 3, 1] as const;

/** What the clock does next to an exception, and when; what it said before is not said again. Pure. */
export function nextStep(
  { state, expiresAt, warnedDays }: Pick<Exception, 'state' | 'expiresAt' | 'warnedDays'>,
  now: Instant,
): { readonly at: Instant; readonly warnDays?: number | undefined } {
  // Nobody is warned of the end of what never began.
  if (state !== 'IN_FORCE') return { at: expiresAt };
  const coming = WARNED_DAYS.find(
    (days) => days < (warnedDays ?? Infinity) && expiresAt - days * DAY_MS >= now,
  );
  return coming === undefined ? { at: expiresAt } : { at: expiresAt - coming * DAY_MS, warnDays: coming };
}

/**
 * The warning that is due now, in days ahead; after an outage only the latest of those that were missed. None once it is
 * over.
 */
export function dueWarning(
  { expiresAt, warnedDays }: Pick<Exception, 'expiresAt' | 'warnedDays'>,
  now: Instant,
): number | undefined {
  if (now >= expiresAt) return undefined;
  const due = WARNED_DAYS.findLast((days) => now >= expiresAt - days * DAY_MS);
  return due !== undefined && due < (warnedDays ?? Infinity) ? due : undefined;
}
