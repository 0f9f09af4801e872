import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Clock, type Instant } from '../../../../clock.js';
import { Database } from '../../../../database/database.js';
import { HealthCheck, HealthRegistry, type HealthResult } from '../../../../ops/health.js';
import { LOG, type Log } from '../../../../ops/log.js';
import { Alerts } from '../../../../outbound/alerts.js';
import { Outbox, type OutboxMessage } from '../../../../outbound/outbox.js';
import { visible } from '../../../../outbound/safe-text.js';
import { minuteOf } from '../../question.js';
import { SlackAccess } from '../setup/slack-access.js';
import {
  brokenFor,
  brokenPlaces,
  markBroken,
  unmarkBroken,
  WORKSPACE,
  type BrokenPlace,
} from '../sql/broken.js';
import { canBeLookedAt, remedyOf } from './remedies.js';
import { SlackCatchUp } from './catch-up.js';
import { SLACK_CHECK } from './slack-kinds.js';

// The first look comes soon, since whoever is asked to invite the app does it now; later ones are for nights.
const LOOK_AFTER_SECONDS = [15, 30, 60, 120, 300] as const;
const DAY_MS = 86_400_000;
// Every process hears of a change, and one look is enough.
const SLOT_MS = 10_000;
const SHOWN_IN_HEALTH = 10;

/** A broken place, and what mends it. */
export interface SlackBreakage extends BrokenPlace {
  readonly remedy: string;
}

/** Keeps where nothing can be told, tells the people who run the service once, and shows again what was missed. */
@Injectable()
export class BrokenSlack extends HealthCheck implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly name = 'slack_channels';

  private readonly stopListening: (() => void)[] = [];

  constructor(
    @Inject(LOG) private readonly log: Log,
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly outbox: Outbox,
    private readonly alerts: Alerts,
    private readonly health: HealthRegistry,
    private readonly access: SlackAccess,
    private readonly catchUp: SlackCatchUp,
  ) {
    super();
  }

  onApplicationBootstrap(): void {
    this.health.add(this);
    this.stopListening.push(this.access.onChange(() => void this.settingsChanged()));
    // With the settings of the environment nothing changes but the process.
    void this.settingsChanged();
  }

  beforeApplicationShutdown(): void {
    for (const stop of this.stopListening.splice(0)) stop();
  }

  /** Channels by their ids, and `*` for the workspace; without those in which nothing new is told any more. */
  async broken(): Promise<readonly SlackBreakage[]> {
    return (await brokenPlaces(this.db))
      .filter(({ place }) => this.isInUse(place))
      .map((one) => ({ ...one, remedy: remedyOf(one.reason) }));
  }

  private isInUse(place: string): boolean {
    return place === WORKSPACE || this.access.channels.includes(place);
  }

  async check(): Promise<readonly HealthResult[]> {
    return (await this.broken()).slice(0, SHOWN_IN_HEALTH).map(({ place, since, reason, remedy }) => ({
      name: this.name,
      healthy: true,
      degraded: true,
      state: 'broken',
      detail: `${nameOf(place)} cannot be told since ${minuteOf(since)} (${visible(reason, 80)}); its reviews are told by mail and on the web`,
      remedy,
    }));
  }

  /** Somebody found it broken. Told once, however many find it. */
  async broke(place: string, reason: string): Promise<void> {
    const since = this.now();
    const isNew = await this.db.transaction(async (tx) => {
      if (!(await markBroken(tx, { place, since, reason }))) return false;
      await this.outbox.enqueue(tx, [this.nextLook({ place, since }, 1)]);
      // Old messages there cannot be brought up to date; that is no trouble of what is told now.
      if (!this.isInUse(place)) return false;
      await this.alerts.tell(tx, {
        // What only a new message shows to be over may be found again and again; once a day is enough then.
        key: `slack-broken:${place}:${reason}:${canBeLookedAt(reason) ? since : Math.floor(since / DAY_MS)}`,
        subject: `Slack: ${nameOf(place)} takes no messages`,
        lines: [
          `Since ${minuteOf(since)} nothing can be told there. Slack says: ${visible(reason, 80)}.`,
          'Until it works again, reviews are told by mail and stand in the web inbox.',
        ],
        remedy: remedyOf(reason),
      });
      return true;
    });
    if (isNew) this.log.error({ place, reason }, 'Slack takes no messages there; mail is used in its place');
  }

  /** It works again: what was missed and is still open is shown now. */
  async mended(place: string): Promise<void> {
    const since = await this.db.transaction(async (tx) => {
      const brokenSince = await unmarkBroken(tx, place);
      if (brokenSince !== undefined) await this.catchUp.with(tx, place, brokenSince);
      return brokenSince;
    });
    if (since !== undefined)
      this.log.info({ place, since: new Date(since).toISOString() }, 'Slack takes messages there again');
  }

  /** A message was taken there, whoever found the place broken meanwhile. */
  async tookMessage(channel: string): Promise<void> {
    if ((await brokenFor(this.db, channel)) === undefined) return;
    await this.mended(channel);
    await this.mended(WORKSPACE);
  }

  /**
   * By its looks it works again. That is believed once a single message went through, so that a place that only looks whole
   * is not given everything again and again; where nothing waits to be told, nothing can show it.
   */
  async looksWhole(place: string, look: { readonly since: Instant; readonly n: number }): Promise<void> {
    const isTried = await this.db.transaction(async (tx) => {
      const probe = await this.catchUp.probe(tx, place, look.since);
      if (probe === undefined) return false;
      await this.outbox.enqueue(tx, [...probe, this.nextLook({ place, since: look.since }, look.n + 1)]);
      return true;
    });
    if (!isTried) await this.mended(place);
  }

  /**
   * Something says that they may work again: nobody waits for the look that is due anyway.
   *
   * @param everyMs so often at most for the same place, however many say it.
   */
  async lookNow(places: readonly BrokenPlace[], everyMs = SLOT_MS): Promise<void> {
    const slot = Math.floor(this.now() / everyMs);
    const looks = places.map((one) => ({
      ...this.nextLook(one, 1),
      key: `${one.place}:${one.since}:change-${everyMs}-${slot}`,
      notBefore: undefined,
    }));
    await this.outbox.enqueue(this.db, looks);
  }

  /** Other tokens or channels: whoever set them need not wait for the next look. */
  private async settingsChanged(): Promise<void> {
    try {
      await this.lookNow(await brokenPlaces(this.db));
      if (this.access.isOn) await this.catchUp.everywhere(`on-${Math.floor(this.now() / SLOT_MS)}`);
    } catch (error) {
      // The looks that are due anyway come all the same.
      this.log.warn({ err: error }, 'could not look whether Slack works with the new settings');
    }
  }

  /** The look whether it works again. */
  nextLook({ place, since }: Pick<BrokenPlace, 'place' | 'since'>, n: number): OutboxMessage {
    const seconds = LOOK_AFTER_SECONDS[n - 1] ?? LOOK_AFTER_SECONDS.at(-1) ?? 300;
    return {
      kind: SLACK_CHECK,
      key: `${place}:${since}:${n}`,
      payload: { place, since, n },
      notBefore: this.now() + seconds * 1000,
    };
  }

  private now(): Instant {
    return Math.round(this.clock.now());
  }
}

const nameOf = (place: string): string =>
  place === WORKSPACE ? 'the workspace' : `channel ${visible(place, 40)}`;
