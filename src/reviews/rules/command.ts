import type { Instant } from '../../clock.js';
import type { Party } from './policy.js';
import type { Excluded, Person, ReviewState, ReviewStanding } from './review.js';

/** What somebody, or the clock, wants of a review. */
export type ReviewCommand =
  | { readonly kind: 'claim' }
  /** Gives a claim back to everybody who is asked, or to who handed it on. */
  | { readonly kind: 'release' }
  | { readonly kind: 'reassign'; readonly to: Person; readonly reason?: string | undefined }
  /** Hands it on and stays responsible: given back, it returns to them. */
  | { readonly kind: 'delegate'; readonly to: Person; readonly reason?: string | undefined }
  | {
      readonly kind: 'decide';
      readonly outcome: string;
      readonly reason: string;
      /** Digest of what the person was shown, when the channel knows it. */
      readonly digest?: string | undefined;
      readonly form?: Readonly<Record<string, unknown>> | undefined;
    }
  /** Takes one's own vote back while it has not decided. */
  | { readonly kind: 'withdraw' }
  | { readonly kind: 'skip'; readonly reason: string }
  | { readonly kind: 'hold'; readonly until: Instant; readonly reason: string }
  /** Ends a hold, or the wait for an answer. */
  | { readonly kind: 'resume' }
  | { readonly kind: 'ask'; readonly question: string }
  | { readonly kind: 'answer'; readonly text: string }
  /** Moves the deadline. */
  | { readonly kind: 'postpone'; readonly dueAt: Instant; readonly reason: string }
  /** The workflow no longer waits. */
  | { readonly kind: 'cancel'; readonly reason: string }
  /** What is asked about is not what was shown: the votes on it no longer count. */
  | { readonly kind: 'renew'; readonly digest: string }
  /** One step up: by the clock, or by somebody who passes it on and says why. */
  | { readonly kind: 'escalate'; readonly step: number; readonly reason?: string | undefined }
  | { readonly kind: 'expire' }
  /** The one who claimed it was silent for too long. */
  | { readonly kind: 'giveBack'; readonly claimedAt: Instant };

/** Why a command has no effect. */
export type Refusal =
  /** Somebody was first, or holds it; `winner` and `at` say who and when. */
  | {
      readonly why: 'decided' | 'claimed';
      readonly winner: Person;
      readonly at: Instant;
      readonly outcome?: string;
      readonly state: ReviewState;
    }
  | { readonly why: 'cancelled'; readonly at: Instant; readonly reason: string }
  | { readonly why: 'not_claimed' }
  /** What was shown is not what is being decided. */
  | { readonly why: 'stale'; readonly digest: string }
  | { readonly why: 'unknown_outcome'; readonly outcomes: readonly string[] }
  | { readonly why: 'reason_required'; readonly outcome: string }
  /** Four eyes; `who` is whoever acts, or whom it would be given to. */
  | { readonly why: 'excluded'; readonly who: Person; readonly because: Excluded['because'] }
  | { readonly why: 'not_asked'; readonly asked: readonly Party[] }
  /** They decide in other queues alone. */
  | { readonly why: 'other_queue'; readonly queue: string }
  /** An API key is nobody in particular, and here it matters who grants. */
  | { readonly why: 'no_person'; readonly outcome: string }
  | { readonly why: 'voted'; readonly outcome: string; readonly at: Instant }
  | { readonly why: 'not_voted' }
  | { readonly why: 'wrong_state'; readonly state: ReviewState; readonly needs: readonly ReviewState[] }
  | { readonly why: 'too_late'; readonly field: string; readonly at: Instant };

export type Transition =
  | { readonly kind: 'applied'; readonly next: ReviewStanding }
  /** Already so, by the same person: answered like the first time. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** Longest reason, question or answer that is kept, in characters. */
export const MAX_REASON_LENGTH = 2000;

export const moved = (review: ReviewStanding, change: Partial<ReviewStanding>): Transition => ({
  kind: 'applied',
  next: { ...review, ...change, version: review.version + 1 },
});

export const unchanged: Transition = { kind: 'unchanged' };

export const refused = (refusal: Refusal): Transition => ({ kind: 'refused', refusal });

export const held = ({ state, claim }: ReviewStanding): Transition =>
  claim === undefined
    ? refused({ why: 'not_claimed' })
    : refused({ why: 'claimed', winner: claim.by, at: claim.at, state });

/** What whoever comes too late is told. */
export function ended({ decision, state, cancelled }: ReviewStanding): Transition {
  if (decision !== undefined) {
    const { by, at, outcome } = decision;
    return refused({ why: 'decided', winner: by, at, outcome, state });
  }
  return refused({
    why: 'cancelled',
    at: cancelled?.at ?? 0,
    reason: cancelled?.reason ?? 'the workflow ended',
  });
}

export const person = ({ id, name }: Person): Person => ({ id, name });
