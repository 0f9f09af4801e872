import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../../../clock.js';
import { CONFIG, publicUrl, type Config } from '../../../../config.js';
import { Database } from '../../../../database/database.js';
import { Outbox } from '../../../../outbound/outbox.js';
import type { Review } from '../../../review.js';
import { findReview } from '../../../sql/find-review.js';
import { insertSlackCopy, passCopyOn, staleCopies, type SlackCopy } from '../sql/copies.js';
import { findCourse } from '../sql/courses.js';
import { takeAwaiting } from '../sql/unsaid.js';
import { barredContent, copyContent, leastContent, withheldContent } from './copy-content.js';
import type { Sight } from './direct-sight.js';
import { SlackAnswerError } from './slack-errors.js';
import type { Posted, SlackContent } from './slack-sender.js';
import { copyMessage, threadMessage } from './slack-kinds.js';

/** Whose direct message it is, and why they were told; neither of a channel's. */
type DirectTo = Pick<SlackCopy, 'personId' | 'userId' | 'telling'>;

/** The messages in Slack that show a review. */
@Injectable()
export class SlackCopies {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly outbox: Outbox,
  ) {}

  /** What a copy shows now; @param direct of direct messages: whose they are, why they were told, and what those may show. */
  async content(
    review: Review,
    direct?: Pick<SlackCopy, 'telling'> & { readonly personId: string; readonly sight: Sight },
  ): Promise<SlackContent & { readonly shows: { readonly version: number; readonly steps: number } }> {
    const { course, revision } = await findCourse(this.db, review.id);
    const shows = { version: review.version, steps: revision };
    if (direct?.sight === 'nothing') return { ...barredContent(), shows };
    if (direct?.sight === 'unchecked') return { ...withheldContent(review, this.inboxUrl(review.id)), shows };
    return {
      ...copyContent({
        review,
        inboxUrl: this.inboxUrl(review.id),
        dryRun: this.config.DRY_RUN,
        personId: direct?.personId,
        telling: direct?.telling,
        course,
      }),
      shows,
    };
  }

  /** The least of it, where Slack does not take the whole. */
  least(review: Review): SlackContent {
    return leastContent(review, this.inboxUrl(review.id));
  }

  /**
   * Remembers a message, and brings it up to date if the review went on while it was under way.
   *
   * @param shown the version that it shows; 0 of one that was found: it is from before, whatever it shows.
   * @throws SlackAnswerError when the message is another review's.
   */
  async posted(
    review: Pick<Review, 'id'>,
    { channel, ts }: Posted,
    shown: number,
    direct?: DirectTo,
  ): Promise<void> {
    const now = Math.round(this.clock.now());
    const copy = { channel, ts, ...direct, shown };
    if (!(await this.db.transaction((tx) => insertSlackCopy(tx, review.id, copy, now))))
      throw new SlackAnswerError('Slack names a message that shows another review');
    // After the copy is there for everybody: a change that was told before did not find it.
    await this.catchUp(review.id);
  }

  /** The account is somebody else's now: what stands there of the review is theirs, and shown anew. */
  async passOn(reviewId: string, copy: SlackCopy, to: Pick<SlackCopy, 'personId' | 'userId'>): Promise<void> {
    await passCopyOn(this.db, reviewId, { ...copy, ...to });
    await this.outbox.enqueue(this.db, [
      copyMessage(reviewId, copy, `passed-${Math.round(this.clock.now())}`),
    ]);
  }

  /**
   * Has every copy brought up to date that shows less than there is, and says below the channel's what waited for it.
   *
   * @param again also what was passed over before.
   */
  async catchUp(reviewId: string, again?: string): Promise<void> {
    const review = await findReview(this.db, { id: reviewId });
    if (review === undefined) return;
    await this.db.transaction(async (tx) => {
      const lines = await takeAwaiting(tx, reviewId);
      await this.outbox.enqueue(
        tx,
        lines.map((line) => threadMessage(line, `below-${Math.round(this.clock.now())}`)),
      );
    });
    const { revision } = await findCourse(this.db, reviewId);
    const now = { version: review.version, steps: revision };
    const stale = await staleCopies(this.db, reviewId, now);
    await this.outbox.enqueue(
      this.db,
      stale.map((copy) =>
        copyMessage(reviewId, copy, [now.version, now.steps, again].filter(Boolean).join('.')),
      ),
    );
  }

  inboxUrl(reviewId: string): string {
    return `${publicUrl(this.config)}/reviews/${reviewId}`;
  }
}
