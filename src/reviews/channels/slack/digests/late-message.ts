import type { Review } from '../../../review.js';
import type { QueueFigures } from '../../../sql/queue-figures.js';
import { header, linkButton, section } from '../block-kit.js';
import type { SlackContent } from '../delivery/slack-sender.js';
import { OPEN_ACTION } from '../review-buttons.js';
import { lineOf, NAMED } from './storm-message.js';

/** Many deadlines that passed at once, as one message: how many, and those that are late for the longest time. */
export function lateMessage(
  queues: readonly Pick<QueueFigures, 'breached'>[],
  urgent: readonly Review[],
  publicUrl: string,
): SlackContent {
  const late = queues.reduce((sum, { breached }) => sum + breached, 0);
  const headline = late === 1 ? '1 review is overdue' : `${late} reviews are overdue`;
  const lines = urgent.slice(0, NAMED).map((review) => lineOf(review, publicUrl));
  const more = late - lines.length;
  return {
    text: headline,
    blocks: [
      header(headline),
      ...(lines.length === 0
        ? []
        : [section([...lines, ...(more > 0 ? [`and ${more} more in the inbox`] : [])])]),
      {
        type: 'actions',
        elements: [linkButton(OPEN_ACTION, 'Open the inbox', 'inbox', `${publicUrl}/reviews`)],
      },
    ],
  };
}
