import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../../config.js';
import type { OutboxMessage } from '../../../outbound/outbox.js';
import type { Review } from '../../review.js';
import { mailRecipients, type MailRecipient, type ReviewerPerson } from '../../reviewers.js';
import { ReviewChannel, type Telling } from '../channel.js';
import { wanting } from './preferences/wanted.js';

/** Outbox kind of one reviewer's mail about one review. */
export const REVIEW_MAIL = 'review.mail';
/** The same of one mail about many. */
export const REVIEW_DIGEST = 'review.digest';

/** Whoever is reminded of more at once gets one mail about all of them. */
export const MOST_SINGLE_REMINDERS = 3;

/** One mail per person and telling. Mails cannot be changed; the page behind their link shows how it ended. */
@Injectable()
export class MailChannel extends ReviewChannel {
  readonly name = 'mail';

  constructor(@Inject(CONFIG) private readonly config: Pick<Config, 'REVIEW_TO'>) {
    super();
  }

  tell(review: Review, people: readonly ReviewerPerson[], telling: Telling): readonly OutboxMessage[] {
    // The team's own addresses hear of what everybody is asked, once.
    const isForAll = telling.kind === 'opened' && review.policy.to.length === 0 && review.claim === undefined;
    const recipients = mailRecipients(
      wanting(review, telling, people),
      isForAll ? this.config.REVIEW_TO : [],
    );
    return recipients.map((to) => reviewMail(review, to, telling));
  }

  changed(): readonly OutboxMessage[] {
    return [];
  }

  /** Mails all of these whatever they want less of, where they cannot be told otherwise. Whoever got this mail gets no second. */
  instead(review: Review, people: readonly ReviewerPerson[], telling: Telling): readonly OutboxMessage[] {
    return mailRecipients(people, []).map((to) => reviewMail(review, to, telling));
  }
}

// Without the content: it holds a link and a code, which are made when the mail is and kept nowhere.
const reviewMail = (
  review: Review,
  { personId, name, email }: MailRecipient,
  telling: Telling,
): OutboxMessage => ({
  kind: REVIEW_MAIL,
  key: `${review.id}:${email.toLowerCase()}${suffixOf(telling)}`,
  payload: { reviewId: review.id, personId, name, email, telling },
});

/** Message-ID of the first mail about a review to one address: all others to it belong to its thread. */
export const threadOf = (reviewId: string, email: string): string =>
  `review-${reviewId}.${createHash('sha256').update(email.toLowerCase()).digest('hex').slice(0, 12)}`;

/** One mail that reminds a person of many; nothing for who has no address. @param id of this set of reminders. */
export function digestMessage(
  { personId, name, email }: ReviewerPerson,
  reviews: readonly Review[],
  id: string,
): readonly OutboxMessage[] {
  if (email === undefined || email === '') return [];
  return [
    {
      kind: REVIEW_DIGEST,
      key: `${personId}:${id}`,
      payload: { id, personId, name, email, reviewIds: reviews.map((review) => review.id) },
    },
  ];
}

/** Makes a message of a telling unique; the opening has none, as in earlier releases. */
export function suffixOf(telling: Telling): string {
  switch (telling.kind) {
    case 'opened':
      return '';
    case 'assigned':
    case 'answered':
      return `:${telling.kind}-${telling.version}`;
    case 'reminder':
      return `:reminder-${telling.step}`;
    case 'escalated':
      return `:escalated-${telling.step}-${telling.loop}`;
    case 'renewed':
      return `:renewed-${telling.round}`;
    default:
      return telling satisfies never;
  }
}
