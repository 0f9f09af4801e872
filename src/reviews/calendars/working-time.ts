import type { Instant } from '../../clock.js';
import { offsetAt } from '../../time-zone.js';
import type { Later } from '../rules/schedule.js';

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
// A calendar that has an hour a year reaches no farther; whoever writes one is told.
const MAX_DAYS = 40 * 366;

/** Of Sunday to Saturday, as Date counts them: minutes of the day, in order and apart. */
export type WeekHours = readonly (readonly (readonly [from: number, to: number])[])[];

/** When a group works. */
export interface WorkingHours {
  /** IANA name. */
  readonly timeZone: string;
  readonly week: WeekHours;
  /** `2026-12-25`: no work on that day. */
  readonly holidays: ReadonlySet<string>;
}

/** There is not so much working time within forty years. */
export class NoWorkingTime extends Error {
  constructor() {
    super('there is too little working time for it within forty years');
  }
}

/** Milliseconds of working time that a day and a week stand for, as in `3d`. */
export interface Lengths {
  readonly d: number;
  readonly w: number;
}

/** A working day is what the days on which there is work have on average. */
export function lengthsOf({ week }: WorkingHours): Lengths {
  const days = week.map((spans) => spans.reduce((sum, [from, to]) => sum + to - from, 0));
  const total = days.reduce((sum, minutes) => sum + minutes, 0);
  const worked = days.filter((minutes) => minutes > 0).length;
  return { d: Math.round((total / worked) * MINUTE), w: total * MINUTE };
}

/**
 * The instant until which so much of the working time after `from` has passed: the end of the day, not the next morning.
 *
 * Working time is when the wall clock shows it: an hour that the clocks leave out is not worked, one that they show twice
 * is worked twice.
 *
 * @throws NoWorkingTime
 */
export const workingLater = (hours: WorkingHours): Later => {
  let walk: Walk | undefined;
  return (from, byMs) => {
    if (walk?.from !== from) walk = new Walk(hours, from);
    return walk.after(byMs);
  };
};

/** How much working time lies between two instants, in milliseconds; 0 where `to` is not after `from`. */
export const workingTimeBetween = (hours: WorkingHours, from: Instant, to: Instant): number =>
  new Walk(hours, from).until(to);

/** The working time from one instant on, as far as it was asked for. */
class Walk {
  private readonly spans: { readonly from: Instant; readonly to: Instant; readonly before: number }[] = [];
  private total = 0;
  private days = 0;
  private reached: Instant;

  constructor(
    private readonly hours: WorkingHours,
    readonly from: Instant,
  ) {
    this.reached = from;
  }

  after(ms: number): Instant {
    if (ms <= 0) return this.from;
    while (this.total < ms) this.extend();
    // The first span at whose end so much has passed.
    let [low, high] = [0, this.spans.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      const { from, to, before } = this.spans[middle] as (typeof this.spans)[number];
      if (before + to - from >= ms) high = middle;
      else low = middle + 1;
    }
    const { from, before } = this.spans[low] as (typeof this.spans)[number];
    return from + ms - before;
  }

  until(to: Instant): number {
    while (this.reached < to) this.extend();
    let worked = 0;
    for (const span of this.spans) {
      if (span.from >= to) break;
      worked += Math.min(span.to, to) - span.from;
    }
    return worked;
  }

  /** Goes on by a day, or to where the clocks are changed before that. */
  private extend(): void {
    if (++this.days > MAX_DAYS) throw new NoWorkingTime();
    const { timeZone, week, holidays } = this.hours;
    const begin = this.reached;
    const offset = offsetAt(timeZone, begin);
    const end = this.sameOffsetUntil(offset, begin, begin + DAY);
    // As if the wall clock were UTC's: between two changes the one runs with the other.
    const [first, last] = [begin + offset, end + offset];
    for (let day = Math.floor(first / DAY); day * DAY < last; day++) {
      const midnight = new Date(day * DAY);
      if (holidays.has(midnight.toISOString().slice(0, 10))) continue;
      for (const [opens, closes] of week[midnight.getUTCDay()] ?? []) {
        const from = Math.max(first, day * DAY + opens * MINUTE);
        const to = Math.min(last, day * DAY + closes * MINUTE);
        if (from >= to) continue;
        this.spans.push({ from: from - offset, to: to - offset, before: this.total });
        this.total += to - from;
      }
    }
    this.reached = end;
  }

  /** `end`, or the second before it at which the offset is another. */
  private sameOffsetUntil(offset: number, begin: Instant, end: Instant): Instant {
    const { timeZone } = this.hours;
    if (offsetAt(timeZone, end) === offset) return end;
    let [same, other] = [Math.floor(begin / 1000), Math.floor(end / 1000)];
    while (other - same > 1) {
      const middle = Math.floor((same + other) / 2);
      if (offsetAt(timeZone, middle * 1000) === offset) same = middle;
      else other = middle;
    }
    return other * 1000;
  }
}
