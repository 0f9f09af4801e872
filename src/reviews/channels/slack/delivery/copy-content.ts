import type { KnownBlock } from '@slack/types';
import type { Review } from '../../../review.js';
import { partiesOf } from '../../../rules/eligibility.js';
import { isShared } from '../../../rules/policy.js';
import { isEnded } from '../../../rules/review.js';
import type { Telling } from '../../channel.js';
import { headlineOf, named, questionOf } from '../../question.js';
import { moment, plain, section } from '../block-kit.js';
import { openOnly } from '../review-buttons.js';
import { topic } from '../review-line.js';
import { reviewMessage, standing } from '../review-message.js';
import { bounded, proseSpan } from '../slack-text.js';
import { tellingText } from '../threads/thread-line.js';
import type { Course } from './next-steps.js';
import { courseBlock } from './course-block.js';
import type { Sight } from './direct-sight.js';
import type { SlackContent } from './slack-sender.js';

// Of what a whole message may have, beside the review; the rest stands on the web.
const LEAD = 1200;

/** What a copy of a review shows. */
export interface Shown {
  readonly review: Review;
  readonly inboxUrl: string;
  readonly dryRun: boolean;
  /** Whose direct message it is; absent for a channel. */
  readonly personId?: string | undefined;
  /** Why they were told. */
  readonly telling?: Telling | undefined;
  /** What the workflow does after the decision. */
  readonly course?: Course | undefined;
}

/** The same in a channel and in direct messages, but that whoever was asked and is not any more is shown who has it now. */
export function copyContent(shown: Shown): SlackContent {
  const { text, blocks } = withoutLead(shown);
  return { text, blocks: [...leadBlocks(shown), ...blocks] };
}

function withoutLead({ review, inboxUrl, dryRun, personId, course }: Shown): SlackContent {
  if (personId !== undefined && isFormer(review, personId)) return handedOn(review, inboxUrl);
  const message = reviewMessage(review, inboxUrl, dryRun);
  if (course === undefined || !isEnded(review.state)) return message;
  // Before the buttons, which stand last.
  const last = message.blocks.at(-1);
  const before = last?.type === 'actions' ? message.blocks.slice(0, -1) : message.blocks;
  return {
    text: message.text,
    blocks: [...before, courseBlock(course), ...(last?.type === 'actions' ? [last] : [])],
  };
}

/**
 * By whom they were given it and why, before the review itself and as long as it is theirs. What they asked stays answered
 * whatever comes of the review; that they are asked needs no words.
 */
function leadBlocks({ review, personId, telling }: Shown): KnownBlock[] {
  if (telling === undefined || telling.kind === 'opened' || telling.kind === 'reminder') return [];
  const isOver = isEnded(review.state) || (personId !== undefined && isFormer(review, personId));
  return isOver && telling.kind !== 'answered' ? [] : [section([tellingText(telling, LEAD).text])];
}

/** Somebody else has it, and they are not asked by name either. */
const isFormer = (review: Review, personId: string): boolean =>
  !isEnded(review.state) &&
  // Where several decide, who has it keeps nobody else from voting.
  !isShared(review.policy) &&
  review.claim !== undefined &&
  review.claim.by.id !== personId &&
  review.owner?.id !== personId &&
  !partiesOf(review).some((party) => party.kind === 'user' && party.id === personId);

function handedOn(review: Review, inboxUrl: string): SlackContent {
  const { claim } = review;
  const who = proseSpan(claim?.by.name ?? 'Somebody else', 100);
  const name = questionOf(review, 0, false).name;
  return {
    text: `${named(bounded(headlineOf(review), 150), proseSpan(name, 300))} – ${who} has it now`,
    blocks: [
      section([
        topic(review, 150, 320),
        `*${who}* has it now${claim === undefined ? '' : `, since ${moment(claim.at)}`}. You need not do anything.`,
      ]),
      openOnly(review, inboxUrl),
    ],
  };
}

/** For somebody who may not see it any more: nothing of it. */
export function barredContent(): SlackContent {
  const said = 'This review is not shown to you any more: this account may not decide on it.';
  return { text: said, blocks: [section([said])] };
}

/** Below a message that Slack lets nobody change any more. */
export function lastLine(review: Review, sight: Sight): string {
  if (sight !== 'all') return 'What stands above is no longer brought up to date.';
  return isEnded(review.state)
    ? `*${standing(review)}* Slack does not let the message above be changed any more.`
    : 'Slack does not let the message above be changed any more: a newer one follows.';
}

/** While Slack does not say whether an account is still a member's: nothing that it does not know, and no button but one. */
export function withheldContent(review: Review, inboxUrl: string): SlackContent {
  const said =
    'Slack does not say just now whether this account may see this review. Open it in Sallyport, signed in.';
  return { text: said, blocks: [section([said]), openOnly(review, inboxUrl)] };
}

/** The least that can be said, where Slack does not take the whole. */
export function leastContent(review: Review, inboxUrl: string): SlackContent {
  const state =
    review.decision === undefined
      ? isEnded(review.state)
        ? 'nothing left to decide'
        : 'a decision is needed'
      : 'decided';
  const said = bounded(`${headlineOf(review)} – ${state}. Open it for the rest.`, 300);
  return {
    text: said,
    blocks: [{ type: 'section', text: plain(said, 300) }, openOnly(review, inboxUrl)],
  };
}
