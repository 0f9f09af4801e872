import type { ActionsBlock, Button } from '@slack/types';
import type { Review } from '../../review.js';
import { outcomeFacts } from '../../rules/outcome.js';
import { button, linkButton } from './block-kit.js';
import { bounded } from './slack-text.js';

/** action_id of the buttons; what follows the colon is the outcome. */
export const DECIDE_ACTION = 'review.decide:';
export const CLAIM_ACTION = 'review.claim';
export const RELEASE_ACTION = 'review.release';
export const RESUME_ACTION = 'review.resume';
export const MORE_ACTION = 'review.more';
export const OPEN_ACTION = 'review.open';

/** What a button says: the same as on the web, in the mail and in the record of what was decided. */
export const outcomeLabel = (outcome: string): string => bounded(outcomeFacts(outcome).label, 75);

/** What can be done with a review that waits. Each button asks again whether whoever clicks may. */
export function reviewButtons(review: Review, inboxUrl: string): ActionsBlock {
  const value = valueOf(review);
  const buttons: Button[] = review.outcomes.map((outcome) => ({
    ...button(DECIDE_ACTION + outcome, outcomeLabel(outcome), value),
    ...style(outcome, review),
  }));
  if (review.claim === undefined || review.state === 'ASSIGNED')
    buttons.push(button(CLAIM_ACTION, 'Claim', value));
  if (review.claim !== undefined) buttons.push(button(RELEASE_ACTION, 'Give back', value));
  if (review.hold !== undefined || review.info !== undefined)
    buttons.push(button(RESUME_ACTION, 'Go on now', value));
  buttons.push(button(MORE_ACTION, 'More…', value));
  return { ...openOnly(review, inboxUrl), elements: [...buttons, openButton(review, inboxUrl)] };
}

/** Of a review that is over: only the way to the web. */
export const openOnly = (review: Review, inboxUrl: string): ActionsBlock => ({
  type: 'actions',
  block_id: `review:${review.id}`,
  elements: [openButton(review, inboxUrl)],
});

const openButton = (review: Review, inboxUrl: string): Button =>
  linkButton(OPEN_ACTION, 'Open', valueOf(review), inboxUrl);

const style = (outcome: string, review: Review): { style?: 'primary' | 'danger' } => {
  const { tone } = outcomeFacts(outcome);
  if (tone === 'danger') return { style: 'danger' };
  if (review.policy.rejecting.includes(outcome)) return {};
  return tone === 'primary' || review.outcomes[0] === outcome ? { style: 'primary' } : {};
};

/** What a button carries: which review, and the digest of what was shown beside it. */
export const valueOf = (review: Pick<Review, 'id' | 'subjectDigest'>): string =>
  `${review.id}.${review.subjectDigest}`;

/** Reads {@link valueOf} back; `undefined` for anything else. */
export function parseValue(value: string | undefined): { reviewId: string; digest: string } | undefined {
  const match = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([0-9a-f]{64})$/.exec(value ?? '');
  return match?.[1] === undefined || match[2] === undefined
    ? undefined
    : { reviewId: match[1], digest: match[2] };
}
