import { insertPause } from '../../src/backlog/sql/pauses.js';
import { IntakeService } from '../../src/intake/intake.service.js';
import { ScanRequests } from '../../src/intake/scan-requests.service.js';
import { offsetAt } from '../../src/time-zone.js';
import { Triggers } from '../../src/triggers/triggers.service.js';
import { RuleSpec } from '../../src/triggers/rule-spec.js';
import { Ledger } from '../../src/verdicts/ledger.js';
import { FakeClock } from '../../test/support/clock.js';
import { Aftermath } from './aftermath.js';
import { Desk } from './desk.js';
import { hire, leave } from './people.js';
import { Scanner } from './scanner.js';
import { Store } from './store.js';
import { Uploads } from './uploads.js';
import { reported, settle, TIME_ZONE, World, type Place } from './world.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Objects live so long in their buckets. */
const KEPT_DAYS = 24;
const ACTOR = 'system:proof';

/** What happens in which week; weeks count from 0. */
export interface Plan {
  /** Midnight of the first Monday, as a date in UTC. */
  readonly firstMonday: number;
  readonly weeks: number;
  readonly uploads: number;
  /** Local hours at which something happens each day. */
  readonly hours: readonly number[];
  /** Share of the open reviews that people look at each time. */
  readonly zeal: number;
  /** A day without an engine for malware, and the day after it on which what was not whole is scanned again. */
  readonly blind: { readonly week: number; readonly day: number };
  readonly empty: number;
  /** From Saturday noon of this week for three days. */
  readonly outage: number;
  /** In these weeks something of the week becomes known only after its report. */
  readonly lateFolds: readonly number[];
  readonly lateDecisions: readonly number[];
  /** What is guilty is scanned again; from the second time on the rules find less. */
  readonly rescans: readonly number[];
  readonly exceptions: readonly number[];
  readonly absences: readonly number[];
  readonly leaves: number;
}

/** Lives through the weeks of a plan. `onMonday` is called when a week's report is due and everything has settled. */
export class Quarter {
  readonly clock: FakeClock;
  readonly store = new Store();
  readonly uploads: Uploads;
  readonly scanner: Scanner;
  desk!: Desk;
  aftermath!: Aftermath;
  world: World | undefined;
  /** Reviews whose decisions the ledger cannot be told of, for a fault's time. */
  private isLedgerDeaf = false;
  private seen = 0;

  constructor(
    private readonly plan: Plan,
    private readonly place: Place,
    private readonly random: () => number,
  ) {
    this.clock = new FakeClock(this.local(0, 0, 0) - HOUR);
    this.uploads = new Uploads(random, this.store, this.clock);
    this.scanner = new Scanner(this.store, this.uploads, this.clock, random);
  }

  async live(onMonday: (week: number) => Promise<void>): Promise<void> {
    await this.open();
    for (let week = 0; week <= this.plan.weeks; week += 1)
      for (let day = 0; day < 7; day += 1)
        for (const hour of this.plan.hours) {
          const world = await this.arrive(week, day, hour);
          if (world !== undefined && this.seen < week) {
            this.seen = week;
            await reported(world, this.clock, week);
            await onMonday(week - 1);
          }
          if (this.seen === this.plan.weeks) return;
          await this.moment(world, week, day, hour);
        }
  }

  async close(): Promise<void> {
    await this.world?.stop(this.clock);
    this.world = undefined;
  }

  private async open(): Promise<void> {
    const world = await this.start();
    this.desk = new Desk(this.random, this.clock, await hire(world));
    this.aftermath = new Aftermath(this.random, this.store, this.uploads, this.desk, this.clock);
    await this.desk.register(world);
    await world.get(Triggers).create(
      RuleSpec.parse({
        name: 'scratch',
        effect: 'deny',
        prefix: 'scratch/',
        description: 'nobody keeps these',
      }),
      ACTOR,
    );
    // The proof scans what waits; nothing is started for it.
    await insertPause(world.database, {
      queue: 'all',
      endpoint_id: null,
      bucket: null,
      source_class: null,
      reason: 'scanned by the proof',
      paused_by: ACTOR,
      paused_at: this.clock.now(),
    });
  }

  private async start(): Promise<World> {
    this.world = await World.start(this.place, this.clock, this.store);
    const ledger = this.world.get(Ledger);
    const record = ledger.recordDecision.bind(ledger);
    ledger.recordDecision = (...args) =>
      this.isLedgerDeaf ? Promise.reject(new Error('a fault of the proof')) : record(...args);
    return this.world;
  }

  /** Lets the time pass until then. @returns the service, having done what was due, unless it is down. */
  private async arrive(week: number, day: number, hour: number): Promise<World | undefined> {
    const { plan, clock } = this;
    const at = this.local(week, day, hour);
    const isDown = at >= this.local(plan.outage, 5, 12) && at < this.local(plan.outage, 8, 12);
    if (isDown) await this.close();
    if (at > clock.now()) clock.advance(at - clock.now());
    if (isDown) return undefined;
    const world = this.world ?? (await this.start());
    await settle(world, clock);
    return world;
  }

