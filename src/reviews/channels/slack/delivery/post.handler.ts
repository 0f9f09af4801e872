import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Database } from '../../../../database/database.js';
import { OutboxHandler, type Delivery, type OutboxDelivery, skipped } from '../../../../outbound/outbox.js';
import type { Review } from '../../../review.js';
import { isEnded } from '../../../rules/review.js';
import { findReview } from '../../../sql/find-review.js';
import { SlackStorms } from '../digests/storms.js';
import { SlackAccess } from '../setup/slack-access.js';
import { brokenFor, WORKSPACE } from '../sql/broken.js';
import { slackCopies } from '../sql/copies.js';
import { forgetPostings, notePosting, postingsOf } from '../sql/postings.js';
import { waitingUntold } from '../sql/posts.js';
import { forgetUnshown, placeOfQueue } from '../sql/unshown.js';
import { AfterTrouble, isLongWait, PATIENT_ATTEMPTS } from './after-trouble.js';
import { BrokenSlack } from './broken-slack.js';
import { SlackCopies } from './slack-copies.js';
import type { SlackTrouble } from './slack-errors.js';
import { SlackFallback } from './slack-fallback.js';
import { SLACK_POST } from './slack-kinds.js';
import { retry, SlackSender, type Posted } from './slack-sender.js';

const Payload = z.object({
  reviewId: z.uuid(),
  lookSince: z.number().optional(),
  single: z.boolean().default(false),
  tried: z.number().int().default(0),
  probe: z.string().optional(),
});

/** How often a message may fail alone after its channel had worked for others: then the trouble is its own. */
const MOST_TRIED = 2;

