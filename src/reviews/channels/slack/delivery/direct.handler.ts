import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Database } from '../../../../database/database.js';
import { OutboxHandler, type Delivery, type OutboxDelivery, skipped } from '../../../../outbound/outbox.js';
import type { Review } from '../../../review.js';
import { isEnded } from '../../../rules/review.js';
import { findReview } from '../../../sql/find-review.js';
import { TellingShape } from '../../telling-shape.js';
import type { Telling } from '../../channel.js';
import { section } from '../block-kit.js';
import { SlackStorms } from '../digests/storms.js';
import { SlackAccess } from '../setup/slack-access.js';
import { SlackWorkspace } from '../setup/slack-workspace.js';
import { brokenFor, WORKSPACE } from '../sql/broken.js';
import { slackCopies, type SlackCopy } from '../sql/copies.js';
import { accountOfPerson } from '../sql/identities-of.js';
import { tellingText } from '../threads/thread-line.js';
import { AfterTrouble, isLongWait, PATIENT_ATTEMPTS } from './after-trouble.js';
import { DirectSight } from './direct-sight.js';
import { SlackCopies } from './slack-copies.js';
import { troubleOf, type SlackTrouble } from './slack-errors.js';
import { SlackFallback } from './slack-fallback.js';
import { SLACK_DIRECT } from './slack-kinds.js';
import { SlackSender, type Outgoing, type Posted } from './slack-sender.js';

const Payload = z.object({
  reviewId: z.uuid(),
  personId: z.string().min(1),
  telling: TellingShape,
  single: z.boolean().default(false),
});

/** Who is told what. */
interface Told {
  readonly personId: string;
  readonly userId: string;
  readonly telling: Telling;
  readonly single: boolean;
}

/** Who gave it and why, or an answer: that a copy shows only where it was posted for it. */
const saysIt = (copy: SlackCopy, telling: Telling): boolean =>
  !('by' in telling) || isDeepStrictEqual(copy.telling, telling);

/** What gives somebody a review, and does not remind them of one. */
const isFirst = ({ kind }: Telling): boolean =>
  kind === 'opened' || kind === 'assigned' || kind === 'escalated';

/**
 * Tells one person of a review in their direct messages, if their Slack account is bound and a member's: the first time
 * with the review itself, later in its thread.
 */
@Injectable()
export class SlackDirectHandler extends OutboxHandler {
  readonly kind = SLACK_DIRECT;
  override readonly concurrency = 4;
  override readonly timeoutSeconds = 20;

  constructor(
    private readonly db: Database,
    private readonly access: SlackAccess,
    private readonly workspace: SlackWorkspace,
    private readonly sender: SlackSender,
    private readonly copies: SlackCopies,
    private readonly sight: DirectSight,
    private readonly after: AfterTrouble,
    private readonly fallback: SlackFallback,
    private readonly storms: SlackStorms,
  ) {
    super();
  }

  async deliver(message: OutboxDelivery): Promise<Delivery> {
    const payload = Payload.safeParse(message.payload);
    if (!payload.success) return { kind: 'giveUp', reason: `not a telling: ${payload.error.message}` };
    const { reviewId, personId, telling, single } = payload.data;
    const review = await findReview(this.db, { id: reviewId });
    if (review === undefined) return { kind: 'giveUp', reason: 'the review is gone' };
    if (this.access.web === undefined) return skipped('Slack is not set up (any more)');
    if (isEnded(review.state) && !message.ambiguous) return skipped('already over');
    if (!(await this.sight.mayDecide(review, personId)))
      return skipped('they may not decide there (any more)');
    const untold = async (why: string): Promise<Delivery> => {
      await this.fallback.untold(review, personId, telling);
      return skipped(why);
    };
    const broken = await brokenFor(this.db, WORKSPACE);
    if (broken !== undefined) return untold(`the workspace is broken: ${broken.reason}`);
    const userId = await this.accountOf(personId);
    if (typeof userId === 'object') return this.failed(userId, message, untold);
    if (userId === undefined) return skipped('no Slack account is bound');
    const sight = await this.sight.ofAccount({ personId, userId });
    if (sight === 'unchecked') return this.failed(await this.unchecked(), message, untold);
    if (sight === 'nothing') return untold('the account is no member’s (any more)');
    const said = await this.say(review, message, { personId, userId, telling, single });
    if (said === 'over') return skipped('already over');
    if ('storm' in said) return { kind: 'sent', receipt: { storm: said.storm } };
    return said.kind === 'posted'
      ? { kind: 'sent', receipt: { channel: said.channel, ts: said.ts } }
      : this.failed(said, message, untold);
  }

