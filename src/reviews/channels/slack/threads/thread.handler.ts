import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Clock } from '../../../../clock.js';
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
import { section } from '../block-kit.js';
import { AfterTrouble } from '../delivery/after-trouble.js';
import { postMessage, SLACK_DIGEST, SLACK_THREAD } from '../delivery/slack-kinds.js';
import type { SlackTrouble } from '../delivery/slack-errors.js';
import { SlackSender, type Posted } from '../delivery/slack-sender.js';
import { STORM_ABOVE } from '../digests/storms.js';
import { SlackAccess } from '../setup/slack-access.js';
import { brokenFor, staysBroken } from '../sql/broken.js';
import { forgetCopy, slackCopies, type SlackCopy } from '../sql/copies.js';
import { isPostUnderWay } from '../sql/posts.js';
import { replyOf } from '../sql/replies.js';
import { noteSaid } from '../sql/said-comments.js';
import { stormOf, waitingClockLines } from '../sql/storms.js';
import { noteAwaiting, noteUnsaid, takeBack, type Unsaid } from '../sql/unsaid.js';
import { lineNow, type NothingToSay } from './line-now.js';
import { isWords } from './thread-line.js';

const Payload = z.object({
  reviewId: z.uuid(),
  kind: z.string(),
  /** Of a comment, what an earlier release recorded: it may have changed since. */
  text: z.string().min(1).optional(),
  broadcast: z.boolean().default(false),
  commentId: z.string().optional(),
  /** Of the timeline; absent in what an earlier release recorded. */
  eventId: z
    .string()
    .regex(/^\d{1,19}$/)
    .optional(),
});
type Payload = z.infer<typeof Payload>;

// Of a review that only a storm's message tells of, these make a message of its own.
const RAISES = new Set(['escalated', 'breached']);
const AFTER_ITS_POST_SECONDS = 5;
const BY_THE_CLOCK: readonly string[] = ['reminded', 'due_soon', 'escalated', 'breached'];
const TOGETHER_EVERY_MS = 600_000;
const TOGETHER_AFTER_MS = 5000;

