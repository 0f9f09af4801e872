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
export const previousIsoWeek = (at: Instant, timeZone: string): Period =>
  previousPeriod('weekly', at, timeZone);

/** A period that repeats by the calendar. */
export const CALENDAR_KINDS = ['weekly', 'monthly', 'quarterly'] as const;
export type CalendarKind = (typeof CALENDAR_KINDS)[number];

/** The week, month (`2026-11`) or quarter (`2026-Q4`) of the zone's calendar that holds `at`. */
export function calendarPeriod(kind: CalendarKind, at: Instant, timeZone: string): Period {
  if (kind === 'weekly') return isoWeek(at, timeZone);
  const day = new Date(localDay(at, timeZone));
  const months = kind === 'monthly' ? 1 : 3;
  const first = Math.floor(day.getUTCMonth() / months) * months;
  const year = day.getUTCFullYear();
  const startOf = (month: number): Instant => startOfLocalDay(Date.UTC(year, month, 1), timeZone);
  const label =
    kind === 'monthly' ? `${year}-${String(first + 1).padStart(2, '0')}` : `${year}-Q${first / 3 + 1}`;
  return { from: startOf(first), to: startOf(first + months), label };
}

/** The one before the one that holds `at`. */
export const previousPeriod = (kind: CalendarKind, at: Instant, timeZone: string): Period =>
  calendarPeriod(kind, calendarPeriod(kind, at, timeZone).from - 1, timeZone);

/** A moment, or a day of the zone, as its midnight in UTC: the day's first moment is meant. */
export type Moment = Instant | { readonly day: number };

/** What a report is asked for. */
export interface WishedPeriod {
  readonly kind: CalendarKind | 'range';
  readonly from?: Moment | undefined;
  readonly to?: Moment | undefined;
}

/** A period, and which kind of report tells of it. */
export interface NamedPeriod extends Period {
  readonly kind: CalendarKind | 'range';
}

/**
 * What a report is asked for: the period of that kind so far, the one that holds `from`, or exactly `from` to `to`, which is
 * a `range` unless it is a whole one of that kind.
 *
 * @throws InvalidInput naming the end that is wrong.
 */
export function wishedPeriod(wished: WishedPeriod, now: Instant, timeZone: string): NamedPeriod {
  const { kind } = wished;
  const at = (moment: Moment): Instant =>
    typeof moment === 'number' ? moment : startOfLocalDay(moment.day, timeZone);
  if (wished.from === undefined) {
    if (wished.to !== undefined) throw InvalidInput.field('from', 'is needed when `to` is given');
    if (kind === 'range') throw InvalidInput.field('from', 'is needed for a range');
    return { ...calendarPeriod(kind, now, timeZone), kind };
  }
  const from = at(wished.from);
  if (from > now) throw InvalidInput.field('from', 'lies in the future; nothing can be reported of it yet');
  if (from < 0) throw InvalidInput.field('from', 'lies before 1970; nothing is known of that time');
  const whole = kind === 'range' ? undefined : calendarPeriod(kind, from, timeZone);
  if (wished.to === undefined) {
    if (whole === undefined || kind === 'range') throw InvalidInput.field('to', 'is needed for a range');
    return { ...whole, kind };
  }
  const to = at(wished.to);
  if (to <= from) throw InvalidInput.field('to', 'must be after `from`');
  if (to - from > 366 * DAY_MS) throw InvalidInput.field('to', 'must be within a year after `from`');
  if (whole !== undefined && from === whole.from && to === whole.to) return { ...whole, kind };
  const name = (moment: Instant): string => momentName(moment, timeZone);
  return { from, to, label: `${name(from)} to ${name(to)}`, kind: 'range' };
}

/** `2026-11-30`, and `2026-11-30T1702` where it is not the day's first moment; fit for the name of a file. */
function momentName(moment: Instant, timeZone: string): string {
  const day = localDay(moment, timeZone);
  if (startOfLocalDay(day, timeZone) === moment) return dayOf(day);
  const time = new Date(wallClock(moment, timeZone)).toISOString().slice(11, 16).replace(':', '');
  return `${dayOf(day)}T${time}`;
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
