import type { Review } from '../../review.js';
import { riskOf } from '../../rules/risk.js';
import { headlineOf, nameOf } from '../question.js';
import { moment } from './block-kit.js';
import { codeSpan, escapeSlack, proseSpan } from './slack-text.js';

// Longer addresses are left out: a list of twenty has to fit into one message.
const LONGEST_URL = 120;

/** What one entry of a list may take. */
export const LONGEST_LINE = 640;

/** By how many characters of its id people call a review, where they are enough. */
export const SHORT_ID = 8;
export const shortId = ({ id }: Pick<Review, 'id'>): string => id.slice(0, SHORT_ID);

/**
 * A review as one entry of a list: what it is about, how it stands, and how to get at it. At most LONGEST_LINE characters.
 *
 * @param pageUrl where there is no button that opens it.
 */
export function reviewLine(review: Review, pageUrl = ''): string {
  const { subject, claim, dueAt, state, hold, info } = review;
  const facts = [
    `risk ${review.risk ?? riskOf(subject)}`,
    ...(dueAt === undefined ? [] : [`due ${moment(dueAt)}`]),
    ...(claim === undefined
      ? []
      : [`${state === 'ASSIGNED' ? 'given to' : 'claimed by'} ${proseSpan(claim.by.name, 40)}`]),
    ...(hold === undefined ? [] : [`on hold until ${moment(hold.until)}`]),
    ...(info === undefined ? [] : ['waits for an answer']),
    ...(review.policy.queue === 'default' ? [] : [`queue ${proseSpan(review.policy.queue, 40)}`]),
  ];
  return `${topic(review, 60, 120)}\n${facts.join(' · ')} · \`${shortId(review)}\`${openLink(pageUrl)}`;
}

/** What is asked, and about what where that is something else; each of at most so many characters. */
export function topic(
  review: Pick<Review, 'subject' | 'title'>,
  longest: number,
  longestName: number,
): string {
  const name = nameOf(review, longestName);
  if (name === '') return `*${proseSpan(headlineOf(review), longest + longestName)}*`;
  return `*${proseSpan(headlineOf(review), longest)}* ${codeSpan(name, longestName)}`;
}

const openLink = (url: string): string =>
  url === '' || url.length > LONGEST_URL ? '' : ` · <${escapeSlack(url)}|Open>`;
