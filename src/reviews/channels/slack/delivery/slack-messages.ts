/* oxlint-disable unicorn/require-post-message-target-origin -- Slack's chat.postMessage, not a window's */
import { Inject, Injectable } from '@nestjs/common';
import type { WebClient } from '@slack/web-api';
import { z } from 'zod';
import { Clock } from '../../../../clock.js';
import { CONFIG, publicUrl, type Config } from '../../../../config.js';
import { Database } from '../../../../database/database.js';
import { LOG, type Log } from '../../../../ops/log.js';
import { OutboxHandler, type Delivery, type OutboxDelivery } from '../../../../outbound/outbox.js';
import type { Review } from '../../../review.js';
import { isEnded } from '../../../rules/review.js';
import { findReview } from '../../../sql/find-review.js';
import { reviewMessage } from '../review-message.js';
import { SlackAccess } from '../setup/slack-access.js';
import { SLACK_POST, SLACK_UPDATE } from '../slack.channel.js';
import { insertSlackCopy, slackCopies } from '../sql/copies.js';
import { reservePace } from '../sql/pace.js';
import { slackErrorCode, slackFailure } from './slack-errors.js';

// Slack takes one message per second and channel; updates are limited per workspace, at about 50 a minute.
const POST_EVERY_MS = 1000;
const UPDATE_EVERY_MS = 1200;
const WAIT_AT_MOST_MS = 5000;
const NOT_CONFIGURED: Delivery = {
  kind: 'retry',
  reason: 'Slack is not set up (any more), or has no channel for this queue',
  afterSeconds: 600,
};

/** metadata.event_type of our messages, by which a message is found again whose answer was lost. */
const EVENT_TYPE = 'sallyport_review';
const HISTORY_LIMIT = 200;

const Payload = z.object({ reviewId: z.uuid() });
const History = z.object({
  messages: z
    .array(
      z.object({
        ts: z.string(),
        metadata: z
          .object({ event_type: z.string(), event_payload: z.record(z.string(), z.unknown()) })
          .optional(),
      }),
    )
    .default([]),
});

/** Posts and updates in Slack, at the pace that Slack allows to all nodes together. */
@Injectable()
export class SlackMessages {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOG) private readonly log: Log,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly access: SlackAccess,
  ) {}

  async post(message: OutboxDelivery): Promise<Delivery> {
    const { web } = this.access;
    if (web === undefined) return NOT_CONFIGURED;
    const review = await this.reviewOf(message);
    if (review === undefined) return { kind: 'giveUp', reason: 'the review is gone' };
    const channel = this.access.channelFor(review.policy.queue);
    if (channel === undefined) return NOT_CONFIGURED;
    const copies = await slackCopies(this.db, review.id);
    if (copies.length > 0) return { kind: 'sent', receipt: { ...copies[0] } };
    try {
      const found = message.ambiguous ? await this.findPosted(web, channel, review) : undefined;
      if (found !== undefined) return await this.posted(review, channel, found);
      if (isEnded(review.state)) return { kind: 'sent', receipt: { skipped: 'already over' } };
      const waited = await this.waitForTurn(`post:${channel}`, POST_EVERY_MS);
      if (waited !== undefined) return waited;
      const answer = await web.chat.postMessage({
        channel,
        ...reviewMessage(review, this.inboxUrl(review), this.config.DRY_RUN),
        metadata: { event_type: EVENT_TYPE, event_payload: { review_id: review.id } },
        unfurl_links: false,
        unfurl_media: false,
        parse: 'none',
        link_names: false,
      });
      return await this.posted(review, answer.channel ?? channel, answer.ts ?? '');
    } catch (error) {
      return slackFailure(error);
    }
  }

  async update(message: OutboxDelivery): Promise<Delivery> {
    const { web } = this.access;
    if (web === undefined) return NOT_CONFIGURED;
    const review = await this.reviewOf(message);
    if (review === undefined) return { kind: 'giveUp', reason: 'the review is gone' };
    for (const copy of await slackCopies(this.db, review.id)) {
      const waited = await this.waitForTurn('update', UPDATE_EVERY_MS);
      if (waited !== undefined) return waited;
      try {
        await web.chat.update({
          channel: copy.channel,
          ts: copy.ts,
          ...reviewMessage(review, this.inboxUrl(review), this.config.DRY_RUN),
          parse: 'none',
          link_names: false,
        });
      } catch (error) {
        // Somebody deleted our message: there is no copy left to bring up to date.
        if (slackErrorCode(error) === 'message_not_found') continue;
        return slackFailure(error);
      }
    }
    return { kind: 'sent' };
  }

  private async posted(review: Review, channel: string, ts: string): Promise<Delivery> {
    await insertSlackCopy(this.db, review.id, { channel, ts }, Math.round(this.clock.now()));
    return { kind: 'sent', receipt: { channel, ts } };
  }

  /** The message of a review that may have been posted although nobody heard so. */
  private async findPosted(web: WebClient, channel: string, review: Review): Promise<string | undefined> {
    try {
      const answer = await web.conversations.history({
        channel,
        oldest: String(Math.floor(review.createdAt / 1000) - 60),
        limit: HISTORY_LIMIT,
        include_all_metadata: true,
      });
      const { messages } = History.parse({ messages: answer.messages });
      return messages.find(
        ({ metadata }) =>
          metadata?.event_type === EVENT_TYPE && metadata.event_payload['review_id'] === review.id,
      )?.ts;
    } catch (error) {
      if (slackErrorCode(error) !== 'missing_scope') throw error;
      // Without channels:history we cannot look. A second message is better than none: its buttons lead to the same review.
      this.log.warn(
        { reviewId: review.id },
        'Slack scope channels:history is missing: a message may appear twice',
      );
      return undefined;
    }
  }

  /** @returns how to end this attempt when the turn is too far away. */
  private async waitForTurn(name: string, intervalMs: number): Promise<Delivery | undefined> {
    const now = Math.round(this.clock.now());
    const turn = await reservePace(this.db, { name, now, intervalMs, horizonMs: WAIT_AT_MOST_MS });
    if (turn === undefined)
      return { kind: 'retry', reason: 'many messages before this one', afterSeconds: WAIT_AT_MOST_MS / 1000 };
    await this.clock.sleepUntil(turn);
    return undefined;
  }

  private reviewOf(message: OutboxDelivery): Promise<Review | undefined> {
    const payload = Payload.safeParse(message.payload);
    return payload.success ? findReview(this.db, { id: payload.data.reviewId }) : Promise.resolve(undefined);
  }

  private inboxUrl(review: Review): string {
    return `${publicUrl(this.config)}/reviews/${review.id}`;
  }
}

/** Delivers `slack.post`. */
@Injectable()
export class SlackPostHandler extends OutboxHandler {
  readonly kind = SLACK_POST;
  // One at a time is as fast as Slack allows.
  override readonly concurrency = 1;
  override readonly timeoutSeconds = 30;

  constructor(private readonly messages: SlackMessages) {
    super();
  }

  deliver(message: OutboxDelivery): Promise<Delivery> {
    return this.messages.post(message);
  }
}

/** Delivers `slack.update`. */
@Injectable()
export class SlackUpdateHandler extends OutboxHandler {
  readonly kind = SLACK_UPDATE;
  override readonly concurrency = 1;
  override readonly timeoutSeconds = 30;

  constructor(private readonly messages: SlackMessages) {
    super();
  }

  deliver(message: OutboxDelivery): Promise<Delivery> {
    return this.messages.update(message);
  }
}