/** Says a line in the thread of a review's message. */
@Injectable()
export class SlackThreadHandler extends OutboxHandler {
  readonly kind = SLACK_THREAD;
  override readonly concurrency = 4;
  override readonly timeoutSeconds = 20;

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly outbox: Outbox,
    private readonly sender: SlackSender,
    private readonly after: AfterTrouble,
    private readonly access: SlackAccess,
  ) {
    super();
  }

  async deliver(message: OutboxDelivery): Promise<Delivery> {
    const payload = Payload.safeParse(message.payload);
    if (!payload.success) return { kind: 'giveUp', reason: `not a line: ${payload.error.message}` };
    const line = payload.data;
    const review = await findReview(this.db, { id: line.reviewId });
    if (review === undefined) return { kind: 'giveUp', reason: 'the review is gone' };
    const root = await this.rootOf(review.id);
    if (root === undefined) return this.withoutRoot(review, line);
    const { channel, ts: thread } = root;
    if (await this.isFlood(line)) return this.together(line, channel);
    const written = line.commentId === undefined ? undefined : await replyOf(this.db, line.commentId);
    // Whoever wrote it there sees it there.
    if (written?.channel === channel) return skipped('it was written in this thread');
    if (!this.access.isOn) return this.unsaidWhileOff(line, channel);
    const broken = await brokenFor(this.db, channel);
    if (broken !== undefined) return this.unsaid(line, channel, broken);
    const where = { channel, thread, reviewId: review.id };
    const said = await this.say(message, { ...line, isReply: written !== undefined }, where);
    if (said.kind === 'nothing') return skipped(said.reason);
    if (said.kind === 'posted') return { kind: 'sent', receipt: { channel, ts: said.ts } };
    if (said.kind === 'gone') {
      await forgetCopy(this.db, review.id, root);
      return skipped(said.reason);
    }
    if (said.kind === 'unfit') return { kind: 'giveUp', reason: said.reason };
    const after = await this.after.of(said, channel, message.attempt);
    return after.kind === 'again' ? after.delivery : this.unsaid(line, channel, after);
  }

  private async say(
    message: OutboxDelivery,
    line: Payload & { readonly isReply: boolean },
    where: { readonly channel: string; readonly thread: string; readonly reviewId: string },
  ): Promise<Posted | SlackTrouble | NothingToSay> {
    const { commentId, broadcast } = line;
    const told = async (said: Posted | SlackTrouble, version: number): Promise<Posted | SlackTrouble> => {
      if (said.kind === 'posted' && commentId !== undefined) await noteSaid(this.db, commentId, version);
      return said;
    };
    const earlier = await this.sender.earlier(message, where);
    // How the comment read then nobody knows any more.
    if (earlier !== undefined) return told(earlier, 0);
    const now = await lineNow(this.db, line);
    if (now.kind === 'nothing') return now;
    const { text, version = 0 } = now;
    return told(
      await this.sender.post(message, { ...where, text, broadcast, blocks: [section([text])] }),
      version,
    );
  }

  /** What people said is said once the place works again. */
  private async unsaid(
    line: Payload,
    channel: string,
    { place, reason }: { readonly place: string; readonly reason: string },
  ): Promise<Delivery> {
    const unsaid = unsaidOf(line);
    if (unsaid === undefined) return skipped(reason);
    return this.db.transaction(async (tx) => {
      if (!(await staysBroken(tx, place))) return MENDED_MEANWHILE;
      await noteUnsaid(tx, { ...unsaid, place: channel });
      return skipped(`${place} is broken: ${reason}`);
    });
  }

  private async unsaidWhileOff(line: Payload, channel: string): Promise<Delivery> {
    const unsaid = unsaidOf(line);
    if (unsaid !== undefined) await noteUnsaid(this.db, { ...unsaid, place: channel });
    if (!this.access.isOn) return skipped('Slack is not set up (any more)');
    return unsaid === undefined ? MENDED_MEANWHILE : this.unlessTaken(unsaid);
  }

  /** What it was kept for came at the same moment: it is said now, if nobody came for it. */
  private async unlessTaken({ eventId }: Unsaid): Promise<Delivery> {
    return (await takeBack(this.db, eventId)) ? MENDED_MEANWHILE : skipped('it is said by another message');
  }

  private async rootOf(reviewId: string): Promise<SlackCopy | undefined> {
    return (await slackCopies(this.db, reviewId)).find(({ personId }) => personId === undefined);
  }

  /** After an outage all that is overdue comes at once: a line for each would take the channel for itself. */
  private async isFlood({ kind }: Payload): Promise<boolean> {
    if (!BY_THE_CLOCK.includes(kind)) return false;
    return (await waitingClockLines(this.db, BY_THE_CLOCK)) > STORM_ABOVE;
  }

  /** One message tells of what is overdue; of reminders the message itself and the digests say enough. */
  private async together({ kind }: Payload, channel: string): Promise<Delivery> {
    if (RAISES.has(kind)) {
      const now = Math.round(this.clock.now());
      const at = (Math.floor(now / TOGETHER_EVERY_MS) + 1) * TOGETHER_EVERY_MS;
      await this.outbox.enqueue(this.db, [
        {
          kind: SLACK_DIGEST,
          key: `late:${channel}:${at}`,
          payload: { kind: 'late', channel, from: now, at },
          notBefore: now + TOGETHER_AFTER_MS,
        },
      ]);
    }
    return skipped('many such lines are told together');
  }

  private async withoutRoot(review: Review, line: Payload): Promise<Delivery> {
    const unsaid = unsaidOf(line);
    // Also of one that ended meanwhile: its message may have arrived, and only its answer be missing.
    const isUnderWay = await isPostUnderWay(this.db, review);
    if (unsaid !== undefined && (isUnderWay || !isEnded(review.state))) return this.awaitsItsMessage(unsaid);
    if (isUnderWay)
      return { kind: 'later', reason: 'its message comes first', afterSeconds: AFTER_ITS_POST_SECONDS };
    // Posted between the two looks.
    if ((await this.rootOf(review.id)) !== undefined) return ITS_MESSAGE_CAME;
    if (isEnded(review.state)) return skipped('there is no message to belong to');
    const channel = this.access.channelFor(review.policy.queue) ?? '';
    if (RAISES.has(line.kind) && (await stormOf(this.db, review.id, channel)) !== undefined)
      await this.outbox.enqueue(this.db, [
        postMessage({ id: review.id, queue: review.policy.queue }, { key: 'raised', single: true }),
      ]);
    return skipped('there is no message to belong to');
  }

  /** What people say of a review that is not shown, or not yet, is said once it is; after what they said before. */
  private async awaitsItsMessage(unsaid: Unsaid): Promise<Delivery> {
    await noteAwaiting(this.db, unsaid);
    if ((await this.rootOf(unsaid.reviewId)) === undefined)
      return skipped('it waits for the message of its review');
    return this.unlessTaken(unsaid);
  }
}

const MENDED_MEANWHILE: Delivery = { kind: 'later', reason: 'it works again', afterSeconds: 1 };

const ITS_MESSAGE_CAME: Delivery = { kind: 'later', reason: 'its message came', afterSeconds: 1 };

/** `undefined` of what only the clock says. */
function unsaidOf({ eventId, reviewId, text, ...line }: Payload): Unsaid | undefined {
  if (eventId === undefined || !isWords(line.kind)) return undefined;
  return { eventId, reviewId, line: line.commentId === undefined ? { ...line, text } : line };
}
