import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, publicUrl, type Config } from '../../../config.js';
import { Database } from '../../../database/database.js';
import { Mailer } from '../../../outbound/mail/mailer.js';
import { OutboxHandler, type Delivery, type OutboxDelivery, skipped } from '../../../outbound/outbox.js';
import { defanged, escapeHtml, visible, visibleLines } from '../../../outbound/safe-text.js';
import { eventWords } from '../../event-words.js';
import { maySee, Readers } from '../../readers.js';
import type { Review } from '../../review.js';
import { findReview } from '../../sql/find-review.js';
import { headlineOf, named, nameOf } from '../question.js';
import { subjectOf } from './render-mail.js';
import { NewsPayload, REVIEW_NEWS, type News } from './review-news.js';

/** Tells one person what happened to a review, as long as they may see it. */
@Injectable()
export class ReviewNewsHandler extends OutboxHandler {
  readonly kind = REVIEW_NEWS;
  override readonly concurrency = 2;
  override readonly timeoutSeconds = 60;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly db: Database,
    private readonly readers: Readers,
    private readonly mailer: Mailer,
  ) {
    super();
  }

  async deliver(message: OutboxDelivery): Promise<Delivery> {
    const payload = NewsPayload.safeParse(message.payload);
    if (!payload.success) return { kind: 'giveUp', reason: `not news of a review: ${payload.error.message}` };
    const { reviewId, personId, news } = payload.data;
    const review = await findReview(this.db, { id: reviewId });
    if (review === undefined) return { kind: 'giveUp', reason: 'the review is gone' };
    const reader = (await this.readers.list()).find(({ id }) => id === personId);
    if (reader === undefined || !maySee(reader, review.policy.queue))
      return skipped('they may not see it any more');
    if (reader.email === undefined || reader.email === '') return skipped('they have no address');
    const recipient = createHash('sha256').update(reader.email.toLowerCase()).digest('hex').slice(0, 12);
    const root = `review-${reviewId}.${recipient}`;
    const event = createHash('sha256').update(message.key).digest('hex').slice(0, 16);
    return this.mailer.send({
      ...renderNews(review, news, `${publicUrl(this.config)}/reviews/${reviewId}`),
      to: [reader.email],
      messageId: `${root}.news-${event}`,
      inReplyTo: root,
    });
  }
}

const LINES = 50;

const MENTIONED = {
  comment: (who: string) => `${who} mentions you in a comment.`,
  question: (who: string) => `${who} asks, and names you. The review waits for the answer.`,
  answer: (who: string) => `${who} answered a question, and names you.`,
} as const;

function renderNews(
  review: Review,
  { what, where, by, text = '' }: News,
  url: string,
): { subject: string; text: string; html: string } {
  const name = defanged(nameOf(review, 120));
  const headline = defanged(headlineOf(review));
  const who = defanged(visible(by.name, 80));
  const said =
    what === 'mentioned'
      ? MENTIONED[where ?? 'comment'](who)
      : `${who}: ${eventWords(what)}. You watch this review.`;
  const quoted = text === '' ? [] : visibleLines(text).slice(0, LINES).map(defanged);
  return {
    subject: subjectOf(headlineOf(review), nameOf(review, 80)),
    text: [
      said,
      '',
      named(headline, name),
      ...(quoted.length === 0 ? [] : ['', ...quoted.map((line) => `> ${line}`)]),
      '',
      `Sign in to see it: ${url}`,
      '',
    ].join('\n'),
    html: `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>${escapeHtml(headline)}</title></head>
<body style="margin:0;padding:24px 12px;font:15px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif">
<p>${escapeHtml(said)}</p>
<p><strong>${escapeHtml(headline)}</strong>${name === '' ? '' : `<br><span style="word-break:break-all">${escapeHtml(name)}</span>`}</p>
${quoted.length === 0 ? '' : `<blockquote style="margin:0;padding-left:10px;border-left:3px solid #dfe4ea">${quoted.map(escapeHtml).join('<br>')}</blockquote>`}
<p><a href="${escapeHtml(url)}">Sign in to see it</a></p>
</body></html>
`,
  };
}
