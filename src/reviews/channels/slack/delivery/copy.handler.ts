import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Database } from '../../../../database/database.js';
import {
  Outbox,
  OutboxHandler,
  type Delivery,
  type OutboxDelivery,
  skipped,
} from '../../../../outbound/outbox.js';
import type { Review } from '../../../review.js';
import { isEnded } from '../../../rules/review.js';
import { findReview } from '../../../sql/find-review.js';
import { SlackAccess } from '../setup/slack-access.js';
import { brokenFor, WORKSPACE } from '../sql/broken.js';
import { forgetCopy, isBehind, noteShown, slackCopies, type SlackCopy } from '../sql/copies.js';
import { findCourse } from '../sql/courses.js';
import { AfterTrouble, PATIENT_ATTEMPTS } from './after-trouble.js';
import { BrokenSlack } from './broken-slack.js';
import { DirectSight, type Sight } from './direct-sight.js';
import { SlackCopies } from './slack-copies.js';
import type { SlackTrouble } from './slack-errors.js';
import { postMessage, SLACK_COPY } from './slack-kinds.js';
import { retry, SlackSender } from './slack-sender.js';

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
    return this.show(review, copy, message.attempt, sight);
  }

  /** What a channel shows is for whoever is in it. */
  private async sightOf(review: Review, { personId, userId, postedAt }: SlackCopy): Promise<Sight> {
    return personId === undefined ? 'all' : this.sight.of(review, { personId, userId, postedAt });
  }

  private async show(review: Review, copy: SlackCopy, attempt: number, sight: Sight): Promise<Delivery> {
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
    if (said.kind !== 'updated') return this.failed(review, copy, attempt, said);
    await noteShown(this.db, review.id, copy, shown);
    await this.broken.tookMessage(copy.channel);
    return { kind: 'sent' };
  }

  private async failed(
    review: Review,
    copy: SlackCopy,
    attempt: number,
    trouble: SlackTrouble,
  ): Promise<Delivery> {
    const isDirect = copy.personId !== undefined;
    const isAbandoned = trouble.kind === 'channel' && !this.access.channels.includes(copy.channel);
    if (trouble.kind === 'gone' || isAbandoned || (isDirect && isLost(trouble))) {
      await forgetCopy(this.db, review.id, copy);
      // Another app's, since the app was made anew, or in a channel that is none any more: its buttons would lead nowhere.
      const isNoUse = isAbandoned || trouble.reason === 'cant_update_message';
      if (isNoUse && !isDirect && !isEnded(review.state))
        await this.outbox.enqueue(this.db, [
          postMessage({ id: review.id, queue: review.policy.queue }, { key: `after-${copy.ts}` }),
        ]);
      return skipped(trouble.reason);
    }
    if (trouble.kind === 'unfit') return { kind: 'giveUp', reason: trouble.reason };
    if (isDirect && trouble.kind === 'again') return retry(trouble);
    const after = await this.after.of(trouble, isDirect ? WORKSPACE : copy.channel, attempt);
    return after.kind === 'again' ? after.delivery : skipped(`${after.place} is broken: ${after.reason}`);
  }
}

/** Nobody can be written to there any more. */
const isLost = ({ kind }: SlackTrouble): boolean => kind === 'channel' || kind === 'unreachable';
