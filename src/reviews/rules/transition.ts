import type { Instant } from '../../clock.js';
import { eligibility, ineligible } from './eligibility.js';
import { escalate, expire, giveBack } from './clockwork.js';
import { decide, skip, withdraw } from './decide.js';
import {
  ended,
  held,
  moved,
  person,
  refused,
  unchanged,
  type ReviewCommand,
  type Transition,
} from './command.js';
import { isEnded, type Person, type Reviewer, type ReviewStanding } from './review.js';

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
  // Alone may come again after its own success: the same click twice.
  if (command.kind === 'decide') return decide(review, command, who, now);
  if (isEnded(review.state)) return ended(review);
  switch (command.kind) {
    case 'claim':
      return claim(review, who, now);
    case 'release':
      return release(review, who, now);
    case 'reassign':
      return reassign(review, command.to, who, now);
    case 'delegate':
      return delegate(review, command.to, who, now);
    case 'withdraw':
      return withdraw(review, who);
    case 'skip':
      return skip(review, command.reason, who, now);
    case 'hold':
      return hold(review, command, who, now);
    case 'resume':
      return resume(review, who, now);
    case 'ask':
      return ask(review, command.question, who, now);
    case 'answer':
      if (review.info === undefined)
        return refused({ why: 'wrong_state', state: review.state, needs: ['INFO_REQUESTED'] });
      return moved(review, { ...back(review, review.info.since, now), info: undefined });
    case 'postpone':
      return postpone(review, command.dueAt, who, now);
    case 'renew':
      if (command.digest === review.subjectDigest) return unchanged;
      return moved(review, { round: review.round + 1, subjectDigest: command.digest, votes: [] });
    case 'escalate':
      return passOn(review, command.step, who);
    case 'expire':
      return expire(review, who, now);
    case 'giveBack':
      return giveBack(review, command.claimedAt);
    case 'cancel':
      return moved(review, {
        state: 'CANCELLED',
        ...NOBODY,
        cancelled: { at: now, reason: command.reason },
      });
    default:
      return command satisfies never;
  }
}

const NOBODY = { claim: undefined, owner: undefined, hold: undefined, info: undefined };

/** Why somebody may not touch it; undefined when they may. */
function notAllowed(review: ReviewStanding, who: Reviewer): Transition | undefined {
  const judged = eligibility(review, who);
  return judged.may ? undefined : refused(ineligible(judged, who));
}

/** Somebody else has it, and nobody may pass them by but an admin. */
const isHeldByOther = (review: ReviewStanding, who: Reviewer): boolean =>
  review.claim !== undefined &&
  review.claim.by.id !== who.id &&
  !who.isAdmin &&
  !standsInFor(who, review.claim.by);

const standsInFor = (who: Reviewer, holder: Person): boolean =>
  who.standsInFor?.some(({ id }) => id === holder.id) ?? false;

function claim(review: ReviewStanding, who: Reviewer, now: Instant): Transition {
  const no = notAllowed(review, who);
  if (no !== undefined) return no;
  if (review.claim !== undefined) {
    const isTheirs = review.claim.by.id === who.id;
    if (isTheirs && review.state !== 'ASSIGNED') return unchanged;
    // An admin's claim takes nothing over: that is what reassigning is for.
    if (!isTheirs && !standsInFor(who, review.claim.by)) return held(review);
  }
  const state = review.state === 'OPEN' || review.state === 'ASSIGNED' ? 'CLAIMED' : review.state;
  return moved(review, { state, claim: { by: person(who), at: now } });
}

function release(review: ReviewStanding, who: Reviewer, now: Instant): Transition {
  if (review.claim === undefined) return refused({ why: 'not_claimed' });
  if (isHeldByOther(review, who)) return held(review);
  if (review.owner !== undefined)
    return moved(review, { claim: { by: review.owner, at: now }, owner: undefined });
  const isWaiting = review.state === 'ON_HOLD' || review.state === 'INFO_REQUESTED';
  return moved(review, { claim: undefined, state: isWaiting ? review.state : 'OPEN' });
}

/** Who may not decide chooses nobody who may: whoever is given it is asked from then on. */
function reassign(review: ReviewStanding, to: Person, who: Reviewer, now: Instant): Transition {
  const no = notAllowed(review, who);
  return no ?? handOn(review, to, who, now, undefined);
}

