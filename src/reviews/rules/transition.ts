import type { Instant } from '../../clock.js';
import { outcomeFacts } from './outcome.js';
import { isEnded, type Decision, type Person, type Reviewer, type ReviewStanding } from './review.js';

/** What somebody wants of a review. */
export type ReviewCommand =
  | { readonly kind: 'claim' }
  /** Gives a claim back to everybody. */
  | { readonly kind: 'release' }
  | { readonly kind: 'reassign'; readonly to: Person }
  | {
      readonly kind: 'decide';
      readonly outcome: string;
      readonly reason: string;
      /** Digest of what the person was shown, when the channel knows it. */
      readonly digest?: string | undefined;
    }
  /** The workflow no longer waits. */
  | { readonly kind: 'cancel'; readonly reason: string };

/** Why a command has no effect. */
export type Refusal =
  /** Somebody was first, or holds it; `winner` and `at` say who and when. */
  | {
      readonly why: 'decided' | 'claimed';
      readonly winner: Person;
      readonly at: Instant;
      readonly outcome?: string;
    }
  | { readonly why: 'cancelled'; readonly at: Instant; readonly reason: string }
  | { readonly why: 'not_claimed' }
  /** What was shown is not what is being decided. */
  | { readonly why: 'stale'; readonly digest: string }
  | { readonly why: 'unknown_outcome'; readonly outcomes: readonly string[] }
  | { readonly why: 'reason_required'; readonly outcome: string };

export type Transition =
  | { readonly kind: 'applied'; readonly next: ReviewStanding }
  /** Already so, by the same person: answered like the first time. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** Longest reason that is kept, in characters. */
export const MAX_REASON_LENGTH = 2000;

/**
 * What a command does to a review, and nothing about how it is stored: the same review, command and time give the
 * same answer, and the caller writes `next` only if the stored version is still the one that was looked at.
 */
export function transition(
  review: ReviewStanding,
  command: ReviewCommand,
  who: Reviewer,
  now: Instant,
): Transition {
  switch (command.kind) {
    case 'claim':
      return claim(review, who, now);
    case 'release':
      return release(review, who);
    case 'reassign':
      return reassign(review, command.to, who, now);
    case 'decide':
      return decide(review, command, who, now);
    case 'cancel':
      if (isEnded(review.state)) return ended(review);
      return moved(review, {
        state: 'CANCELLED',
        claim: undefined,
        cancelled: { at: now, reason: command.reason },
      });
    default:
      return command satisfies never;
  }
}

function claim(review: ReviewStanding, who: Reviewer, now: Instant): Transition {
  if (isEnded(review.state)) return ended(review);
  if (review.claim !== undefined)
    return review.claim.by.id === who.id ? { kind: 'unchanged' } : held(review.claim);
  return moved(review, { state: 'CLAIMED', claim: { by: person(who), at: now } });
}

function release(review: ReviewStanding, who: Reviewer): Transition {
  if (isEnded(review.state)) return ended(review);
  if (review.claim === undefined) return refused({ why: 'not_claimed' });
  if (review.claim.by.id !== who.id && !who.isAdmin) return held(review.claim);
  return moved(review, { state: 'OPEN', claim: undefined });
}

function reassign(review: ReviewStanding, to: Person, who: Reviewer, now: Instant): Transition {
  if (isEnded(review.state)) return ended(review);
  if (review.claim !== undefined && review.claim.by.id !== who.id && !who.isAdmin) return held(review.claim);
  if (review.claim?.by.id === to.id) return { kind: 'unchanged' };
  return moved(review, { state: 'CLAIMED', claim: { by: to, at: now } });
}

function decide(
  review: ReviewStanding,
  command: ReviewCommand & { kind: 'decide' },
  who: Reviewer,
  now: Instant,
): Transition {
  const { decision } = review;
  if (decision !== undefined && decision.by.id === who.id && decision.outcome === command.outcome)
    return { kind: 'unchanged' };
  if (isEnded(review.state)) return ended(review);
  if (!review.outcomes.includes(command.outcome))
    return refused({ why: 'unknown_outcome', outcomes: review.outcomes });
  if (command.digest !== undefined && command.digest !== review.subjectDigest)
    return refused({ why: 'stale', digest: review.subjectDigest });
  const reason = command.reason.trim();
  if (reason === '' && outcomeFacts(command.outcome).needsReason)
    return refused({ why: 'reason_required', outcome: command.outcome });
  if (review.claim !== undefined && review.claim.by.id !== who.id && !who.isAdmin) return held(review.claim);
  const made: Decision = {
    outcome: command.outcome,
    by: person(who),
    at: now,
    via: who.via,
    method: who.method,
    reason,
  };
  return moved(review, { state: 'COMPLETED', claim: undefined, decision: made });
}

const person = ({ id, name }: Person): Person => ({ id, name });

const moved = (review: ReviewStanding, change: Partial<ReviewStanding>): Transition => ({
  kind: 'applied',
  next: { ...review, ...change, version: review.version + 1 },
});

const refused = (refusal: Refusal): Transition => ({ kind: 'refused', refusal });

const held = (claimed: { by: Person; at: Instant }): Transition =>
  refused({ why: 'claimed', winner: claimed.by, at: claimed.at });

function ended(review: ReviewStanding): Transition {
  if (review.decision !== undefined) {
    const { by, at, outcome } = review.decision;
    return refused({ why: 'decided', winner: by, at, outcome });
  }
  return refused({
    why: 'cancelled',
    at: review.cancelled?.at ?? 0,
    reason: review.cancelled?.reason ?? 'the workflow ended',
  });
}
