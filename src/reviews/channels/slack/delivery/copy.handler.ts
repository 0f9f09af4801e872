import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Database } from '../../../../database/database.js';
import {
  Outbox,
  OutboxHandler,
  type Delivery,
  type OutboxDelivery,
  type OutboxMessage,
  skipped,
} from '../../../../outbound/outbox.js';
import type { Review } from '../../../review.js';
import { isEnded } from '../../../rules/review.js';
import { findReview } from '../../../sql/find-review.js';
import { section } from '../block-kit.js';
import { SlackAccess } from '../setup/slack-access.js';
import { brokenFor, WORKSPACE } from '../sql/broken.js';
import { forgetCopy, isBehind, noteShown, slackCopies, type SlackCopy } from '../sql/copies.js';
import { findCourse } from '../sql/courses.js';
import { AfterTrouble, PATIENT_ATTEMPTS } from './after-trouble.js';
import { BrokenSlack } from './broken-slack.js';
import { lastLine } from './copy-content.js';
import { DirectSight, type Sight } from './direct-sight.js';
import { SlackCopies } from './slack-copies.js';
import type { SlackTrouble } from './slack-errors.js';
import { directMessage, postMessage, SLACK_COPY } from './slack-kinds.js';
import { retry, SlackSender, type Posted } from './slack-sender.js';

const Payload = z.object({
  reviewId: z.uuid(),
  channel: z.string().min(1),
  ts: z.string().min(1),
  probe: z.string().optional(),
});

/** Brings one message up to date. It shows the review as it is when its turn comes, and never goes back to an older state. */
@Injectable()
export class SlackCopyHandler extends OutboxHandler {
  readonly kind = SLACK_COPY;
  // All of them share the pace of the workspace's updates.
  override readonly concurrency = 2;
  override readonly timeoutSeconds = 20;

  constructor(
    private readonly db: Database,
    private readonly outbox: Outbox,
    private readonly sender: SlackSender,
    private readonly copies: SlackCopies,
    private readonly sight: DirectSight,
    private readonly access: SlackAccess,
    private readonly after: AfterTrouble,
    private readonly broken: BrokenSlack,
  ) {
    super();
  }

  async deliver(message: OutboxDelivery): Promise<Delivery> {
    const payload = Payload.safeParse(message.payload);
    if (!payload.success) return { kind: 'giveUp', reason: `not a copy: ${payload.error.message}` };
    const { reviewId, channel, ts, probe } = payload.data;
    const copy = (await slackCopies(this.db, reviewId)).find(
      (one) => one.channel === channel && one.ts === ts,
    );
    const review = await findReview(this.db, { id: reviewId });
    if (copy === undefined || review === undefined) return skipped('it is not there any more');
    const { revision } = await findCourse(this.db, reviewId);
    if (probe === undefined && !isBehind(copy, { version: review.version, steps: revision }))
      return skipped('it is up to date');
    // Whatever is missed meanwhile is shown when the place works again, or Slack is on again.
    if (this.access.web === undefined) return skipped('Slack is not set up (any more)');
    const isBroken = (await brokenFor(this.db, channel)) !== undefined;
    if (isBroken && probe === undefined) return skipped('the place is broken');
    const sight = await this.sightOf(review, copy);
    // Slack says it soon, as a rule; when it does not, the message is locked all the same, and shows nothing of the review.
    if (sight === 'unchecked' && message.attempt < PATIENT_ATTEMPTS)
      return retry({ kind: 'again', reason: 'Slack does not say what the account is' });
    return this.show(review, copy, message, sight);
  }

  /** What a channel shows is for whoever is in it. */
  private async sightOf(review: Review, { personId, userId, postedAt }: SlackCopy): Promise<Sight> {
    return personId === undefined ? 'all' : this.sight.of(review, { personId, userId, postedAt });
  }

