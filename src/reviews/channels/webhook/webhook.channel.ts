import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, publicUrl, type Config } from '../../../config.js';
import type { Queryable } from '../../../database/queryable.js';
import type { OutboxMessage } from '../../../outbound/outbox.js';
import type { ReviewEvent } from '../../sql/review-events.js';
import { WEBHOOK } from '../../sql/webhook-deliveries.js';
import { subscribersOf } from '../../sql/webhooks.js';
import { ReviewChannel } from '../channel.js';
import { eventBody } from './webhook-event.js';

/** Of one subscription so many messages are on their way at once; those of one review one after the other. */
export const LANES = 2;

/** Tells every change of a review to those who subscribed to it: one message for each subscription and event. */
@Injectable()
export class WebhookChannel extends ReviewChannel {
  readonly name = 'webhook';
  private readonly publicUrl: string;

  constructor(@Inject(CONFIG) config: Config) {
    super();
    this.publicUrl = publicUrl(config);
  }

  tell(): readonly OutboxMessage[] {
    return [];
  }

  changed(): readonly OutboxMessage[] {
    return [];
  }

  override async noted(
    tx: Queryable,
    reviewId: string,
    event: ReviewEvent & { readonly id: string },
  ): Promise<readonly OutboxMessage[]> {
    const subscribers = await subscribersOf(tx, reviewId, `review.${event.kind}`);
    const messageId = `evt_${event.id}`;
    return subscribers.map(({ webhookId, review }) => ({
      kind: WEBHOOK,
      key: `${webhookId}:${messageId}`,
      // A receiver that does not answer holds up its own lane and nobody else's.
      group: `${WEBHOOK}:${webhookId}:${laneOf(reviewId)}`,
      payload: {
        webhookId,
        messageId,
        reviewId,
        type: `review.${event.kind}`,
        body: eventBody(event, review, this.publicUrl),
      },
    }));
  }
}

const laneOf = (reviewId: string): number => Number.parseInt(reviewId.slice(-4), 16) % LANES;
