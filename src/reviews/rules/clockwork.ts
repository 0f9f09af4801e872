import type { Instant } from '../../clock.js';
import { moved, person, unchanged, type Transition } from './command.js';
import { decided } from './decide.js';
import type { Reviewer, ReviewStanding } from './review.js';

/** One step further up. Asked again for a step that was taken, it changes nothing but who is told. */
export function escalate(review: ReviewStanding, step: number): Transition {
  const { policy, escalated } = review;
  const taken = policy.escalation[step];
  if (taken === undefined || step < escalated) return unchanged;
  const moves = taken.action === 'replace';
  const isWaiting = review.state === 'ON_HOLD' || review.state === 'INFO_REQUESTED';
  return moved(review, {
    escalated: step + 1,
    ...(moves ? { claim: undefined, owner: undefined } : {}),
    ...(moves && !isWaiting ? { state: 'OPEN' } : {}),
  });
}

/** What the policy has the deadline do. A deadline that was moved meanwhile does nothing. */
export function expire(review: ReviewStanding, who: Reviewer, now: Instant): Transition {
  const { policy, dueAt } = review;
  if (dueAt === undefined || now < dueAt || isStopped(review)) return unchanged;
  const { action, outcome } = policy.onExpire;
  switch (action) {
    case 'LEAVE_OPEN':
      return unchanged;
    case 'ESCALATE':
      return policy.escalation.length > review.escalated
        ? escalate(review, policy.escalation.length - 1)
        : unchanged;
    case 'REJECT':
    case 'APPROVE':
    case 'FAIL':
      return decided(
        review,
        { state: 'EXPIRED' },
        {
          outcome,
          by: person(who),
          at: now,
          via: 'system',
          method: 'expiry',
          reason: 'Nobody decided in time.',
        },
      );
    default:
      return action satisfies never;
  }
}

/** A claim that led to nothing ends; one that was made since does not. */
export function giveBack(review: ReviewStanding, claimedAt: Instant): Transition {
  if (review.state !== 'CLAIMED' || review.claim?.at !== claimedAt) return unchanged;
  return moved(review, { state: 'OPEN', claim: undefined, owner: undefined });
}

/** Its time stands still: it waits, and its policy counts no time that it waits. */
export const isStopped = ({ policy, hold, info }: ReviewStanding): boolean =>
  policy.holdStopsClock && (hold !== undefined || info !== undefined);
