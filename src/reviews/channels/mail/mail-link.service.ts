import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '../../../audit/audit.js';
import { Clock } from '../../../clock.js';
import { CONFIG, type Config } from '../../../config.js';
import { Database } from '../../../database/database.js';
import { AppError } from '../../../errors.js';
import type { Review } from '../../review.js';
import { mailRecipients, Reviewers } from '../../reviewers.js';
import { ReviewsService } from '../../reviews.service.js';
import { outcomeFacts } from '../../rules/outcome.js';
import { isEnded, type Reviewer } from '../../rules/review.js';
import { findLink, returnCodeAttempt, takeCodeAttempt, type ReviewLink } from '../../sql/links.js';
import { isCode, MAX_WRONG_CODES, TOKEN_PATTERN, tokenHash, typedCode } from './link.js';
import type { Notice } from './page.js';

/** A link that may be used, with the review it asks about. */
export interface OpenLink {
  readonly link: ReviewLink;
  readonly review: Review;
}

/** What the form of the page asked for. */
export interface MailAnswer {
  readonly what: { readonly kind: 'claim' } | { readonly kind: 'decide'; readonly outcome: string };
  readonly code: string;
  readonly reason: string;
  readonly digest: string;
}

/** How an answer ended: `done` shows the page afresh, `refused` says why with a status. */
export type Answered =
  { readonly kind: 'done' } | { readonly kind: 'refused'; readonly status: number; readonly notice: Notice };

const refused = (status: number, text: string, field?: 'code' | 'reason'): Answered => ({
  kind: 'refused',
  status,
  notice: { tone: 'error', text, field },
});

/** The rules of mailed links: who they speak for, and that nothing is done without the code from the mail. */
@Injectable()
export class MailLinkService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly reviewers: Reviewers,
    private readonly reviews: ReviewsService,
  ) {}

  /** The link of a token; `undefined` when there is none or it expired. Looking changes nothing. */
  async open(token: string): Promise<OpenLink | undefined> {
    if (!TOKEN_PATTERN.test(token)) return undefined;
    const link = await findLink(this.db, tokenHash(token));
    if (link === undefined || link.expiresAt <= this.clock.now()) return undefined;
    return { link, review: await this.reviews.get(link.reviewId) };
  }

  /** Claims or decides for the person whom the link was mailed to. */
  async answer(token: string, open: OpenLink, answer: MailAnswer): Promise<Answered> {
    const { link, review } = open;
    // Whoever comes second is shown how it ended, not an error.
    if (isEnded(review.state)) return { kind: 'done' };
    if (!(await this.isStillReviewer(link)))
      return refused(
        403,
        `${link.email} may no longer decide. Ask an admin, or sign in with another account.`,
      );
    if (link.wrongCodes >= MAX_WRONG_CODES)
      return refused(403, 'This link is locked after too many wrong codes.', 'code');
    const { what, reason, digest } = answer;
    if (what.kind === 'decide' && reason.trim() === '' && outcomeFacts(what.outcome).needsReason)
      return refused(
        400,
        `“${outcomeFacts(what.outcome).label}” needs a reason. Your code was not used up.`,
        'reason',
      );
    // Programs that look for harm in mails press every button; none of them reads the code, so nothing goes without it.
    if (typedCode(answer.code) === '') return refused(403, 'Type the code from the mail.', 'code');
    const wrong = await this.checkCode(token, link, answer.code);
    if (wrong !== undefined) return wrong;
    const command = what.kind === 'claim' ? what : { ...what, reason, digest };
    return this.act(review, command, mailSpeaker(link, 'mail-code'));
  }

  private async act(
    review: Review,
    command: Parameters<ReviewsService['act']>[1],
    who: Reviewer,
  ): Promise<Answered> {
    try {
      await this.reviews.act(review.id, command, who);
      return { kind: 'done' };
    } catch (error) {
      if (error instanceof AppError && error.status < 500) return refused(error.status, error.message);
      throw error;
    }
  }

  private async checkCode(token: string, link: ReviewLink, given: string): Promise<Answered | undefined> {
    const used = await takeCodeAttempt(this.db, link.handle);
    if (used === undefined) return refused(403, 'This link is locked after too many wrong codes.', 'code');
    if (isCode(token, typedCode(given), link.codeHash)) {
      await returnCodeAttempt(this.db, link.handle);
      return undefined;
    }
    const left = MAX_WRONG_CODES - used;
    await this.audit(link, 'review.wrong_code', used);
    if (left <= 0) await this.audit(link, 'review.link_locked', used);
    return refused(
      403,
      left > 0
        ? `The code is not the one in your mail. ${left} ${left === 1 ? 'attempt is' : 'attempts are'} left.`
        : 'The code was wrong too often: this link is locked. Sign in and decide in the inbox.',
      'code',
    );
  }

  private async audit(link: ReviewLink, action: string, wrongCodes: number): Promise<void> {
    await appendAudit(this.db, [
      {
        at: Math.round(this.clock.now()),
        actor: `user:${link.person.id}`,
        action,
        subject: `review:${link.reviewId}`,
        data: { email: link.email, wrongCodes, via: 'mail' },
      },
    ]);
  }

  /** Checked at the click, not only when the mail left: people leave. */
  async isStillReviewer(link: Pick<ReviewLink, 'person'>): Promise<boolean> {
    const now = mailRecipients(await this.reviewers.list(), this.config.REVIEW_TO);
    return now.some((recipient) => recipient.personId === link.person.id);
  }
}

/** Whom a mailed link speaks for. @param method by which it was proved that they act. */
export const mailSpeaker = (link: ReviewLink, method: 'mail-code' | 'mail-reply'): Reviewer => ({
  ...link.person,
  isAdmin: false,
  via: 'mail',
  method,
});
