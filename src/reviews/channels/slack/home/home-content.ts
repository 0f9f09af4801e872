import { Injectable } from '@nestjs/common';
import type { HomeView } from '@slack/types';
import { Clock } from '../../../../clock.js';
import { ReviewQueueReadings } from '../../../metrics/queue-readings.js';
import type { Review } from '../../../review.js';
import { ReviewsService } from '../../../reviews.service.js';
import type { Reviewer } from '../../../rules/review.js';
import type { InboxView } from '../../../sql/list-reviews.js';
import { ReviewSight } from '../answers/review-sight.js';
import type { SlackHome } from '../inbound/handled.js';
import { refusalOf, SlackSpeakers } from '../people/slack-speakers.js';
import type { HomeFilter } from './home-filter.js';
import { HomeTroubles } from './home-troubles.js';
import { homeView, MOST_IN_HOME, speechlessHome, type HomeCounts } from './home-view.js';

const UNKNOWN =
  'Your Slack account is not linked to a person in Sallyport yet. Link it once, signed in to Sallyport; then your reviews stand here.';

/** What stands in somebody's Home tab now. */
@Injectable()
export class HomeContents {
  constructor(
    private readonly clock: Clock,
    private readonly speakers: SlackSpeakers,
    private readonly reviews: ReviewsService,
    private readonly readings: ReviewQueueReadings,
    private readonly sight: ReviewSight,
    private readonly troubles: HomeTroubles,
  ) {}

  async of(userId: string, filter: HomeFilter, home: SlackHome): Promise<HomeView> {
    const { inboxUrl } = this.sight;
    const who = await this.speakers.speaker({ id: userId }, home);
    if (who === 'unknown') return speechlessHome(UNKNOWN, true, inboxUrl);
    if (typeof who === 'string') return speechlessHome(refusalOf(who, 'click'), false, inboxUrl);
    const me = (await this.sight.roster()).acting(who);
    const reviews = await this.listed(filter, me);
    return homeView({
      filter,
      reviews,
      hasMore: reviews.length > MOST_IN_HOME,
      counts: await this.counts(me),
      troubles: await this.troubles.now(),
      inboxUrl,
      pageOf: (review) => this.sight.pageOf(review),
    });
  }

  private async listed(
    filter: HomeFilter,
    { id: personId, groups = [], queues }: Reviewer,
  ): Promise<Review[]> {
    const views: Readonly<Record<HomeFilter, readonly InboxView[]>> = {
      mine: [
        { kind: 'mine', personId },
        { kind: 'asked', personId, groups: [] },
      ],
      groups: [{ kind: 'asked', personId, groups }],
      unassigned: [{ kind: 'unassigned' }],
      breached: [{ kind: 'breached', now: Math.round(this.clock.now()) }],
    };
    const found: Review[] = [];
    for (const view of views[filter])
      found.push(...(await this.reviews.list({ view, queues, order: 'due', limit: MOST_IN_HOME + 1 })));
    return found;
  }

  private async counts({ queues }: Reviewer): Promise<HomeCounts> {
    const reading = await (queues === undefined ? this.readings.current() : this.readings.of(queues));
    const counts = { waiting: 0, unclaimed: 0, breached: 0 };
    for (const { waiting, unclaimed, breached } of reading.queues) {
      counts.waiting += waiting;
      counts.unclaimed += unclaimed;
      counts.breached += breached;
    }
    return counts;
  }
}
