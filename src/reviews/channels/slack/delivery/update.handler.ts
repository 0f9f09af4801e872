import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { OutboxHandler, type Delivery, type OutboxDelivery } from '../../../../outbound/outbox.js';
import { SlackStorms } from '../digests/storms.js';
import { SlackCopies } from './slack-copies.js';
import { SLACK_UPDATE } from './slack-kinds.js';
import { SlackSteps } from './slack-steps.js';

const Payload = z.object({ reviewId: z.uuid(), again: z.string().optional() });

/** A review changed: has everything that shows it brought up to date, each message by itself. */
@Injectable()
export class SlackUpdateHandler extends OutboxHandler {
  readonly kind = SLACK_UPDATE;

  constructor(
    private readonly copies: SlackCopies,
    private readonly storms: SlackStorms,
    private readonly steps: SlackSteps,
  ) {
    super();
  }

  async deliver(message: OutboxDelivery): Promise<Delivery> {
    const payload = Payload.safeParse(message.payload);
    if (!payload.success) return { kind: 'giveUp', reason: `not a review: ${payload.error.message}` };
    const { reviewId, again } = payload.data;
    await this.copies.catchUp(reviewId, again);
    await this.storms.changed(reviewId);
    await this.steps.follow(reviewId);
    return { kind: 'sent' };
  }
}