function delegate(review: ReviewStanding, to: Person, who: Reviewer, now: Instant): Transition {
  if (review.claim?.by.id !== who.id)
    return review.claim === undefined ? refused({ why: 'not_claimed' }) : held(review);
  return handOn(review, to, who, now, review.owner ?? person(who));
}

/** Gives it to one person, who was asked by name from now on. Never to somebody whom four eyes keep out. */
function handOn(
  review: ReviewStanding,
  to: Person,
  who: Reviewer,
  now: Instant,
  owner: Person | undefined,
): Transition {
  if (isHeldByOther(review, who)) return held(review);
  const target = review.excluded.find(({ id }) => id === to.id);
  if (target !== undefined) return refused({ why: 'excluded', who: to, because: target.because });
  if (review.claim?.by.id === to.id) return unchanged;
  const isWaiting = review.state === 'ON_HOLD' || review.state === 'INFO_REQUESTED';
  return moved(review, {
    state: isWaiting ? review.state : 'ASSIGNED',
    claim: { by: to, at: now },
    owner,
    excluded: withAssigner(review, who),
  });
}

/** Who chose the person must not be that person's second pair of eyes, where the policy says so. */
function withAssigner({ policy, excluded }: ReviewStanding, who: Reviewer): ReviewStanding['excluded'] {
  const isAsked = policy.fourEyes.includes('assigner') && who.via !== 'system';
  if (!isAsked || excluded.some(({ id }) => id === who.id)) return excluded;
  return [...excluded, { ...person(who), because: 'assigner' }];
}

function hold(
  review: ReviewStanding,
  { until, reason }: { until: Instant; reason: string },
  who: Reviewer,
  now: Instant,
): Transition {
  const no = notAllowed(review, who);
  if (no !== undefined) return no;
  if (isHeldByOther(review, who)) return held(review);
  if (until <= now) return refused({ why: 'too_late', field: 'until', at: now });
  if (review.state === 'INFO_REQUESTED')
    return refused({ why: 'wrong_state', state: review.state, needs: ['OPEN', 'ASSIGNED', 'CLAIMED'] });
  const since = review.hold?.since ?? now;
  return moved(review, { state: 'ON_HOLD', hold: { by: person(who), since, until, reason } });
}

function resume(review: ReviewStanding, who: Reviewer, now: Instant): Transition {
  const since = review.hold?.since ?? review.info?.since;
  if (since === undefined)
    return refused({ why: 'wrong_state', state: review.state, needs: ['ON_HOLD', 'INFO_REQUESTED'] });
  if (who.via !== 'system' && isHeldByOther(review, who)) return held(review);
  return moved(review, { ...back(review, since, now), hold: undefined, info: undefined });
}

function ask(review: ReviewStanding, question: string, who: Reviewer, now: Instant): Transition {
  const no = notAllowed(review, who);
  if (no !== undefined) return no;
  if (isHeldByOther(review, who)) return held(review);
  if (review.state === 'ON_HOLD')
    return refused({ why: 'wrong_state', state: review.state, needs: ['OPEN', 'ASSIGNED', 'CLAIMED'] });
  const since = review.info?.since ?? now;
  return moved(review, { state: 'INFO_REQUESTED', info: { by: person(who), since, question } });
}

/** Where a review goes on that waited; the deadline moves by the wait, where the policy says so. */
function back(review: ReviewStanding, since: Instant, now: Instant): Partial<ReviewStanding> {
  const moves = review.policy.holdStopsClock && review.dueAt !== undefined;
  return {
    state: review.claim === undefined ? 'OPEN' : 'CLAIMED',
    ...(moves ? { dueAt: (review.dueAt ?? 0) + Math.max(0, now - since) } : {}),
  };
}

/** The clock may always; a person who may decide, and who passes by nobody that has it. */
function passOn(review: ReviewStanding, step: number, who: Reviewer): Transition {
  if (who.via !== 'system') {
    const no = notAllowed(review, who);
    if (no !== undefined) return no;
    if (isHeldByOther(review, who)) return held(review);
  }
  return escalate(review, step);
}

function postpone(review: ReviewStanding, dueAt: Instant, who: Reviewer, now: Instant): Transition {
  const no = notAllowed(review, who);
  if (no !== undefined) return no;
  if (dueAt <= now) return refused({ why: 'too_late', field: 'dueAt', at: now });
  return dueAt === review.dueAt ? unchanged : moved(review, { dueAt });
}
