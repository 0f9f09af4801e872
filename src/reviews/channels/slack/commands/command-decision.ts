import { Inject, Injectable } from '@nestjs/common';
import { InvalidInput } from '../../../../errors.js';
import { LOG, type Log } from '../../../../ops/log.js';
import type { Review } from '../../../review.js';
import { ReviewsService } from '../../../reviews.service.js';
import { MAX_REASON_LENGTH } from '../../../rules/command.js';
import { outcomeFacts } from '../../../rules/outcome.js';
import type { Reviewer } from '../../../rules/review.js';
import { decideView, type DecideMemory } from '../answers/decide/decide-view.js';
import { ReviewSight } from '../answers/review-sight.js';
import { SlackModals } from '../answers/slack-modals.js';
import { slackErrorCode } from '../delivery/slack-errors.js';
import { shortId } from '../review-line.js';
import { replyText } from '../threads/reply-text.js';
import { NamedReview } from './named-review.js';
import type { Told } from './verb.js';

// It destroys something, although it refuses what was asked for.
const DESTROYS: ReadonlySet<string> = new Set(['delete']);

/**
 * A decision that is typed. Whoever types has been shown nothing, and what grants or destroys something is decided on
 * evidence alone: they get its form, with the evidence and their reason in it. What refuses is decided at once.
 */
@Injectable()
export class CommandDecision {
  constructor(
    @Inject(LOG) private readonly log: Log,
    private readonly reviews: ReviewsService,
    private readonly named: NamedReview,
    private readonly sight: ReviewSight,
    private readonly modals: SlackModals,
  ) {}

  /** @throws what {@link ReviewsService.act} throws, before anything is shown. */
  async decide(
    review: Review,
    outcome: string,
    said: { readonly reason: string; readonly triggerId: string | undefined },
    who: Reviewer,
  ): Promise<Told | undefined> {
    // Slack escapes what is typed, and writes links its own way; the record has it as its writer sees it.
    const reason = replyText(said.reason, () => undefined);
    if (reason.length > MAX_REASON_LENGTH)
      throw InvalidInput.field('reason', `must be at most ${MAX_REASON_LENGTH} characters`);
    if (review.policy.rejecting.includes(outcome) && !DESTROYS.has(outcome)) {
      const after = await this.reviews.act(review.id, { kind: 'decide', outcome, reason }, who);
      const label = outcomeFacts(outcome).label;
      const text = after.decision === undefined ? 'Your vote is counted' : 'Decided';
      return { text: `${text}: ${label} \`${shortId(review)}\`.` };
    }
    const { subjectDigest: digest } = review;
    await this.reviews.tryOut(review, { kind: 'decide', outcome, reason: 'to be given', digest }, who);
    await this.sight.reads(review, who);
    if (said.triggerId !== undefined && (await this.opened(said.triggerId, review, outcome, reason)))
      return undefined;
    return this.named.message(review, 'Look at it first, and answer with its buttons.');
  }

  private async opened(triggerId: string, review: Review, outcome: string, reason: string): Promise<boolean> {
    const memory: DecideMemory = { reviewId: review.id, digest: review.subjectDigest, outcome };
    const place = { dryRun: this.sight.dryRun, pageUrl: this.sight.pageOf(review), reason };
    try {
      await this.modals.open(triggerId, decideView(review, outcome, JSON.stringify(memory), place));
      return true;
    } catch (error) {
      this.log.info({ reason: slackErrorCode(error) }, 'the form of a typed decision did not open');
      return false;
    }
  }
}
