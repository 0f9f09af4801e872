import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Database } from '../../../../database/database.js';
import { OutboxHandler, type Delivery, type OutboxDelivery, skipped } from '../../../../outbound/outbox.js';
import type { Review } from '../../../review.js';
import { isEnded } from '../../../rules/review.js';
import { findReview } from '../../../sql/find-review.js';
import { SlackStorms } from '../digests/storms.js';
import { SlackAccess } from '../setup/slack-access.js';
import { brokenFor, placeOfQueue, WORKSPACE } from '../sql/broken.js';
import { slackCopies } from '../sql/copies.js';
import { AfterTrouble, isLongWait } from './after-trouble.js';
import { BrokenSlack } from './broken-slack.js';
import { SlackCopies } from './slack-copies.js';
import type { SlackTrouble } from './slack-errors.js';
import { SlackFallback } from './slack-fallback.js';
import { SLACK_POST } from './slack-kinds.js';
import { SlackSender, type Posted } from './slack-sender.js';

const Payload = z.object({
  reviewId: z.uuid(),
  lookSince: z.number().optional(),
  single: z.boolean().default(false),
});

const NO_CHANNEL_AFTER_SECONDS = 60;
// What an operator sets up takes minutes; by then whoever is asked should hear of it.
const NO_CHANNEL_ATTEMPTS = 3;

/** Posts a review's own message into the channel of its queue, once. */
@Injectable()
export class SlackPostHandler extends OutboxHandler {
  readonly kind = SLACK_POST;
  // A lane for each queue: a channel that is slow or must wait holds up its own.
  override readonly concurrency = 8;
  // Its turn, and an answer: also how long a process that was killed holds its message up.
  override readonly timeoutSeconds = 20;

  constructor(
    private readonly db: Database,
    private readonly access: SlackAccess,
    private readonly sender: SlackSender,
    private readonly copies: SlackCopies,
    private readonly broken: BrokenSlack,
    private readonly after: AfterTrouble,
    private readonly fallback: SlackFallback,
    private readonly storms: SlackStorms,
  ) {
    super();
  }

  async deliver(message: OutboxDelivery): Promise<Delivery> {
    const payload = Payload.safeParse(message.payload);
    if (!payload.success) return { kind: 'giveUp', reason: `not a review: ${payload.error.message}` };
    const review = await findReview(this.db, { id: payload.data.reviewId });
    if (review === undefined) return { kind: 'giveUp', reason: 'the review is gone' };
    const known = (await slackCopies(this.db, review.id)).find(({ personId }) => personId === undefined);
    if (known !== undefined) {
      // Left behind by an attempt that ended right after it.
      await this.copies.catchUp(review.id);
      return { kind: 'sent', receipt: { channel: known.channel, ts: known.ts } };
    }
    const channel = this.access.channelFor(review.policy.queue);
    if (channel === undefined) return this.nowhere(review, message);
    const { lookSince } = payload.data;
    const row = lookSince === undefined ? message : { ...message, ambiguous: true, enqueuedAt: lookSince };
    const where = { channel, reviewId: review.id };
    const broken = await brokenFor(this.db, channel);
    if (broken !== undefined) return this.unshown(review, broken, row);
    const earlier = await this.sender.earlier(row, where);
    if (earlier?.kind === 'posted') return this.posted(review, earlier, 0);
    if (earlier !== undefined) return this.failed(review, channel, row, earlier);
    if (isEnded(review.state)) return skipped('already over');
    const storm = payload.data.single ? undefined : await this.storms.tells(review, channel);
    if (storm !== undefined) return { kind: 'sent', receipt: { storm } };
    let said = await this.sender.post(row, { ...where, ...(await this.copies.content(review)) });
    if (said.kind === 'unfit') said = await this.sender.post(row, { ...where, ...this.copies.least(review) });
    return said.kind === 'posted'
      ? this.posted(review, said, review.version)
      : this.failed(review, channel, row, said);
  }

  private async posted(review: Review, posted: Posted, shown: number): Promise<Delivery> {
    await this.copies.posted(review, posted, shown);
    // What takes a message works, whoever found it broken meanwhile.
    if ((await brokenFor(this.db, posted.channel)) !== undefined) {
      await this.broken.mended(posted.channel);
      await this.broken.mended(WORKSPACE);
    }
    return { kind: 'sent', receipt: { channel: posted.channel, ts: posted.ts } };
  }

  private async failed(
    review: Review,
    channel: string,
    row: OutboxDelivery,
    trouble: SlackTrouble,
  ): Promise<Delivery> {
    const after = await this.after.of(trouble, channel, row.attempt);
    if (after.kind === 'again') {
      // It is told now, and posted once Slack takes it.
      if (isLongWait(trouble))
        await this.fallback.unshown(review, { place: channel, reason: trouble.reason, isBroken: false });
      return after.delivery;
    }
    const isUnsure = trouble.kind === 'unsure';
    return this.unshown(review, after, isUnsure ? { ...row, ambiguous: true } : row);
  }

  private async unshown(
    review: Review,
    { place, reason }: { readonly place: string; readonly reason: string },
    { ambiguous, enqueuedAt }: OutboxDelivery,
  ): Promise<Delivery> {
    const isBroken = place !== placeOfQueue(review.policy.queue);
    const lookSince = ambiguous ? enqueuedAt : undefined;
    await this.fallback.unshown(review, { place, reason, lookSince, isBroken });
    return skipped(`${place} is broken: ${reason}`);
  }

  /** Slack was switched off, or this queue has no channel (any more). */
  private async nowhere(review: Review, row: OutboxDelivery): Promise<Delivery> {
    const reason = 'Slack is not set up (any more), or has no channel for this queue';
    if (row.attempt < NO_CHANNEL_ATTEMPTS)
      return { kind: 'retry', reason, afterSeconds: NO_CHANNEL_AFTER_SECONDS };
    return this.unshown(review, { place: placeOfQueue(review.policy.queue), reason }, row);
  }
}
