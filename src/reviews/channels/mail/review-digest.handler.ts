import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { CONFIG, publicUrl, type Config } from '../../../config.js';
import { Database } from '../../../database/database.js';
import { Mailer } from '../../../outbound/mail/mailer.js';
import { OutboxHandler, type Delivery, type OutboxDelivery, skipped } from '../../../outbound/outbox.js';
import { isEnded } from '../../rules/review.js';
import { findReviews } from '../../sql/find-review.js';
import { isSuspended } from '../../sql/mail-suspensions.js';
import { REVIEW_DIGEST } from './mail.channel.js';
import { MailPreferences } from './preferences/preferences.service.js';
import { renderDigest } from './render-digest.js';

const Payload = z.object({
  id: z.string().min(1),
  name: z.string(),
  email: z.string().min(3).max(320),
  // Absent in messages of an earlier release.
  personId: z.string().optional(),
  reviewIds: z.array(z.uuid()).min(1).max(5000),
});

/** Sends one person's digest: what still waits of what it was made for. Nothing in it decides. */
@Injectable()
export class ReviewDigestHandler extends OutboxHandler {
  readonly kind = REVIEW_DIGEST;
  override readonly concurrency = 2;
  override readonly timeoutSeconds = 60;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly db: Database,
    private readonly mailer: Mailer,
    private readonly preferences: MailPreferences,
  ) {
    super();
  }

  async deliver(message: OutboxDelivery): Promise<Delivery> {
    const payload = Payload.safeParse(message.payload);
    if (!payload.success) return { kind: 'giveUp', reason: `not a digest: ${payload.error.message}` };
    const { id, email, personId, reviewIds } = payload.data;
    if (await isSuspended(this.db, email)) return skipped('address suspended');
    const waiting = (await findReviews(this.db, reviewIds)).filter(({ state }) => !isEnded(state));
    if (waiting.length === 0) return skipped('all are over');
    const recipient = createHash('sha256').update(email.toLowerCase()).digest('hex').slice(0, 12);
    const unsubscribe = personId === undefined ? undefined : this.preferences.unsubscribeUrl(personId);
    return this.mailer.send({
      ...renderDigest(waiting, publicUrl(this.config)),
      unsubscribe,
      to: [email],
      messageId: `digest-${id}.${recipient}`,
    });
  }
}