const MEANWHILE_EVERY_SECONDS = 60;
const MOST_TOLD_MEANWHILE = 500;
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
    const { reviewId, lookSince, single, tried, probe } = payload.data;
    const review = await findReview(this.db, { id: reviewId });
    if (review === undefined) return { kind: 'giveUp', reason: 'the review is gone' };
    const known = (await slackCopies(this.db, review.id)).find(({ personId }) => personId === undefined);
    if (known !== undefined) {
      // Left behind by an attempt that ended right after it.
      await this.copies.catchUp(review.id);
      return { kind: 'sent', receipt: { channel: known.channel, ts: known.ts } };
    }
    const channel = this.access.channelFor(review.policy.queue);
    const row = lookSince === undefined ? message : { ...message, ambiguous: true, enqueuedAt: lookSince };
    if (channel === undefined) return this.nowhere(review, row);
    const broken = await brokenFor(this.db, channel);
    // Others went through while it was tried.
    const isOutdone = probe !== undefined && broken === undefined;
    const posting = {
      review,
      channel,
      row,
      tried: isOutdone ? tried + 1 : tried,
      ...(probe !== undefined && broken !== undefined ? { probed: broken.place } : {}),
    };
    if (broken !== undefined && probe === undefined) return this.unshown(posting, broken, row.ambiguous);
    const earlier = await this.sender.earlier(row, { channel, reviewId: review.id });
    if (earlier?.kind === 'posted') return this.posted(review, earlier, 0);
    if (earlier !== undefined) return this.failed(posting, earlier);
    const elsewhere = row.ambiguous ? await this.elsewhere(posting) : undefined;
    if (elsewhere?.kind === 'posted') return this.posted(review, elsewhere, 0);
    if (elsewhere !== undefined && row.attempt < PATIENT_ATTEMPTS) return retry(elsewhere);
    if (isEnded(review.state)) return skipped('already over');
    const storm = single ? undefined : await this.storms.tells(review, channel);
    if (storm !== undefined) return { kind: 'sent', receipt: { storm } };
    const said = await this.post(posting);
    return said.kind === 'posted' ? this.posted(review, said, review.version) : this.failed(posting, said);
  }

  private async post({ review, channel, row }: Posting): Promise<Posted | SlackTrouble> {
    await notePosting(this.db, review.id, channel);
    const where = { channel, reviewId: review.id };
    const said = await this.sender.post(row, { ...where, ...(await this.copies.content(review)) });
    return said.kind === 'unfit' ? this.sender.post(row, { ...where, ...this.copies.least(review) }) : said;
  }

  /**
   * What an earlier attempt posted where the queue had another channel. That this one does not answer now is tried some times,
   * and is no trouble of the channel in which the review belongs now: a second message is better than none.
   */
  private async elsewhere({ review, channel, row }: Posting): Promise<Posted | SlackTrouble | undefined> {
    for (const other of await postingsOf(this.db, review.id)) {
      if (other === channel) continue;
      const there = await this.sender.earlier(row, { channel: other, reviewId: review.id });
      // Where the app cannot look any more nobody clicks any more either.
      if (there !== undefined && !isNowhere(there)) return there;
    }
    return undefined;
  }

  private async posted(review: Review, posted: Posted, shown: number): Promise<Delivery> {
    await this.copies.posted(review, posted, shown);
    await forgetPostings(this.db, review.id);
    // Noted while Slack asked to wait.
    await forgetUnshown(this.db, review.id);
    await this.broken.tookMessage(posted.channel);
    return { kind: 'sent', receipt: { channel: posted.channel, ts: posted.ts } };
  }

  private async failed(posting: Posting, trouble: SlackTrouble): Promise<Delivery> {
    const { review, channel, row, probed } = posting;
    // Slack answered this app, and refused what is smaller.
    if (probed === WORKSPACE && isOfLess(trouble)) await this.broken.mended(WORKSPACE);
    // It was told by mail when it failed first.
    if (probed === undefined && (await this.isItsOwn(posting, trouble)))
      return skipped(`Slack does not take it: ${trouble.reason}`);
    const after = await this.after.of(trouble, channel, row.attempt);
    if (after.kind === 'again') {
      if (!isLongWait(trouble, row.attempt)) return after.delivery;
      await this.tellMeanwhile(review, channel, trouble.reason);
      return soon(after.delivery);
    }
    return this.unshown(posting, after, row.ambiguous || trouble.kind === 'unsure');
  }

  /** It failed alone, each time after its channel had taken others. */
  private async isItsOwn({ tried, row }: Posting, trouble: SlackTrouble): Promise<boolean> {
    if (tried < MOST_TRIED || row.attempt < PATIENT_ATTEMPTS || !isOfMessage(trouble)) return false;
    return trouble.kind !== 'unsure' || this.after.isSlackThere();
  }

  /** They are told by mail now, and posted once Slack takes them: this review, and those that wait behind it. */
  private async tellMeanwhile({ policy }: Review, channel: string, reason: string): Promise<void> {
    for (const id of await waitingUntold(this.db, policy.queue, MOST_TOLD_MEANWHILE)) {
      const one = await findReview(this.db, { id });
      if (one !== undefined)
        await this.fallback.unshown(one, { place: channel, reason, tried: 0, isBroken: false });
    }
  }

  private async unshown(
    { review, row, tried }: Pick<Posting, 'review' | 'row' | 'tried'>,
    { place, reason }: { readonly place: string; readonly reason: string },
    isAmbiguous: boolean,
  ): Promise<Delivery> {
    const isBroken = place !== placeOfQueue(review.policy.queue);
    const lookSince = isAmbiguous ? row.enqueuedAt : undefined;
    await this.fallback.unshown(review, { place, reason, lookSince, tried, isBroken });
    return skipped(`${place} is broken: ${reason}`);
  }

  /** Slack was switched off, or this queue has no channel (any more). */
  private async nowhere(review: Review, row: OutboxDelivery): Promise<Delivery> {
    const reason = 'Slack is not set up (any more), or has no channel for this queue';
    if (row.attempt < NO_CHANNEL_ATTEMPTS)
      return { kind: 'retry', reason, afterSeconds: NO_CHANNEL_AFTER_SECONDS };
    const place = placeOfQueue(review.policy.queue);
    return this.unshown({ review, row, tried: 0 }, { place, reason }, row.ambiguous);
  }
}

/** Those who come behind it during a long wait are told by mail too: it is looked after them now and then. */
const soon = (delivery: Delivery): Delivery =>
  'afterSeconds' in delivery && delivery.afterSeconds !== undefined
    ? { ...delivery, afterSeconds: Math.min(delivery.afterSeconds, MEANWHILE_EVERY_SECONDS) }
    : delivery;

/** One attempt to post a review's message. */
interface Posting {
  readonly review: Review;
  readonly channel: string;
  readonly row: OutboxDelivery;
  readonly tried: number;
  /** The broken place that it shows to work again, or not. */
  readonly probed?: string | undefined;
}

/** Not of the workspace as a whole. */
const isOfLess = ({ kind }: SlackTrouble): boolean =>
  kind === 'channel' || kind === 'again' || kind === 'unfit' || kind === 'gone';

/** The message may be to blame, and not the channel: also where something between us and Slack lets none of it through. */
const isOfMessage = ({ kind }: SlackTrouble): boolean =>
  kind === 'again' || kind === 'unfit' || kind === 'gone' || kind === 'unsure';

const isNowhere = ({ kind }: Posted | SlackTrouble): boolean =>
  kind === 'channel' || kind === 'gone' || kind === 'again' || kind === 'workspace';
