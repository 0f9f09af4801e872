import { Injectable } from '@nestjs/common';
import { Clock } from '../../../../clock.js';
import { Database } from '../../../../database/database.js';
import type { Queryable } from '../../../../database/queryable.js';
import { visible } from '../../../../outbound/safe-text.js';
import type { Telling } from '../../channel.js';
import { MailChannel } from '../../mail/mail.channel.js';
import { People } from '../../../people.js';
import type { Review } from '../../../review.js';
import { askedNow, ReviewWriter, SYSTEM } from '../../../review-writer.js';
import { isEnded } from '../../../rules/review.js';
import { staysBroken } from '../sql/broken.js';
import { SlackAccess } from '../setup/slack-access.js';
import { hasFailedAt, noteUnshown, placeOfQueue } from '../sql/unshown.js';
import { SlackCatchUp } from './catch-up.js';
import { postMessage } from './slack-kinds.js';

/** What could not be told in Slack is told by mail: at once, and also to those who want less mail because Slack tells them. */
@Injectable()
export class SlackFallback {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly people: People,
    private readonly writer: ReviewWriter,
    private readonly mail: MailChannel,
    private readonly access: SlackAccess,
    private readonly catchUp: SlackCatchUp,
  ) {}

  /**
   * A channel does not show this review. Its timeline says so, and once the place works again it is shown. Where it was
   * broken and is mended by now, nobody would come for the review any more: it is posted anew instead.
   *
   * @param together what is noted in the same transaction.
   */
  async unshown(
    review: Review,
    failed: {
      readonly place: string;
      readonly reason: string;
      readonly lookSince?: number | undefined;
      /** How often it failed after the place had worked for others. */
      readonly tried: number;
      /** Found broken, and not only far too slow. */
      readonly isBroken: boolean;
    },
    together: (tx: Queryable) => Promise<unknown> = () => Promise.resolve(),
  ): Promise<void> {
    if (isEnded(review.state)) return;
    const now = Math.round(this.clock.now());
    const roster = await this.people.at(now);
    await this.db.transaction(async (tx) => {
      await together(tx);
      const { place, lookSince, tried } = failed;
      if (failed.isBroken && !(await staysBroken(tx, place))) {
        const { queue } = review.policy;
        const again = postMessage({ id: review.id, queue }, { key: `again-${now}`, lookSince, tried });
        return this.writer.enqueue(tx, [again]);
      }
      if (!(await noteUnshown(tx, { reviewId: review.id, place, at: now, lookSince, tried }))) return;
      // Told once, however often it is tried anew.
      if (await hasFailedAt(tx, review.id, place)) return;
      await this.writer.note(tx, review.id, 'slack_failed', SYSTEM, now, {
        place,
        reason: visible(failed.reason, 200),
      });
      await this.writer.enqueue(tx, this.mail.instead(review, askedNow(review, roster), { kind: 'opened' }));
    });
    // Whoever gave the queue a channel in between did not find it.
    const { queue } = review.policy;
    if (failed.place === placeOfQueue(queue) && this.access.channelFor(queue) !== undefined)
      await this.catchUp.everywhere(`late-${review.id}-${now}`);
  }

  /** Somebody cannot be written to directly. */
  async untold(review: Review, personId: string, telling: Telling, db: Queryable = this.db): Promise<void> {
    if (isEnded(review.state)) return;
    const person = (await this.people.at(Math.round(this.clock.now()))).person(personId);
    if (person === undefined) return;
    await this.writer.enqueue(db, this.mail.instead(review, [person], telling));
  }
}
