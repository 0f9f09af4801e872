import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock, type Instant } from '../../../../clock.js';
import { Database } from '../../../../database/database.js';
import type { Queryable } from '../../../../database/queryable.js';
import { Outbox, type OutboxMessage } from '../../../../outbound/outbox.js';
import type { Review } from '../../../review.js';
import { directLane, queueOfLane, SLACK_DIRECT, SLACK_POST, SLACK_STORM } from '../delivery/slack-kinds.js';
import { SlackAccess } from '../setup/slack-access.js';
import {
  addToStorm,
  gatherStorm,
  insertStorm,
  lockStorms,
  stormOf,
  stormSince,
  stormsOf,
  waitingByLane,
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
/** Whatever joined while it was under way. */
export const SOON_MS = 4000;
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

  /** @returns the storm whose message tells a channel of this new review; `undefined` when it gets its own. */
  async tells(review: Review, channel: string): Promise<string | undefined> {
    const known = await stormOf(this.db, review.id, channel);
    if (known !== undefined) return known.id;
    const mine = (await waitingByLane(this.db, SLACK_POST, this.now())).filter(
      ({ lane }) => this.access.channelFor(queueOfLane(lane)) === channel,
    );
    return this.gather(review, { channel }, { kind: SLACK_POST, lanes: mine });
  }

  /** The same in somebody's direct messages. */
  async tellsDirectly(
    review: Review,
    channel: string,
    { personId, userId }: { readonly personId: string; readonly userId: string },
  ): Promise<string | undefined> {
    const known = await stormOf(this.db, review.id, channel);
    if (known !== undefined) return known.id;
    const mine = (await waitingByLane(this.db, SLACK_DIRECT, this.now())).filter(
      ({ lane }) => lane === directLane(personId),
    );
    return this.gather(review, { channel, personId, userId }, { kind: SLACK_DIRECT, lanes: mine });
  }

  /** A review changed: the messages of storms that tell of it are brought up to date within a minute. */
  async changed(reviewId: string): Promise<void> {
    const now = this.now();
    const running = (await stormsOf(this.db, reviewId)).filter(({ at }) => now - at <= UP_TO_DATE_FOR_MS);
    await this.outbox.enqueue(
      this.db,
      running.map(({ id }) => refreshMessage(id, now, WORKED_OFF_EVERY_MS)),
    );
  }

  private async gather(
    review: Review,
    place: Pick<Storm, 'channel' | 'personId' | 'userId'>,
    waiting: {
      readonly kind: string;
      readonly lanes: readonly { readonly lane: string; readonly waiting: number }[];
    },
  ): Promise<string | undefined> {
    const now = this.now();
    const { channel } = place;
    const count = waiting.lanes.reduce((sum, { waiting: ofLane }) => sum + ofLane, 0);
    const running = await stormSince(this.db, channel, now - JOIN_MS);
    if (running === undefined && count + 1 <= STORM_ABOVE) return undefined;
    const lanes = waiting.lanes.map(({ lane }) => lane);
    return this.db.transaction(async (tx) => {
      await lockStorms(tx, channel);
      const storm = (await stormSince(tx, channel, now - JOIN_MS)) ?? (await this.begin(tx, place, now));
      await addToStorm(tx, storm.id, review.id);
      await gatherStorm(tx, { stormId: storm.id, kind: waiting.kind, lanes, now, limit: MOST_GATHERED });
      await this.outbox.enqueue(tx, [refreshMessage(storm.id, now, GROWING_EVERY_MS)]);
      return storm.id;
    });
  }

  private async begin(
    tx: Queryable,
    place: Pick<Storm, 'channel' | 'personId' | 'userId'>,
    now: Instant,
  ): Promise<Storm> {
    const storm = { ...place, id: randomUUID(), at: now };
    await insertStorm(tx, storm);
    await this.outbox.enqueue(tx, [
      stormMessage(storm.id, 'post', now),
      stormMessage(storm.id, 'calm', now + CALM_AFTER_MS),
    ]);
    return storm;
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
