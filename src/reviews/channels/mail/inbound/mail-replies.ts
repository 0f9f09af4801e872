import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../../../clock.js';
import { CONFIG, publicUrl, type Config } from '../../../../config.js';
import { Database } from '../../../../database/database.js';
import { AppError } from '../../../../errors.js';
import { Outbox } from '../../../../outbound/outbox.js';
import { OutboxBell } from '../../../../outbound/outbox-bell.js';
import { escapeHtml } from '../../../../outbound/safe-text.js';
import { ReviewComments } from '../../../comments/comments.service.js';
import { ReviewWriter } from '../../../review-writer.js';
import type { Review } from '../../../review.js';
import { ReviewsService } from '../../../reviews.service.js';
import { outcomeFacts } from '../../../rules/outcome.js';
import { isEnded } from '../../../rules/review.js';
import type { ReviewLink } from '../../../sql/links.js';
import { mailSpeaker, MailLinkService } from '../mail-link.service.js';
import { threadOf } from '../mail.channel.js';
import { markReceived, MOST_RECEIVED, receivedCount } from './received.js';
import { help, readReply, type ReplyCommand } from './reply-text.js';

/** Does what a proved reply asks for, and answers whoever wrote it. */
@Injectable()
export class MailReplies {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly outbox: Outbox,
    private readonly bell: OutboxBell,
    private readonly links: MailLinkService,
    private readonly reviews: ReviewsService,
    private readonly comments: ReviewComments,
    private readonly writer: ReviewWriter,
  ) {}

  /** An answer that a machine gave, as of somebody who is away: told in the timeline, and nothing else. */
  async automatic(link: ReviewLink, digest: Buffer): Promise<void> {
    if ((await receivedCount(this.db, link.handle)) >= MOST_RECEIVED) return;
    const now = Math.round(this.clock.now());
    await this.db.transaction(async (tx) => {
      if (await markReceived(tx, link.handle, digest, now))
        await this.writer.note(tx, link.reviewId, 'auto_replied', mailSpeaker(link, 'mail-reply'), now, {});
    });
  }

  /** @param digest of the mail, by which the same one is known when it comes again. */
  async take(link: ReviewLink, text: string, digest: Buffer): Promise<void> {
    // Whoever writes more than this is a machine, and is not answered.
    if ((await receivedCount(this.db, link.handle)) >= MOST_RECEIVED) return;
    const review = await this.reviews.get(link.reviewId);
    const said = await this.obey(link, review, readReply(text, review.outcomes), digest);
    await this.db.transaction(async (tx) => {
      const now = Math.round(this.clock.now());
      await markReceived(tx, link.handle, digest, now);
      await this.answer(tx, link, digest, said);
    });
    this.bell.ring();
  }

  /** @returns what is answered. */
  private async obey(
    link: ReviewLink,
    review: Review,
    command: ReplyCommand,
    digest: Buffer,
  ): Promise<string> {
    if (!(await this.links.isStillReviewer(link))) return 'You may no longer decide. Nothing was changed.';
    if (command.kind === 'nothing') return `Your reply was empty. ${help(review, this.config.MAIL_REPLIES)}`;
    if (command.kind === 'comment') {
      await this.comments.add(review, command.text, mailSpeaker(link, 'mail-reply'), (tx) =>
        markReceived(tx, link.handle, digest, Math.round(this.clock.now())),
      );
      return `Your reply was added as a comment; it decided nothing. ${help(review, this.config.MAIL_REPLIES)}`;
    }
    const refusal = this.notByReply(review, command);
    if (refusal !== undefined) return refusal;
    try {
      await this.reviews.change(review.id, asked(link, command), mailSpeaker(link, 'mail-reply'), (tx) =>
        markReceived(tx, link.handle, digest, Math.round(this.clock.now())),
      );
    } catch (error) {
      if (error instanceof AppError && error.status < 500) return `${error.message} Nothing was changed.`;
      throw error;
    }
    return command.kind === 'claim'
      ? 'It is yours now: nobody else is asked until you decide or give it back.'
      : `Your choice “${outcomeFacts(command.outcome).label}” is recorded.`;
  }

  private notByReply(review: Review, command: ReplyCommand): string | undefined {
    const { MAIL_REPLIES: allowed } = this.config;
    if (isEnded(review.state)) return undefined; // The refusal says who was first.
    if (allowed === 'comment')
      return 'Replies only comment here; nothing was changed. Decide on the web page.';
    if (command.kind !== 'decide' || allowed === 'decide') return undefined;
    return review.policy.rejecting.includes(command.outcome)
      ? undefined
      : `“${outcomeFacts(command.outcome).label}” is not chosen by a reply; nothing was changed. Use the page and the code of the mail.`;
  }

  private answer(
    tx: Parameters<Outbox['enqueue']>[0],
    link: ReviewLink,
    digest: Buffer,
    said: string,
  ): Promise<void> {
    const url = `${publicUrl(this.config)}/reviews/${link.reviewId}`;
    const key = `${link.handle}-${digest.toString('hex').slice(0, 32)}`;
    const text = `${said}\n\nThe review: ${url}\nWe never ask for your password by mail.\n`;
    const html = `<!doctype html><html lang="en"><body><p>${escapeHtml(said)}</p>
<p><a href="${escapeHtml(url)}">The review</a></p><p>We never ask for your password by mail.</p></body></html>`;
    return this.outbox.enqueue(tx, [
      {
        kind: 'mail',
        key: `reply:${key}`,
        payload: {
          to: [link.email],
          subject: '[Sallyport] Your reply',
          text,
          html,
          messageId: `reply-${key}`,
          inReplyTo: threadOf(link.reviewId, link.email),
        },
      },
    ]);
  }
}

const asked = (link: ReviewLink, command: ReplyCommand & { kind: 'claim' | 'decide' }) =>
  command.kind === 'claim'
    ? ({ kind: 'claim' } as const)
    : ({ ...command, digest: link.subjectDigest } as const);
