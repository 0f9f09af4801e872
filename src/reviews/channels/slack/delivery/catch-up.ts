import { Injectable } from '@nestjs/common';
import { Clock, type Instant } from '../../../../clock.js';
import { Database } from '../../../../database/database.js';
import type { Queryable } from '../../../../database/queryable.js';
import { Outbox, type OutboxMessage } from '../../../../outbound/outbox.js';
import { refreshMessage, SOON_MS } from '../digests/storms.js';
import { SlackAccess } from '../setup/slack-access.js';
import { WORKSPACE } from '../sql/broken.js';
import { copiesBehind, copiesElsewhere } from '../sql/copies.js';
import { isProbeUnderWay } from '../sql/posts.js';
import { stormsBehind } from '../sql/storms.js';
import { MOST_LINES, takeUnsaid } from '../sql/unsaid.js';
import { neverTold, takeUnshown, unshownPlaces } from '../sql/unshown.js';
import { copyMessage, postMessage, threadMessage, updateAgain } from './slack-kinds.js';

const DAY_MS = 86_400_000;
// A decision is followed for a day, and what was found broken had been on its way for a while.
const BEFORE_IT_BROKE_MS = 2 * DAY_MS;
// Nobody notes since when Slack was off; what ended earlier is looked up on the web.
const OFF_AT_MOST_MS = 30 * DAY_MS;
// What waited longer is found in the inbox; nobody reads so many messages.
const MOST_SHOWN_AGAIN = 10_000;

/** Shows in Slack what it should show and does not: after a place was broken, and after Slack was off. */
@Injectable()
export class SlackCatchUp {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly outbox: Outbox,
    private readonly access: SlackAccess,
  ) {}

  /** In a place that was broken since a moment. */
  async with(tx: Queryable, place: string, brokenSince: Instant): Promise<void> {
    const channel = place === WORKSPACE ? undefined : place;
    const since = brokenSince - BEFORE_IT_BROKE_MS;
    await this.outbox.enqueue(tx, [
      ...(await this.unshown(tx, place)),
      ...(await this.unsaid(tx, channel)),
      ...(await this.behind(tx, { since, channel }, `mended-${brokenSince}`)),
    ]);
  }

  /**
   * Slack was off until now, or a queue had no channel, or nothing of it: open reviews that were never posted are, and what
   * changed since is shown.
   *
   * @param key the same for all processes that hear of it.
   */
  async everywhere(key: string): Promise<void> {
    const hasChannel = ({ queue }: { readonly queue: string }): boolean =>
      this.access.channelFor(queue) !== undefined;
    await this.db.transaction(async (tx) => {
      const never = await neverTold(tx, MOST_SHOWN_AGAIN);
      const messages = never.filter(hasChannel).map((review) => postMessage(review, { key }));
      for (const { place, queue } of await unshownPlaces(tx))
        if (this.isElsewhere(place, queue)) messages.push(...(await this.unshown(tx, place, queue)));
      messages.push(...(await this.unsaid(tx, undefined)));
      // Where the old place is gone, with its workspace or without, this shows it, and they are posted where they belong now.
      const left = await copiesElsewhere(tx, { channels: this.access.channels, limit: MOST_SHOWN_AGAIN });
      messages.push(...left.map((copy) => copyMessage(copy.reviewId, copy, key, 'elsewhere')));
      messages.push(...(await this.behind(tx, { since: this.now() - OFF_AT_MOST_MS }, key)));
      await this.outbox.enqueue(tx, messages);
    });
  }

  /**
   * What shows whether a broken place works again: the review that was tried there the longest ago, else a message that is
   * behind. One at a time: nothing while it is under way. `undefined` where nothing waits to be shown.
   */
  async probe(
    tx: Queryable,
    place: string,
    brokenSince: Instant,
  ): Promise<readonly OutboxMessage[] | undefined> {
    const probe = `${place}:${brokenSince}`;
    if (await isProbeUnderWay(tx, probe)) return [];
    // However often it is tried, each time is one of its own.
    const key = `probe-${this.now()}`;
    const [first] = await takeUnshown(tx, { place, limit: 1 });
    if (first !== undefined) {
      const { reviewId: id, queue, lookSince, tried } = first;
      return [postMessage({ id, queue }, { key, lookSince, tried, single: true, probe })];
    }
    const channel = place === WORKSPACE ? undefined : place;
    const since = brokenSince - BEFORE_IT_BROKE_MS;
    const [copy] = await copiesBehind(tx, { since, channel, limit: 1 });
    return copy && [copyMessage(copy.reviewId, copy, key, probe)];
  }

  /** Whether a queue's reviews belong into a channel now, and it is another than the place in which they are not shown. */
  private isElsewhere(place: string, queue: string): boolean {
    const channel = this.access.channelFor(queue);
    return channel !== undefined && place !== channel && place !== WORKSPACE;
  }

  private async unshown(tx: Queryable, place: string, ofQueue?: string): Promise<OutboxMessage[]> {
    const missed = await takeUnshown(tx, { place, queue: ofQueue, limit: MOST_SHOWN_AGAIN });
    return missed.map(({ reviewId: id, queue, at, lookSince, tried }) =>
      postMessage({ id, queue }, { key: `again-${at}`, lookSince, tried: tried + 1 }),
    );
  }

  private async unsaid(tx: Queryable, place: string | undefined): Promise<OutboxMessage[]> {
    const lines = await takeUnsaid(tx, { place, limit: MOST_SHOWN_AGAIN });
    const counts = new Map<string, number>();
    // From the latest, of which each review gets its share.
    const kept = lines.toReversed().filter(({ reviewId }) => {
      const already = counts.get(reviewId) ?? 0;
      counts.set(reviewId, already + 1);
      return already < MOST_LINES;
    });
    return kept.toReversed().map((one) => threadMessage(one, `again-${this.now()}`));
  }

  private async behind(
    tx: Queryable,
    which: { readonly since: Instant; readonly channel?: string | undefined },
    key: string,
  ): Promise<OutboxMessage[]> {
    const copies = await copiesBehind(tx, { ...which, limit: MOST_SHOWN_AGAIN });
    const storms = await stormsBehind(tx, which, MOST_SHOWN_AGAIN);
    return [
      ...[...new Set(copies.map(({ reviewId }) => reviewId))].map((id) => updateAgain(id, key)),
      ...storms.map((id) => refreshMessage(id, this.now(), SOON_MS)),
    ];
  }

  private now(): Instant {
    return Math.round(this.clock.now());
  }
}
