import { createHash } from 'node:crypto';
import type { Instant } from '../../../../clock.js';
import { rendered } from '../../../../outbound/alerts.js';
import type { MailPayload, OutboxMessage } from '../../../../outbound/outbox.js';
import { visible } from '../../../../outbound/safe-text.js';
import { minuteOf } from '../../question.js';
import type { SlackAccount } from '../sql/identities.js';

/** An account that spoke for somebody until somebody else ended it. */
export interface Unlinked extends SlackAccount {
  readonly userName: string | undefined;
  readonly at: Instant;
  /** Who or what ended it: `Oscar unlinked it`. */
  readonly because: string;
}

/** Tells whoever an account spoke for that it does not any more: they may not see it in Slack, where it is another's by now. */
export function unlinkedMail(address: string, unlinked: Unlinked): OutboxMessage {
  const { teamId, userId, userName, at, because } = unlinked;
  const digest = createHash('sha256')
    .update(JSON.stringify([teamId, userId, address, at]))
    .digest('hex')
    .slice(0, 40);
  const account = userName === undefined ? userId : `${visible(userName, 80)} (${userId})`;
  const mail: MailPayload = {
    to: [address],
    messageId: `slack-unlinked-${digest}`,
    ...rendered({
      key: digest,
      subject: 'your Slack account no longer speaks for you',
      lines: [
        `The Slack account ${visible(account, 200)} answered reviews in your name. Since ${minuteOf(at)} it does not: ${because}.`,
        'What was decided with it stays. Reviews are told to you by mail and on the web as before.',
      ],
      remedy:
        'To answer in Slack again, click a button of a review there and link the account. If you do not know why this happened, ask an admin of Sallyport.',
    }),
  };
  return { kind: 'mail', key: `slack-unlinked:${digest}`, payload: { ...mail } };
}
