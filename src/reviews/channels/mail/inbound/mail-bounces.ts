import { Injectable } from '@nestjs/common';
import { appendAudit } from '../../../../audit/audit.js';
import { Clock, type Instant } from '../../../../clock.js';
import { Database } from '../../../../database/database.js';
import type { Queryable } from '../../../../database/queryable.js';
import { AppError } from '../../../../errors.js';
import { Alerts } from '../../../../outbound/alerts.js';
import { visible } from '../../../../outbound/safe-text.js';
import { People } from '../../../people.js';
import { askedNow, ReviewWriter, SYSTEM } from '../../../review-writer.js';
import type { Review } from '../../../review.js';
import { ReviewsService } from '../../../reviews.service.js';
import { isEnded } from '../../../rules/review.js';
import type { ReviewLink } from '../../../sql/links.js';
import { suspendAddress } from '../../../sql/mail-suspensions.js';
import { isDeadAddress, type Bounce } from './bounce.js';

/** The mail that did not arrive: whom it asked about what. */
export type Undelivered = Pick<ReviewLink, 'reviewId' | 'person' | 'email'>;

/**
 * A mail did not arrive. It is told in the review's timeline; an address that is dead gets no more mail and the people
 * who run the service hear of it; what was given to this person alone goes back to everybody who is asked.
 */
@Injectable()
export class MailBounces {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly alerts: Alerts,
    private readonly people: People,
    private readonly reviews: ReviewsService,
    private readonly writer: ReviewWriter,
  ) {}

  /** May be called again for the same bounce. */
  async failed(mail: Undelivered, { status, diagnostic, recipient }: Omit<Bounce, 'action'>): Promise<void> {
    const now = Math.round(this.clock.now());
    // Where somebody forwards to may be dead while their own address is not.
    const isTheirs = recipient === undefined || recipient === mail.email.toLowerCase();
    const isDead = isTheirs && isDeadAddress(status);
    await this.db.transaction(async (tx) => {
      const isNew = isDead && (await suspendAddress(tx, { ...mail, status, at: now }));
      if (isDead && !isNew) return;
      await this.writer.note(tx, mail.reviewId, 'mail_bounced', SYSTEM, now, {
        to: mail.person,
        status,
        server: visible(diagnostic, 200),
        suspended: isDead,
      });
      if (isDead) await this.tell(tx, mail, status, now);
    });
    if (isDead) await this.reroute(mail);
  }

  private async tell(
    tx: Queryable,
    { email, person }: Undelivered,
    status: string,
    now: Instant,
  ): Promise<void> {
    await appendAudit(tx, [
      {
        at: now,
        actor: 'system:mail',
        action: 'mail.suspended',
        subject: `user:${person.id}`,
        data: { status, address: email.toLowerCase() },
      },
    ]);
    await this.alerts.tell(tx, {
      key: `mail-suspended:${email.toLowerCase()}:${now}`,
      subject: 'an address takes no mail',
      lines: [`${visible(email, 320)} (${visible(person.name, 100)}) was refused for good: ${status}.`],
      remedy:
        'Correct the address in the person’s account, or let it be tried again: sallyport mail resume ADDRESS.',
    });
  }

  /** Whoever cannot be told of what was given to them alone has not got it. */
  private async reroute({ reviewId, person, email }: Undelivered): Promise<void> {
    const review = await this.reviews.get(reviewId);
    if (isEnded(review.state) || review.state !== 'ASSIGNED' || review.claim?.by.id !== person.id) return;
    try {
      await this.reviews.change(reviewId, { kind: 'release' }, SYSTEM, async (tx, after) => {
        await this.tellOthers(tx, after, email);
        return true;
      });
    } catch (error) {
      // Somebody acted at the same moment, so it is in good hands.
      if (!(error instanceof AppError) || error.status >= 500) throw error;
    }
  }

  private async tellOthers(tx: Queryable, after: Review, dead: string): Promise<void> {
    const roster = await this.people.at(Math.round(this.clock.now()));
    const others = askedNow(after, roster).filter((one) => one.email?.toLowerCase() !== dead.toLowerCase());
    await this.writer.enqueue(
      tx,
      this.writer.tell(after, others, { kind: 'assigned', version: after.version }),
    );
  }
}
