import { Injectable } from '@nestjs/common';
import type { Queryable } from '../../../database/queryable.js';
import type { OutboxMessage } from '../../../outbound/outbox.js';
import type { Review } from '../../review.js';
import type { ReviewerPerson } from '../../reviewers.js';
import { partiesOf } from '../../rules/eligibility.js';
import type { ReviewEvent } from '../../sql/review-events.js';
import { ReviewChannel, type Telling } from '../channel.js';
import { directMessage, postMessage, threadMessage, updateMessage } from './delivery/slack-kinds.js';
import { SlackAccess } from './setup/slack-access.js';
import { isWords, threadLine } from './threads/thread-line.js';

/**
 * A message per review in the channel of its queue and in the direct messages of whoever is asked by name, each brought
 * up to date with every change; what is said of a review meanwhile stands in the threads.
 */
@Injectable()
export class SlackChannel extends ReviewChannel {
  readonly name = 'slack';

  constructor(private readonly access: SlackAccess) {
    super();
  }

  tell(review: Review, people: readonly ReviewerPerson[], telling: Telling): readonly OutboxMessage[] {
    if (!this.access.isOn) return [];
    const direct = people
      .filter((person) => isForThem(review, telling, person))
      .map(({ personId }) => directMessage(review.id, personId, telling));
    if (telling.kind !== 'opened' || this.access.channelFor(review.policy.queue) === undefined) return direct;
    return [postMessage({ id: review.id, queue: review.policy.queue }), ...direct];
  }

  changed(review: Review): readonly OutboxMessage[] {
    if (!this.access.isOn) return [];
    return [updateMessage(review.id, review.version)];
  }

  override async noted(
    _tx: Queryable,
    reviewId: string,
    event: ReviewEvent & { readonly id: string },
  ): Promise<readonly OutboxMessage[]> {
    const line = threadLine(event);
    // While Slack is off, too: words are kept until it is on, which may be by the time this is committed.
    if (line === undefined || !(this.access.isOn || isWords(event.kind))) return [];
    return [threadMessage({ eventId: event.id, reviewId, line: { kind: event.kind, ...line } })];
  }
}

/** What is theirs alone is told to them; what many are asked, the channel tells. */
const isForThem = (review: Review, { kind }: Telling, { personId }: ReviewerPerson): boolean =>
  kind === 'assigned' ||
  kind === 'answered' ||
  kind === 'escalated' ||
  review.claim?.by.id === personId ||
  partiesOf(review).some((party) => party.kind === 'user' && party.id === personId);
