import { Injectable } from '@nestjs/common';
import type { OutboxMessage } from '../../../outbound/outbox.js';
import type { Review } from '../../review.js';
import type { ReviewerPerson } from '../../reviewers.js';
import { ReviewChannel, type Telling } from '../channel.js';
import { SlackAccess } from './setup/slack-access.js';

/** Outbox kinds of a review's message in Slack. */
export const SLACK_POST = 'slack.post';
export const SLACK_UPDATE = 'slack.update';

const group = (review: Review): string => `slack:${review.id}`;

/** One message per review in the configured channel, brought up to date with every change. */
@Injectable()
export class SlackChannel extends ReviewChannel {
  readonly name = 'slack';

  constructor(private readonly access: SlackAccess) {
    super();
  }

  tell(review: Review, _people: readonly ReviewerPerson[], telling: Telling): readonly OutboxMessage[] {
    // One message is for all; what follows brings it up to date.
    if (!this.access.isOn || telling.kind !== 'opened') return [];
    return [{ kind: SLACK_POST, key: review.id, group: group(review), payload: { reviewId: review.id } }];
  }

  changed(review: Review): readonly OutboxMessage[] {
    if (!this.access.isOn) return [];
    // The handler shows the review as it is by then, so an update that comes late cannot show something old.
    const key = `${review.id}:${review.version}`;
    return [{ kind: SLACK_UPDATE, key, group: group(review), payload: { reviewId: review.id } }];
  }
}
