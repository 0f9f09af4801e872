import type { Instant } from '../../clock.js';

/** What was done about a finding; `accepted`: an exception answers for it. */
export const PROOFS = ['rotated', 'revoked', 'deleted', 'accepted'] as const;
export type Proof = (typeof PROOFS)[number];

/** `RETURNED`: it was remedied, and a later scan found the same again. */
export const REMEDY_STATES = ['OPEN', 'REMEDIED', 'RETURNED'] as const;
export type RemedyState = (typeof REMEDY_STATES)[number];

/** A finding that somebody called real, and what becomes of it. */
export interface Remedy {
  /** Also its workflow's. */
  readonly id: string;
  readonly findingKind: 'secret' | 'malware';
  readonly ruleId: string;
  readonly fingerprint: string;
  readonly findingTitle: string;
  readonly scanId: string;
  readonly endpointId: string;
  readonly bucket: string;
  readonly key: string;
  /** The member of an archive; empty for the object itself. */
  readonly memberPath: string;
  readonly sha256: string | null;
  /** Whom it asks, as definitions name them; empty: everybody who may decide. */
  readonly owner: readonly string[];
  readonly state: RemedyState;
  readonly openedAt: Instant;
  readonly dueAt: Instant;
  readonly dueDays: number;
  readonly escalateTo: readonly string[];
  readonly proof: Proof | null;
  readonly proofNote: string | null;
  readonly remediedAt: Instant | null;
  readonly remediedByName: string | null;
  readonly refused: string | null;
  readonly returnedAt: Instant | null;
  /** The one whose finding came back. */
  readonly follows: string | null;
}

const MINUTE = 60_000;
// Half of the time, and when a fifth of it is left.
const REMINDED_AT = [0.5, 0.8];

/**
 * When the question about a remedy is due, is reminded of and goes further up, in minutes from now. However often it is
 * asked again, the day on which it is due stays. Pure.
 */
export function timesOf({ dueAt, escalateTo }: Pick<Remedy, 'dueAt' | 'escalateTo'>, now: Instant) {
  const minutes = Math.max(1, Math.floor((dueAt - now) / MINUTE));
  return {
    deadline: minutes,
    reminders: [...new Set(REMINDED_AT.map((part) => Math.floor(minutes * part)))].filter((at) => at >= 1),
    // The deadline takes the step: the question stays open, and asks these as well.
    escalation: escalateTo.length === 0 ? null : [{ after: minutes, to: [...escalateTo], action: 'add' }],
  };
}