  private async accountOf(personId: string): Promise<string | SlackTrouble | undefined> {
    try {
      const { teamId } = this.workspace.home ?? (await this.workspace.ask());
      return await accountOfPerson(this.db, teamId, personId);
    } catch (error) {
      return troubleOf(error);
    }
  }

  /**
   * Why Slack does not say what the account is. Nothing goes to one that may be a guest's by now; and since somebody waits
   * for the review, it is told by mail once Slack did not say it for a quarter of a minute.
   */
  private async unchecked(): Promise<SlackTrouble> {
    try {
      await this.workspace.ask();
      return { kind: 'again', reason: 'Slack does not say what the account is' };
    } catch (error) {
      return troubleOf(error);
    }
  }

  private async say(
    review: Review,
    message: OutboxDelivery,
    to: Told,
  ): Promise<Posted | SlackTrouble | 'over' | { readonly storm: string }> {
    const open = await this.sender.openDirect(to.userId);
    if (open.kind !== 'open') return open;
    // That of an account which they had before is none for this one.
    const copy = (await slackCopies(this.db, review.id)).find(({ channel }) => channel === open.channel);
    const { personId, userId } = to;
    if (copy !== undefined && copy.personId !== personId)
      await this.copies.passOn(review.id, copy, { personId, userId });
    // The copy itself said it: an earlier attempt posted it, or a telling that was recorded together with this one.
    if (copy !== undefined && copy.postedAt >= message.enqueuedAt && saysIt(copy, to.telling)) {
      await this.copies.catchUp(review.id);
      return { kind: 'posted', channel: copy.channel, ts: copy.ts };
    }
    const where = { channel: open.channel, reviewId: review.id, thread: copy?.ts };
    const earlier = await this.sender.earlier(message, where);
    if (earlier !== undefined && earlier.kind !== 'posted') return earlier;
    if (earlier === undefined && isEnded(review.state)) return 'over';
    const isNew = copy === undefined && earlier === undefined && !to.single && isFirst(to.telling);
    const storm = isNew ? await this.storms.tellsDirectly(review, open.channel, to) : undefined;
    if (storm !== undefined) return { storm };
    const said = earlier ?? (await this.send(review, message, where, to));
    if (said.kind === 'posted' && copy === undefined)
      await this.copies.posted(review, said, earlier === undefined ? review.version : 0, to);
    return said;
  }

  private async send(
    review: Review,
    message: OutboxDelivery,
    where: Pick<Outgoing, 'channel' | 'reviewId' | 'thread'>,
    to: Pick<Told, 'personId' | 'telling'>,
  ): Promise<Posted | SlackTrouble> {
    const { line, text } = tellingText(to.telling);
    if (where.thread !== undefined)
      return this.sender.post(message, { ...where, text, blocks: [section([text])] });
    const content = await this.copies.content(review, { ...to, sight: 'all' });
    const whole = { ...where, text: `${line} ${content.text}`, blocks: content.blocks };
    const said = await this.sender.post(message, whole);
    if (said.kind !== 'unfit') return said;
    return this.sender.post(message, { ...where, ...this.copies.least(review) });
  }

  private async failed(
    trouble: SlackTrouble,
    { attempt }: OutboxDelivery,
    untold: (why: string) => Promise<Delivery>,
  ): Promise<Delivery> {
    if (isHopeless(trouble, attempt)) return untold(trouble.reason);
    const after = await this.after.of(trouble, WORKSPACE, attempt);
    if (after.kind === 'broken') return untold(after.reason);
    const isSilent = trouble.kind === 'unsure' && attempt >= PATIENT_ATTEMPTS;
    return isSilent ? untold(trouble.reason) : after.delivery;
  }
}

/** This person cannot be written to so, which says nothing of the others. */
const isHopeless = (trouble: SlackTrouble, attempt: number): boolean => {
  const { kind } = trouble;
  return (
    isLongWait(trouble, attempt) ||
    kind === 'unreachable' ||
    kind === 'channel' ||
    kind === 'unfit' ||
    kind === 'gone' ||
    (kind === 'again' && attempt >= PATIENT_ATTEMPTS)
  );
};
