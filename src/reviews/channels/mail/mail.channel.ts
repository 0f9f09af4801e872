import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../../config.js';
import type { OutboxMessage } from '../../../outbound/outbox.js';
import type { Review } from '../../review.js';
import { mailRecipients, Reviewers } from '../../reviewers.js';
import { ReviewChannel } from '../channel.js';

/** Outbox kind of one reviewer's mail about one review. */
export const REVIEW_MAIL = 'review.mail';

/** One mail per reviewer and review. Mails cannot be changed; the page behind their link shows how it ended. */
@Injectable()
export class MailChannel extends ReviewChannel {
  readonly name = 'mail';

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly reviewers: Reviewers,
  ) {
    super();
  }

  async opened(review: Review): Promise<readonly OutboxMessage[]> {
    const recipients = mailRecipients(await this.reviewers.list(), this.config.REVIEW_TO);
    // Without the content: it holds a link and a code, which are made when the mail is and kept nowhere.
    return recipients.map(({ personId, name, email }) => ({
      kind: REVIEW_MAIL,
      key: `${review.id}:${email.toLowerCase()}`,
      payload: { reviewId: review.id, personId, name, email },
    }));
  }

  changed(): readonly OutboxMessage[] {
    return [];
  }
}
