import type { Instant } from '../../../../clock.js';
import { offsetAt } from '../../../../time-zone.js';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const WORKDAYS: readonly number[] = [1, 2, 3, 4, 5];

/** At which local time, and on which days of the week (0 is Sunday), a digest is told. */
export interface DigestSchedule {
  readonly days: readonly number[];
  readonly minute: number;
}

/** `09:00`, on working days. @returns `undefined` for anything else. */
export function dailySchedule(text: string): DigestSchedule | undefined {
  const minute = minuteOfDay(text);
  return minute === undefined ? undefined : { days: WORKDAYS, minute };
}

/** `mon 09:00`. @returns `undefined` for anything else. */
export function weeklySchedule(text: string): DigestSchedule | undefined {
  const [, day = '', time = ''] = /^([a-z]{3}) +(\S+)$/.exec(text.trim().toLowerCase()) ?? [];
  const [index, minute] = [DAYS.indexOf(day), minuteOfDay(time)];
  return index === -1 || minute === undefined ? undefined : { days: [index], minute };
}

function minuteOfDay(text: string): number | undefined {
  const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text.trim()) ?? [];
  return hours === undefined ? undefined : Number(hours) * 60 + Number(minutes);
}

/**
 * The last moment of a schedule that is not in the future. Each day has one: a time that the clocks leave out comes as
 * much later as they jump, and one that they show twice comes once.
 */
export function latestAt({ days, minute }: DigestSchedule, timeZone: string, now: Instant): Instant {
  const today = Math.floor((now + offsetAt(timeZone, now)) / DAY_MS) * DAY_MS;
  for (let back = 0; back <= 8; back++) {
    const day = today - back * DAY_MS;
    if (!days.includes(new Date(day).getUTCDay())) continue;
    const at = instantOf(day + minute * MINUTE_MS, timeZone);
    if (at <= now) return at;
  }
  throw new Error('a schedule has a day in every week');
}

/** When the clock on the wall shows this, given as if it were UTC. */
function instantOf(wall: number, timeZone: string): Instant {
  // The offset at the guess may belong to the other side of a clock change; the second look settles it.
  const guess = wall - offsetAt(timeZone, wall);
  return wall - offsetAt(timeZone, guess);
}
