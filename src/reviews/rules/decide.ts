import type { Instant } from '../../clock.js';
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
import { eligibility, ineligible } from './eligibility.js';
import { outcomeFacts } from './outcome.js';
import { isShared, needsPerson } from './policy.js';
import { isReached, tally } from './quorum.js';
import { isEnded, isKey, type Decision, type Reviewer, type ReviewStanding, type Vote } from './review.js';

/** The workflow is told this of a question that was left out. */
export const SKIPPED_OUTCOME = 'skipped';

/** Adds a vote; the one that completes the quorum is the decision. */
export function decide(
  review: ReviewStanding,
  command: ReviewCommand & { kind: 'decide' },
  who: Reviewer,
  now: Instant,
): Transition {
  const mine = review.votes.find(({ by }) => by.id === who.id);
  const isFresh = command.digest === undefined || command.digest === review.subjectDigest;
  if (mine !== undefined && mine.outcome === command.outcome && isFresh) return unchanged;
  if (isEnded(review.state)) return ended(review);
  if (!review.outcomes.includes(command.outcome))
    return refused({ why: 'unknown_outcome', outcomes: review.outcomes });
  if (!isFresh) return refused({ why: 'stale', digest: review.subjectDigest });
  if (mine !== undefined) return refused({ why: 'voted', outcome: mine.outcome, at: mine.at });
  const reason = command.reason.trim();
  if (reason === '' && outcomeFacts(command.outcome).needsReason)
    return refused({ why: 'reason_required', outcome: command.outcome });
  const judged = eligibility(review, who);
  if (!judged.may) return refused(ineligible(judged, who));
  if (isKey(who) && needsPerson(review.policy, command.outcome))
    return refused({ why: 'no_person', outcome: command.outcome });
  const { claim } = review;
  const isInTheWay =
    claim !== undefined && claim.by.id !== who.id && !who.isAdmin && claim.by.id !== judged.onBehalfOf?.id;
  // Where several decide, one who is on it keeps nobody else from voting.
  if (isInTheWay && !isShared(review.policy)) return held(review);
  const vote: Vote = {
    by: person(who),
    onBehalfOf: judged.onBehalfOf,
    outcome: command.outcome,
    reason,
    at: now,
    via: who.via,
    method: who.method,
    groups: [...(who.groups ?? [])],
    isOverride: judged.isOverride,
    form: command.form,
  };
  const votes = [...review.votes, vote];
  if (!isReached(tally(review.policy, votes, command.outcome))) return moved(review, { votes });
  return decided(review, { votes, state: 'COMPLETED' }, decisionBy(who, command.outcome, reason, now));
}

/** Takes the own vote back, as long as it decided nothing. */
export function withdraw(review: ReviewStanding, who: Reviewer): Transition {
  if (!review.votes.some(({ by }) => by.id === who.id)) return refused({ why: 'not_voted' });
  return moved(review, { votes: review.votes.filter(({ by }) => by.id !== who.id) });
}

/** Leaves the question out: the workflow goes on without an answer, and by whose word. */
export function skip(review: ReviewStanding, given: string, who: Reviewer, now: Instant): Transition {
  const reason = given.trim();
  if (reason === '') return refused({ why: 'reason_required', outcome: SKIPPED_OUTCOME });
  const judged = eligibility(review, who);
  if (!judged.may) return refused(ineligible(judged, who));
  if (review.claim !== undefined && review.claim.by.id !== who.id && !who.isAdmin) return held(review);
  return decided(review, { state: 'SKIPPED' }, decisionBy(who, SKIPPED_OUTCOME, reason, now));
}

const decisionBy = (who: Reviewer, outcome: string, reason: string, at: Instant): Decision => ({
  outcome,
  by: person(who),
  at,
  via: who.via,
  method: who.method,
  reason,
});

export const decided = (
  review: ReviewStanding,
  change: Partial<ReviewStanding>,
  decision: Decision,
): Transition =>
  moved(review, {
    ...change,
    claim: undefined,
    owner: undefined,
    hold: undefined,
    info: undefined,
    decision,
  });