  private async show(
    review: Review,
    copy: SlackCopy,
    message: OutboxDelivery,
    sight: Sight,
  ): Promise<Delivery> {
    const { attempt } = message;
    const { personId, telling } = copy;
    const direct = personId === undefined ? undefined : { personId, telling, sight };
    let shown = { version: review.version, steps: 0 };
    const latest = async () => {
      const now = (await findReview(this.db, { id: review.id })) ?? review;
      const content = await this.copies.content(now, direct);
      shown = content.shows;
      return content;
    };
    let said = await this.sender.update(copy, latest);
    if (said.kind === 'unfit' && sight === 'all')
      said = await this.sender.update(copy, async () => {
        const now = (await findReview(this.db, { id: review.id })) ?? review;
        return this.copies.least(now);
      });
    if (said.kind === 'gone') return this.gone(review, copy, said.reason, message, sight);
    if (said.kind !== 'updated') return this.failed(review, copy, attempt, said);
    await noteShown(this.db, review.id, copy, shown);
    await this.broken.tookMessage(copy.channel);
    return { kind: 'sent' };
  }

  /**
   * Nothing more can be shown in this message. What still stands there is said to be over, and of an open review a fresh one
   * follows: once for each message, whatever Slack says of the next.
   */
  private async gone(
    given: Review,
    copy: SlackCopy,
    reason: string,
    message: OutboxDelivery,
    sight: Sight,
  ): Promise<Delivery> {
    const review = (await findReview(this.db, { id: given.id })) ?? given;
    if (isFixed(reason)) {
      const said = await this.sayBelow(review, copy, message, sight);
      if (said.kind !== 'posted' && !isUnsayable(said))
        return this.failed(review, copy, message.attempt, said);
    }
    await this.forget(review, copy, this.afresh(review, copy, reason));
    return skipped(reason);
  }

  /** @param instead of it, while the review waits. */
  private async forget(review: Review, copy: SlackCopy, instead: readonly OutboxMessage[]): Promise<void> {
    await this.db.transaction(async (tx) => {
      await forgetCopy(tx, review.id, copy);
      if (!isEnded(review.state)) await this.outbox.enqueue(tx, instead);
    });
  }

  private async sayBelow(
    review: Review,
    { channel, ts: thread }: SlackCopy,
    message: OutboxDelivery,
    sight: Sight,
  ): Promise<Posted | SlackTrouble> {
    const where = { channel, thread, reviewId: review.id };
    const text = lastLine(review, sight);
    return (
      (await this.sender.earlier(message, where)) ??
      this.sender.post(message, { ...where, text, blocks: [section([text])] })
    );
  }

  private afresh(review: Review, { ts, personId, telling }: SlackCopy, reason: string): OutboxMessage[] {
    const key = `after-${ts}`;
    if (personId !== undefined)
      return isFixed(reason)
        ? [directMessage(review.id, personId, telling ?? { kind: 'opened' }, true, key)]
        : // They removed it, or have it in the channel.
          [];
    // Where Slack named another message than it posted, the right one is there.
    const lookSince = isFixed(reason) ? undefined : review.createdAt;
    const again = { key, lookSince, single: true };
    return [postMessage({ id: review.id, queue: review.policy.queue }, again)];
  }

  private async failed(
    review: Review,
    copy: SlackCopy,
    attempt: number,
    trouble: SlackTrouble,
  ): Promise<Delivery> {
    const isDirect = copy.personId !== undefined;
    const isAbandoned = trouble.kind === 'channel' && !this.access.channels.includes(copy.channel);
    if (isAbandoned || (isDirect && isLost(trouble))) {
      // In a channel that is none any more its buttons lead nowhere; many that move at once are told by one message.
      const { id, policy } = review;
      const moved = postMessage({ id, queue: policy.queue }, { key: `after-${copy.ts}` });
      await this.forget(review, copy, isDirect ? [] : [moved]);
      return skipped(trouble.reason);
    }
    if (trouble.kind === 'unfit') return { kind: 'giveUp', reason: trouble.reason };
    if (isDirect && trouble.kind === 'again') return retry(trouble);
    const after = await this.after.of(trouble, isDirect ? WORKSPACE : copy.channel, attempt);
    return after.kind === 'again' ? after.delivery : skipped(`${after.place} is broken: ${after.reason}`);
  }
}

/** It is there, and Slack lets nobody change it (any more), or not this app. */
const isFixed = (reason: string): boolean =>
  reason === 'edit_window_closed' || reason === 'cant_update_message';

/** No line can stand below it: also where a channel takes messages, and no threads. */
const isUnsayable = ({ kind }: SlackTrouble): boolean =>
  kind === 'gone' || kind === 'unfit' || kind === 'channel' || kind === 'unreachable';

/** Nobody can be written to there any more. */
const isLost = ({ kind }: SlackTrouble): boolean => kind === 'channel' || kind === 'unreachable';
