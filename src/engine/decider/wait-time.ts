import type { Instant } from '../../clock.js';

const DURATION =
  /^\s*(?:(\d+)\s*(?:days?|d))?\s*(?:(\d+)\s*(?:hours?|hrs?|h))?\s*(?:(\d+)\s*(?:minutes?|mins?|m))?\s*(?:(\d+)\s*(?:seconds?|secs?|s))?\s*$/i;
const UNTIL = /^(\d{4})-(\d{2})-(\d{2})(?: (\d{2}):(\d{2})(?: ([A-Za-z0-9_+:/-]{1,40}))?)?$/;
const OFFSET = /^(?:GMT|UTC)?([+-])(\d{1,2}):?(\d{2})?$/;
// A hundred years: whoever waits longer has mistaken the unit.
const MAX_DURATION_MS = 36_525 * 86_400_000;
const DAY_MS = 86_400_000;

/** "1 days 2 hours 3 minutes 4 seconds", any part of it in this order, in milliseconds; `undefined` when it is not that. */
export function parseDurationMs(text: string): number | undefined {
  const match = text.length <= 200 ? DURATION.exec(text) : null;
  if (match === null || text.trim() === '') return undefined;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  const ms = days * DAY_MS + hours * 3_600_000 + minutes * 60_000 + seconds * 1000;
  return ms <= MAX_DURATION_MS ? ms : undefined;
}

/** "yyyy-MM-dd", "yyyy-MM-dd HH:mm" or "yyyy-MM-dd HH:mm zone"; UTC when no zone is given. */
export function parseUntil(text: string): Instant | undefined {
  const match = UNTIL.exec(text.trim());
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = match
    .slice(1, 6)
    .map((part) => Number(part ?? 0));
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59)
    return undefined;
  const local = daysSinceEpoch(year, month, day) * DAY_MS + hour * 3_600_000 + minute * 60_000;
  const zone = match[6];
  return zone === undefined ? local : inZone(local, zone);
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** Days from 1970-01-01 in the Gregorian calendar; years begin in March so that the leap day is last. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function inZone(local: Instant, zone: string): Instant | undefined {
  if (/^(UTC|GMT|Z)$/i.test(zone)) return local;
  const offset = OFFSET.exec(zone);
  if (offset !== null) {
    const hours = Number(offset[2]);
    const minutes = Number(offset[3] ?? 0);
    if (hours > 14 || minutes > 59) return undefined;
    return local - (offset[1] === '-' ? -1 : 1) * (hours * 60 + minutes) * 60_000;
  }
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
  } catch (error) {
    // That is how Intl says that it knows no such zone.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  const offsetAt = (at: Instant): number => wallClock(format, at) - at;
  // The offset at the local time taken as UTC is right unless a change lies between; the second look settles that.
  return local - offsetAt(local - offsetAt(local));
}

function wallClock(format: Intl.DateTimeFormat, at: Instant): number {
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  const days = daysSinceEpoch(part('year'), part('month'), part('day'));
  return days * DAY_MS + part('hour') * 3_600_000 + part('minute') * 60_000;
}
