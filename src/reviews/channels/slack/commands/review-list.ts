import type { Review } from '../../../review.js';
import { context, section } from '../block-kit.js';
import { LONGEST_LINE, reviewLine, shortId } from '../review-line.js';
import { proseSpan } from '../slack-text.js';
import type { Told } from './verb.js';

/** A command answers with so many at most; an answer of Slack has room for no more. */
export const MOST_LISTED = 15;

/** Reviews as the answer to a command. @param more there are beside these. */
export function reviewList(
  reviews: readonly Review[],
  said: {
    readonly title: string;
    readonly none: string;
    readonly hasMore: boolean;
    readonly command: string;
  },
  pageOf: (review: Review) => string,
): Told {
  const shown = reviews.slice(0, MOST_LISTED);
  const [first] = shown;
  if (first === undefined) return { text: said.none, blocks: [section([said.none])] };
  const hasMore = said.hasMore || reviews.length > shown.length;
  const foot = hasMore
    ? 'There are more: the web inbox has them all.'
    : `Show one with its id: \`${proseSpan(said.command, 40)} show ${shortId(first)}\`.`;
  return {
    text: `${said.title}: ${shown.length}${hasMore ? ' and more' : ''}`,
    blocks: [
      section([`*${said.title}*`]),
      ...shown.map((review) => section(reviewLine(review, pageOf(review)).split('\n'), LONGEST_LINE)),
      context([foot]),
    ],
  };
}