  /** What happens at one of the hours of a day. */
  private async moment(world: World | undefined, week: number, day: number, hour: number): Promise<void> {
    const count = week === this.plan.empty ? 0 : this.share();
    if (world === undefined) {
      await this.uploads.upload(count, HOUR, undefined);
      return;
    }
    await this.uploads.deliver(world.get(IntakeService));
    await this.uploads.upload(count, HOUR, world.get(IntakeService));
    await this.special(world, week, day, hour);
    await this.scan(world);
    await this.desk.work(world, day > 4 ? this.plan.zeal / 5 : this.plan.zeal);
    await settle(world, this.clock);
    await this.aftermath.follow(world);
  }

  private async scan(world: World): Promise<void> {
    const guilty = await this.scanner.scanAll(world);
    await this.aftermath.secure(world, guilty);
    await this.desk.ask(world, guilty);
  }

  /** Uploads of one moment. */
  private share(): number {
    const { uploads, weeks, hours } = this.plan;
    const usual = uploads / ((weeks - 1) * 7 * hours.length);
    return Math.round(usual * (0.6 + this.random() * 0.8));
  }

  private async special(world: World, week: number, day: number, hour: number): Promise<void> {
    const { plan, clock } = this;
    const [first] = plan.hours;
    const last = plan.hours.at(-1);
    const dayOfPlan = week * 7 + day;
    const blindDay = plan.blind.week * 7 + plan.blind.day;
    this.scanner.isBlind = dayOfPlan === blindDay;
    if (dayOfPlan === blindDay + 1 && hour === first) await this.rescan(world, `verdict = 'incomplete'`);
    if (day === 2 && hour === first) this.uploads.expire(clock.now() - KEPT_DAYS * DAY);
    if (plan.rescans.includes(week) && day === 3 && hour === first) {
      if (week !== plan.rescans[0])
        this.scanner.forgives = (finding) => finding.ruleId === 'generic-secret' && this.random() < 0.5;
      await this.rescan(world, `verdict IN ('secrets', 'infected', 'suspicious', 'encrypted')`);
    }
    if (plan.exceptions.includes(week) && day < 3 && hour === last) await this.askForExceptions(world);
    if (plan.exceptions.includes(week) && day === 4 && hour === first)
      await this.desk.changeExceptions(world);
    if (plan.absences.includes(week) && day === 1 && hour === first)
      await this.desk.sendAway(world, 'security-1', 6, 'lead-1');
    if (plan.leaves === week && day === 4 && hour === last)
      await leave(world, this.desk.named('security-2'), 'security');
    if (plan.lateFolds.includes(week) && day === 6 && hour === last) await this.foldLater(world);
    if (plan.lateDecisions.includes(week)) this.isLedgerDeaf = day === 6;
    else if (day > 0 || hour !== first) this.isLedgerDeaf = false;
  }

  /** Two events for the same bytes; that they are the same is seen on the next day. */
  private async foldLater(world: World): Promise<void> {
    const eTag = await this.uploads.uploadToldTwice(world.get(IntakeService));
    this.scanner.slow.set(eTag, this.clock.now() + 14 * HOUR);
  }

  private async askForExceptions(world: World): Promise<void> {
    await this.desk.requestException(world, { kind: 'false_positive', scope: 'secret', days: 10 });
    await this.desk.requestException(world, { kind: 'accepted_risk', scope: 'finding', days: 25 });
    await this.desk.requestException(world, { kind: 'suppressed', scope: 'secret', days: 80 });
    await settle(world, this.clock);
  }

  /** What is there of these is scanned again. */
  private async rescan(world: World, which: string): Promise<void> {
    const rows = await world.database.query<{ bucket: string; key: string; version_id: string | null }>(
      `SELECT bucket, key, version_id FROM object_version
        WHERE ${which} AND folded_into IS NULL AND is_latest AND first_seen_at > $1 ORDER BY id LIMIT 300`,
      [this.clock.now() - 14 * DAY],
    );
    for (const { bucket, key, version_id: versionId } of rows) {
      const ref = { bucket, key, ...(versionId !== null && { versionId }) };
      if (this.store.find(ref) !== undefined) await world.get(ScanRequests).request(ref, ACTOR);
    }
  }

  /** The instant of a local hour; Sundays with a change of the clock have 23 or 25 of them. */
  private local(week: number, day: number, hour: number): number {
    const wall = this.plan.firstMonday + (week * 7 + day) * DAY + hour * HOUR;
    return wall - offsetAt(TIME_ZONE, wall - offsetAt(TIME_ZONE, wall));
  }
}
