import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock, type Instant } from '../../../../clock.js';
import { Database } from '../../../../database/database.js';
import type { Queryable } from '../../../../database/queryable.js';
import { Outbox, type OutboxMessage } from '../../../../outbound/outbox.js';
import type { Review } from '../../../review.js';
import { queueOfLane, SLACK_STORM } from '../delivery/slack-kinds.js';
import { SlackAccess } from '../setup/slack-access.js';
import {
  addToStorm,
  gatherStorm,
  insertStorm,
  lockStorms,
  stormOf,
  stormSince,
  waitingPosts,
  type Storm,
} from '../sql/storms.js';

/** When more new reviews than this wait for one channel, one message tells of all of them. */
export const STORM_ABOVE = 10;
/** So long what comes after joins the same message; then there is another, which people are notified of. */
const JOIN_MS = 60_000;
/** So long after its beginning it is looked whether it is over. */
export const CALM_AFTER_MS = 600_000;
// Of a message that grows, every few seconds one state is shown; of one that is worked off, every minute one.
const GROWING_EVERY_MS = 5000;
const WORKED_OFF_EVERY_MS = 60_000;
// Nobody reads yesterday's counts.
const UP_TO_DATE_FOR_MS = 24 * 3_600_000;
const MOST_GATHERED = 5000;

/** Tells of many new reviews by one message in place of one for each. */
@Injectable()
export class SlackStorms {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly outbox: Outbox,
    private readonly access: SlackAccess,
  ) {}

  /** @returns the storm whose message tells of this new review; `undefined` when it gets its own. */
  async tells(review: Review, channel: string): Promise<string | undefined> {
    const known = await stormOf(this.db, review.id);
    if (known !== undefined) return known.id;
    const now = this.now();
    const waiting = await this.waitingFor(channel, now);
    const running = await stormSince(this.db, channel, now - JOIN_MS);
    if (running === undefined && waiting.count + 1 <= STORM_ABOVE) return undefined;
    return this.db.transaction(async (tx) => {
      await lockStorms(tx, channel);
      const storm = (await stormSince(tx, channel, now - JOIN_MS)) ?? (await this.begin(tx, channel, now));
      await addToStorm(tx, storm.id, review.id);
      await gatherStorm(tx, { stormId: storm.id, lanes: waiting.lanes, now, limit: MOST_GATHERED });
      await this.outbox.enqueue(tx, [refreshMessage(storm.id, now, GROWING_EVERY_MS)]);
      return storm.id;
    });
  }

  /** A review changed: should a storm's message tell of it, that is brought up to date within a minute. */
  async changed(reviewId: string): Promise<void> {
    const storm = await stormOf(this.db, reviewId);
    const now = this.now();
    if (storm === undefined || now - storm.at > UP_TO_DATE_FOR_MS) return;
    await this.outbox.enqueue(this.db, [refreshMessage(storm.id, now, WORKED_OFF_EVERY_MS)]);
  }

  private async begin(tx: Queryable, channel: string, now: Instant): Promise<Storm> {
    const storm = { id: randomUUID(), channel, at: now };
    await insertStorm(tx, storm);
    await this.outbox.enqueue(tx, [
      stormMessage(storm.id, 'post', now),
      stormMessage(storm.id, 'calm', now + CALM_AFTER_MS),
    ]);
    return storm;
  }

  private async waitingFor(
    channel: string,
    now: Instant,
  ): Promise<{ readonly lanes: readonly string[]; readonly count: number }> {
    const mine = (await waitingPosts(this.db, now)).filter(
      ({ lane }) => this.access.channelFor(queueOfLane(lane)) === channel,
    );
    return {
      lanes: mine.map(({ lane }) => lane),
      count: mine.reduce((sum, { waiting }) => sum + waiting, 0),
    };
  }

  private now(): Instant {
    return Math.round(this.clock.now());
  }
}

const stormMessage = (stormId: string, what: string, notBefore: Instant): OutboxMessage => ({
  kind: SLACK_STORM,
  key: `${stormId}:${what}`,
  payload: { stormId, what },
  notBefore,
});

/** However much changes in a span of time, the message is shown once at its end. */
export function refreshMessage(stormId: string, now: Instant, everyMs: number): OutboxMessage {
  const slot = Math.floor(now / everyMs) + 1;
  return stormMessage(stormId, `${everyMs}-${slot}`, slot * everyMs);
}
