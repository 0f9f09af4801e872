import { mayApprove } from '../access/may-approve.js';
import { DECIDERS, hasRole, type Principal } from '../access/principal.js';
import { refusalError } from './refusal-error.js';
import type { Review } from './review.js';
import { eligibility, ineligible } from './rules/eligibility.js';
import { isEnded, type Reviewer } from './rules/review.js';

/**
 * Why somebody may not decide a review, in the sentence that deciding it would be refused with; null when they may, or
 * when it is over.
 *
 * @param who the same person with their groups, as {@link People.acting} knows them.
 */
export function keptFrom(review: Review, principal: Principal, who: Reviewer): string | null {
  if (isEnded(review.state)) return null;
  if (!hasRole(principal, DECIDERS) && !mayApprove(principal, review.policy.queue))
    return 'Deciding takes the role analyst or approver.';
  const judged = eligibility(review, who);
  if (judged.may) return null;
  return refusalError(ineligible(judged, who)).message;
}
