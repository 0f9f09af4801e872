import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Clock } from '../../../clock.js';
import { CONFIG, publicUrl, type Config } from '../../../config.js';
import { Database } from '../../../database/database.js';
import { Mailer } from '../../../outbound/mail/mailer.js';
import { OutboxHandler, type Delivery, type OutboxDelivery, skipped } from '../../../outbound/outbox.js';
import { isEnded } from '../../rules/review.js';
import { findReview } from '../../sql/find-review.js';
import { insertLink } from '../../sql/links.js';
import { isSuspended } from '../../sql/mail-suspensions.js';
import { inboundAddresses, mailTokenHash, newMailToken, replyToken } from './inbound/addresses.js';
import { isDeadAddress } from './inbound/bounce.js';
import { MailBounces } from './inbound/mail-bounces.js';
import { help } from './inbound/reply-text.js';
import { codeHash, LINK_HOURS, newLink, tokenHash } from './link.js';
import { TellingShape } from '../telling-shape.js';
import { REVIEW_MAIL, suffixOf, threadOf } from './mail.channel.js';
import { renderMail } from './render-mail.js';

const Payload = z.object({
  reviewId: z.uuid(),
  personId: z.string().min(1),
  name: z.string(),
  email: z.string().min(3).max(320),
  // Absent in messages of an earlier release.
  telling: TellingShape.default({ kind: 'opened' }),
});

/**
 * Makes and sends one reviewer's mail. Each attempt gets a link of its own, since an earlier one may have arrived with
 * its link; the Message-ID stays, so that a mail reader shows both as one.
 */
@Injectable()
export class ReviewMailHandler extends OutboxHandler {
  readonly kind = REVIEW_MAIL;
  override readonly concurrency = 2;
  override readonly timeoutSeconds = 60;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly mailer: Mailer,
    private readonly bounces: MailBounces,
  ) {
    super();
  }

  async deliver(message: OutboxDelivery): Promise<Delivery> {
    const payload = Payload.safeParse(message.payload);
    if (!payload.success) return { kind: 'giveUp', reason: `not a review mail: ${payload.error.message}` };
    const { reviewId, personId, name, email, telling } = payload.data;
    const review = await findReview(this.db, { id: reviewId });
    if (review === undefined) return { kind: 'giveUp', reason: 'the review is gone' };
    if (isEnded(review.state)) return skipped('already over');
    // The inbox and Slack show it all the same, and the people who run the service were told.
    if (await isSuspended(this.db, email)) return skipped('address suspended');
    const now = Math.round(this.clock.now());
    const { handle, token, code } = newLink();
    const mailToken = newMailToken();
    const expiresAt = now + LINK_HOURS * 3_600_000;
    await insertLink(this.db, {
      handle,
      reviewId,
      person: { id: personId, name },
      email,
      tokenHash: tokenHash(token),
      codeHash: codeHash(token, code),
      mailTokenHash: mailTokenHash(replyToken(mailToken)),
      subjectDigest: review.subjectDigest,
      createdAt: now,
      expiresAt,
    });
    const base = publicUrl(this.config);
    const inbound = inboundAddresses(this.config, mailToken);
    const mail = renderMail(review, {
      email,
      code,
      expiresAt,
      linkUrl: `${base}/r/${token}`,
      inboxUrl: `${base}/reviews/${reviewId}`,
      dryRun: this.config.DRY_RUN,
      telling,
      replyHelp: inbound === undefined ? undefined : help(review, this.config.MAIL_REPLIES),
    });
    const root = threadOf(reviewId, email);
    const suffix = suffixOf(telling).replace(':', '.');
    const delivery = await this.mailer.send({
      ...mail,
      ...inbound,
      to: [email],
      messageId: `${root}${suffix}`,
      // All mails about one review are one thread in a mail reader.
      ...(suffix === '' ? {} : { inReplyTo: root }),
    });
    if (delivery.kind === 'giveUp' && isDeadAddress(delivery.mailStatus ?? ''))
      await this.bounces.failed(
        { reviewId, person: { id: personId, name }, email },
        { status: delivery.mailStatus ?? '', diagnostic: delivery.reason },
      );
    return delivery;
  }
}
