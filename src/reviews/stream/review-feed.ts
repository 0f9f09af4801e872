import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { Clock, type Instant } from '../../clock.js';
import { Database } from '../../database/database.js';
import { LOG, type Log } from '../../ops/log.js';
import { eventsAfter, isPlace, lastPlace, type EventPlace } from '../sql/event-order.js';
import { ReviewBell } from './review-bell.js';
import { placeOf, type ReviewSubscriber } from './review-subscriber.js';

// A lost ring is late by that, no more.
const LOOK_EVERY_MS = 1_000;
const BATCH = 500;

interface Joining {
  readonly subscriber: ReviewSubscriber;
  readonly lastEventId: string | undefined;
}

/**
 * Brings what happens to reviews, in whichever process, to those who listen to this one: one look for all of them, at a
 * ring and each second, and none while nobody listens. One turn comes after the other, so that whoever joins is told
 * what came until the common place, and then what comes behind it: nothing twice, and nothing between.
 */
@Injectable()
export class ReviewFeed implements BeforeApplicationShutdown {
  private readonly subscribers = new Set<ReviewSubscriber>();
  private readonly joining = new Set<Joining>();
  private readonly stopping = new AbortController();
  private place: EventPlace | undefined;
  private wake: () => void = () => undefined;
  private running: Promise<void> | undefined;
  private behind: Instant | undefined;

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly bell: ReviewBell,
    @Inject(LOG) private readonly log: Log,
  ) {}

  /** Since when the newest state is not known here (the database does not answer). */
  get behindSince(): Instant | undefined {
    return this.behind;
  }

  /** Tells `subscriber` what comes, until it closes. @param lastEventId where an earlier stream ended. */
  add(subscriber: ReviewSubscriber, lastEventId: string | undefined): void {
    const joining = { subscriber, lastEventId };
    this.joining.add(joining);
    subscriber.once('close', () => {
      this.joining.delete(joining);
      this.subscribers.delete(subscriber);
      this.wake();
    });
    this.wake();
    this.running ??= this.run().finally(() => {
      this.running = undefined;
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    this.wake();
    await this.running;
  }

  private async run(): Promise<void> {
    const unsubscribe = this.bell.on(() => this.wake());
    while (!this.stopping.signal.aborted && this.subscribers.size + this.joining.size > 0) {
      // Before the turn, so that a ring during it is not missed.
      const next = this.rung();
      try {
        await this.turn();
        this.behind = undefined;
      } catch (error) {
        this.behind ??= this.clock.now();
        this.log.warn({ err: error }, 'what happened to reviews could not be read; tried again soon');
      }
      await next;
    }
    unsubscribe();
    this.place = undefined;
  }

  private async turn(): Promise<void> {
    this.place ??= await lastPlace(this.db);
    for (const joining of this.joining) await this.join(joining, this.place);
    for (;;) {
      const events = await eventsAfter(this.db, { after: this.place, limit: BATCH });
      for (const event of events) {
        for (const subscriber of this.subscribers) subscriber.offer(event);
        this.place = event;
      }
      if (events.length < BATCH || this.stopping.signal.aborted) return;
    }
  }

  private async join(joining: Joining, to: EventPlace): Promise<void> {
    const { subscriber, lastEventId } = joining;
    if (lastEventId !== undefined) {
      const after = placeOf(lastEventId);
      const isKnown = after !== undefined && (await isPlace(this.db, after));
      const missed = isKnown ? await eventsAfter(this.db, { after, to, limit: BATCH + 1 }) : undefined;
      if (missed === undefined || missed.length > BATCH) subscriber.reset(to);
      else for (const event of missed) subscriber.offer(event);
    }
    // Gone meanwhile: nobody would take it out again.
    if (this.joining.delete(joining)) this.subscribers.add(subscriber);
  }

  /** Resolves at the next ring, after a second or at the stop. */
  private rung(): Promise<void> {
    return new Promise((resolve) => {
      // Real time: nothing is stored of it.
      const timer = setTimeout(resolve, LOOK_EVERY_MS);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
