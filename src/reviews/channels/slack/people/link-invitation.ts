import type { KnownBlock } from '@slack/types';
import { button, section } from '../block-kit.js';
import type { Attempt } from './slack-speakers.js';

/** action_id of the button that opens the page. */
export const LINK_ACTION = 'review.link';

/** What did not become of it, and what to do once the account is linked. */
const THEN: Readonly<Record<Attempt, readonly [so: string, then: string]>> = {
  click: ['nothing was decided', 'click again'],
  command: ['nothing was done', 'type the command again'],
  reply: ['your reply was not kept with the review', 'write it again'],
};

export const linkText = (attempt: Attempt): string => `Link your Slack account first; ${THEN[attempt][0]}.`;

/** What a person sees alone when their Slack account is nobody's yet. */
export const linkBlocks = (url: string, attempt: Attempt): KnownBlock[] => [
  section([
    `Your Slack account is not linked to a person in Sallyport yet, so ${THEN[attempt][0]}. Link it once, signed in to Sallyport, then ${THEN[attempt][1]}.`,
  ]),
  {
    type: 'actions',
    elements: [{ ...button(LINK_ACTION, 'Link my account', 'link'), url }],
  },
];
