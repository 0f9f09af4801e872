import type { KnownBlock } from '@slack/types';
import { button, section } from '../block-kit.js';

/** action_id of the button that opens the page. */
export const LINK_ACTION = 'review.link';

/** What a person sees alone when their Slack account is nobody's yet. */
export const linkBlocks = (url: string): KnownBlock[] => [
  section([
    'Your Slack account is not linked to a person in Sallyport yet, so nothing was decided. Link it once, signed in to Sallyport, then click again.',
  ]),
  {
    type: 'actions',
    elements: [{ ...button(LINK_ACTION, 'Link my account', 'link'), url }],
  },
];
