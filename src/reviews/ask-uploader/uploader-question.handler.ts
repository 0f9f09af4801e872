import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { Clock } from '../../clock.js';
import { CONFIG, publicUrl, type Config } from '../../config.js';
import { Database } from '../../database/database.js';
import { Mailer } from '../../outbound/mail/mailer.js';
import { OutboxHandler, type Delivery, type OutboxDelivery, skipped } from '../../outbound/outbox.js';
import { codeHash, newLink, tokenHash } from '../channels/mail/link.js';
import { isEnded } from '../rules/review.js';
import { findReview } from '../sql/find-review.js';
import { UPLOADER_QUESTION } from './ask-uploader.service.js';
import { questionMail } from './question-mail.js';
import { findQuestion, insertQuestionLink } from './sql/questions.js';

const Payload = z.object({ questionId: z.uuid() });

/** Makes and sends the mail that asks an uploader; each attempt gets a link of its own. */
@Injectable()
export class UploaderQuestionHandler extends OutboxHandler {
  readonly kind = UPLOADER_QUESTION;
  override readonly timeoutSeconds = 60;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly mailer: Mailer,
  ) {
    super();
  }

  async deliver(message: OutboxDelivery): Promise<Delivery> {
    const payload = Payload.safeParse(message.payload);
    if (!payload.success) return { kind: 'giveUp', reason: `not a question: ${payload.error.message}` };
    const question = await findQuestion(this.db, payload.data.questionId);
    const review = question && (await findReview(this.db, { id: question.reviewId }));
    if (question === undefined || review === undefined)
      return { kind: 'giveUp', reason: 'the review is gone' };
    const now = Math.round(this.clock.now());
    if (question.endedAs !== null || isEnded(review.state) || question.answerBy <= now)
      return skipped('already over');
    const { token, code } = newLink();
    await insertQuestionLink(this.db, {
      questionId: question.id,
      tokenHash: tokenHash(token),
      codeHash: codeHash(token, code),
      at: now,
    });
    const linkUrl = `${publicUrl(this.config)}/q/${token}`;
    return this.mailer.send({
      ...questionMail(question, review, { linkUrl, code }),
      to: [question.email],
      messageId: `question-${question.id}`,
    });
  }
}
