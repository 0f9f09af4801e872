import type { Instant } from '../clock.js';

/** [from, to) in milliseconds since the epoch, and the name that people use for it, as `2026-W47`. */
export interface Period {
  readonly from: Instant;
  readonly to: Instant;
  readonly label: string;
}

const DAY_MS = 86_400_000;

/** The ISO week (Monday to Sunday in the zone's local days, so 167 to 169 hours at clock changes) that holds `at`. */
export function isoWeek(at: Instant, timeZone: string): Period {
  const day = localDay(at, timeZone);
  const sinceMonday = (new Date(day).getUTCDay() + 6) % 7;
  const monday = day - sinceMonday * DAY_MS;
  return {
    from: startOfLocalDay(monday, timeZone),
    to: startOfLocalDay(monday + 7 * DAY_MS, timeZone),
    label: isoWeekLabel(monday),
  };
}

/** The week before the one that holds `at`. */
export function previousIsoWeek(at: Instant, timeZone: string): Period {
  return isoWeek(isoWeek(at, timeZone).from - 1, timeZone);
}

/** ISO 8601: the week belongs to the year of its Thursday. `monday` is that day's midnight in UTC. */
function isoWeekLabel(monday: number): string {
  const thursday = new Date(monday + 3 * DAY_MS);
  const firstOfYear = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  const week = Math.floor((thursday.getTime() - firstOfYear) / (7 * DAY_MS)) + 1;
  return `${thursday.getUTCFullYear()}-W${String(week).padStart(2, '0')}`;
}

/** The local calendar day of an instant, as that day's midnight in UTC. */
function localDay(at: Instant, timeZone: string): number {
  return Math.floor(wallClock(at, timeZone) / DAY_MS) * DAY_MS;
}

/** The first instant of a local day. A zone that skips midnight begins its day when the skip ends. */
function startOfLocalDay(day: number, timeZone: string): Instant {
  // The offset at the guess may belong to the other side of a clock change; the second look settles it.
  const first = day - (wallClock(day, timeZone) - day);
  const second = day - (wallClock(first, timeZone) - first);
  return wallClock(second, timeZone) >= day ? second : first;
}

/** What a clock on the wall shows, as if it were UTC. */
function wallClock(at: Instant, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(at);
  const part = (type: Intl.DateTimeFormatPartTypes) =>
    Number(parts.find((entry) => entry.type === type)?.value);
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
}
