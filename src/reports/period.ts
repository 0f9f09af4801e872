import type { Instant } from '../clock.js';
import { InvalidInput } from '../errors.js';
import { offsetAt } from '../time-zone.js';

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

/** A moment, or a day of the zone, as its midnight in UTC: the day's first moment is meant. */
export type Moment = Instant | { readonly day: number };

/**
 * What a report is asked for: the week so far, the week that holds `from`, or exactly `from` to `to`.
 *
 * @throws InvalidInput naming the end that is wrong.
 */
export function wishedPeriod(
  wished: { readonly from?: Moment | undefined; readonly to?: Moment | undefined },
  now: Instant,
  timeZone: string,
): Period {
  const at = (moment: Moment): Instant =>
    typeof moment === 'number' ? moment : startOfLocalDay(moment.day, timeZone);
  if (wished.from === undefined) {
    if (wished.to !== undefined) throw InvalidInput.field('from', 'is needed when `to` is given');
    return isoWeek(now, timeZone);
  }
  const from = at(wished.from);
  if (from > now) throw InvalidInput.field('from', 'lies in the future; nothing can be reported of it yet');
  const week = isoWeek(from, timeZone);
  if (wished.to === undefined) return week;
  const to = at(wished.to);
  if (to <= from) throw InvalidInput.field('to', 'must be after `from`');
  if (to - from > 366 * DAY_MS) throw InvalidInput.field('to', 'must be within a year after `from`');
  const isWeek = from === week.from && to === week.to;
  return { from, to, label: isWeek ? week.label : `${dayOf(from)} to ${dayOf(to)}` };
}

const dayOf = (at: Instant): string => new Date(at).toISOString().slice(0, 10);

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
const wallClock = (at: Instant, timeZone: string): number => at + offsetAt(timeZone, at);
