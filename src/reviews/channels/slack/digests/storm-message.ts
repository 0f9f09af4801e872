import type { KnownBlock } from '@slack/types';
import type { Review } from '../../../review.js';
import { context, header, linkButton, moment, section } from '../block-kit.js';
import type { SlackContent } from '../delivery/slack-sender.js';
import { OPEN_ACTION } from '../review-buttons.js';
import { topic } from '../review-line.js';
import { proseSpan } from '../slack-text.js';
import type { StormFigures } from '../sql/storms.js';

/** So many of the most urgent are named. */
export const NAMED = 10;

/** Many new reviews as one message: how many, how they stand, and the most urgent with a link each. */
export function stormMessage(
  figures: StormFigures,
  urgent: readonly Review[],
  { publicUrl, isForOne }: { readonly publicUrl: string; readonly isForOne: boolean },
): SlackContent {
  const { all, open, taken, decided } = figures;
  const headline = `${all} new ${all === 1 ? 'review' : 'reviews'}${isForOne ? ' for you' : ''}`;
  const standing =
    open === 0
      ? 'Nothing of it waits any more.'
      : `${open} ${open === 1 ? 'waits' : 'wait'} for a decision${taken > 0 ? `, ${taken} of them claimed` : ''}${decided > 0 ? `; ${decided} decided` : ''}.`;
  const lines = urgent.slice(0, NAMED).map((review) => lineOf(review, publicUrl));
  const more = open - lines.length;
  const blocks: KnownBlock[] = [
    header(headline),
    section([standing]),
    ...(lines.length === 0
      ? []
      : [section([...lines, ...(more > 0 ? [`and ${more} more in the inbox`] : [])])]),
    {
      type: 'actions',
      elements: [linkButton(OPEN_ACTION, 'Open the inbox', 'inbox', `${publicUrl}/reviews`)],
    },
    context(['So many came at once that they share a message. Yours are also in this app’s Home tab.']),
  ];
  return { text: `${headline}: ${standing}`, blocks };
}

/** For somebody who may not see any of them any more. */
export function barredStorm(): SlackContent {
  const said = 'These reviews are not shown to you any more: this account may not decide on them.';
  return { text: said, blocks: [section([said])] };
}

/** One review in a line, with a link to it. */
export function lineOf(review: Review, publicUrl: string): string {
  const due = review.dueAt === undefined ? '' : ` due ${moment(review.dueAt)}`;
  const taken = review.claim === undefined ? '' : ` – ${proseSpan(review.claim.by.name, 40)} has it`;
  // The address is ours, and the id a UUID: nothing in it is anybody's text.
  return `•  <${publicUrl}/reviews/${review.id}|Open> ${topic(review, 60, 90)}${due}${taken}`;
}
