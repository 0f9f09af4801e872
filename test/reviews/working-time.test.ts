import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CalendarSpec, WEEKDAYS, workingHoursOf } from '../../src/reviews/calendars/calendar-spec.js';
import {
  lengthsOf,
  NoWorkingTime,
  workingLater,
  workingTimeBetween,
  type WorkingHours,
} from '../../src/reviews/calendars/working-time.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const at = (text: string): number => Date.parse(text);
const iso = (instant: number): string => new Date(instant).toISOString();

const OFFICE = {
  mon: ['09:00-17:00'],
  tue: ['09:00-17:00'],
  wed: ['09:00-17:00'],
  thu: ['09:00-17:00'],
  fri: ['09:00-17:00'],
};
const hoursOf = (timeZone: string, hours: object = OFFICE, holidays: string[] = []): WorkingHours =>
  workingHoursOf(CalendarSpec.parse({ timeZone, hours, holidays }));
const later = (hours: WorkingHours, from: string, ms: number): string =>
  iso(workingLater(hours)(at(from), ms));

describe('working time', () => {
  const berlin = hoursOf('Europe/Berlin', OFFICE, ['2026-12-25']);

  it('goes on the next working day, and ends with a day where nothing is left of it', () => {
    // A Thursday, 16:00 in Berlin.
    expect(later(berlin, '2026-11-26T15:00:00Z', 4 * HOUR)).toBe('2026-11-27T11:00:00.000Z');
    expect(later(berlin, '2026-11-26T15:00:00Z', HOUR)).toBe('2026-11-26T16:00:00.000Z');
    expect(later(berlin, '2026-11-27T20:00:00Z', MINUTE)).toBe('2026-11-30T08:01:00.000Z');
    expect(later(berlin, '2026-11-26T15:00:00Z', 0)).toBe('2026-11-26T15:00:00.000Z');
  });

  it('leaves out holidays', () => {
    expect(later(berlin, '2026-12-24T15:30:00Z', HOUR)).toBe('2026-12-28T08:30:00.000Z');
  });

  it('follows the wall clock over both changes of the clocks', () => {
    // Fridays before the last Sundays of March and October: Monday 09:00 is an hour earlier, and later, in UTC.
    expect(later(berlin, '2026-03-27T15:00:00Z', 2 * HOUR)).toBe('2026-03-30T08:00:00.000Z');
    expect(later(berlin, '2026-10-23T14:00:00Z', 2 * HOUR)).toBe('2026-10-26T09:00:00.000Z');
    const night = hoursOf('Europe/Berlin', { sun: ['01:00-04:00'] });
    // 02:00 to 03:00 is left out in spring and comes twice in autumn.
    expect(workingTimeBetween(night, at('2026-03-28T12:00:00Z'), at('2026-03-29T12:00:00Z'))).toBe(2 * HOUR);
    expect(workingTimeBetween(night, at('2026-10-24T12:00:00Z'), at('2026-10-25T12:00:00Z'))).toBe(4 * HOUR);
    const halves = hoursOf('Europe/Berlin', { sun: ['02:00-02:30'] });
    expect(later(halves, '2026-10-24T12:00:00Z', 45 * MINUTE)).toBe('2026-10-25T01:15:00.000Z');
  });

  it('knows what a day and a week of it are', () => {
    expect(lengthsOf(berlin)).toEqual({ d: 8 * HOUR, w: 40 * HOUR });
    expect(lengthsOf(hoursOf('UTC', { mon: ['08:00-12:00', '13:00-17:00'], sat: ['10:00-14:00'] }))).toEqual({
      d: 6 * HOUR,
      w: 12 * HOUR,
    });
  });

  it('gives up where forty years are too few', () => {
    const rare = hoursOf('UTC', { mon: ['00:00-00:01'] });
    expect(() => workingLater(rare)(at('2026-11-23T00:00:00Z'), 3650 * 24 * HOUR)).toThrow(NoWorkingTime);
  });

  it.each([
    ['no working time at all', { timeZone: 'UTC', hours: {} }, /working time on one day/],
    ['days without hours', { timeZone: 'UTC', hours: { mon: [] } }, /working time on one day/],
    ['an offset for a zone', { timeZone: '+02:00', hours: OFFICE }, /IANA time zone/],
    [
      'hours that overlap',
      { timeZone: 'UTC', hours: { mon: ['09:00-12:00', '11:00-13:00'] } },
      /after the one before/,
    ],
    [
      'hours that end before they begin',
      { timeZone: 'UTC', hours: { mon: ['22:00-06:00'] } },
      /hours of one day/,
    ],
    ['a 25th hour', { timeZone: 'UTC', hours: { mon: ['09:00-24:30'] } }, /hours of one day/],
    ['a day that is none', { timeZone: 'UTC', hours: { ...OFFICE, holiday: ['09:00-12:00'] } }, /holiday/],
    ['a date that is none', { timeZone: 'UTC', hours: OFFICE, holidays: ['2026-02-30'] }, /no date/],
  ])('is not kept with %s', (_, spec, message) => {
    expect(JSON.stringify(CalendarSpec.safeParse(spec).error?.issues)).toMatch(message);
  });
});

/** What a wall clock shows, asked of the runtime alone. */
function wallClock(timeZone: string): (instant: number) => { day: number; date: string; minute: number } {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    hourCycle: 'h23',
    weekday: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  return (instant) => {
    const parts = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, value]));
    return {
      day: (WEEKDAYS as readonly string[]).indexOf((parts['weekday'] ?? '').slice(0, 3).toLowerCase()),
      date: `${parts['year']}-${parts['month']}-${parts['day']}`,
      minute: Number(parts['hour']) * 60 + Number(parts['minute']),
    };
  };
}

// Around their changes: an hour forwards and back, half an hour, at midnight, and none.
const MOMENTS = [
  ['Europe/Berlin', '2026-03-27T00:00:00Z'],
  ['Europe/Berlin', '2026-10-23T00:00:00Z'],
  ['America/New_York', '2026-03-06T00:00:00Z'],
  ['America/New_York', '2026-10-30T00:00:00Z'],
  ['Australia/Lord_Howe', '2026-04-03T00:00:00Z'],
  ['Australia/Lord_Howe', '2026-10-02T00:00:00Z'],
  ['America/Santiago', '2026-04-03T00:00:00Z'],
  ['America/Santiago', '2026-09-04T00:00:00Z'],
  ['Asia/Kathmandu', '2026-05-01T00:00:00Z'],
] as const;

const clock = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
const oneDay = fc
  .uniqueArray(fc.integer({ min: 0, max: 96 }), { maxLength: 4 })
  .map((quarters) => quarters.toSorted((a, b) => a - b).map((quarter) => quarter * 15))
  .map((minutes) =>
    minutes.flatMap((from, index) => {
      const to = minutes[index + 1];
      return index % 2 === 1 || to === undefined ? [] : [`${clock(from)}-${clock(to)}`];
    }),
  );
const scene = fc
  .record({
    moment: fc.constantFrom(...MOMENTS),
    hours: fc.record({ sun: oneDay, mon: oneDay, tue: oneDay, wed: oneDay, fri: oneDay, sat: oneDay }),
    holiday: fc.integer({ min: 0, max: 5 }),
    begin: fc.integer({ min: 0, max: 3 * 1440 }),
  })
  .filter(({ hours }) => Object.values(hours).some((spans) => spans.length > 0))
  .map(({ moment: [timeZone, day], hours, holiday, begin }) => ({
    timeZone,
    from: at(day) + begin * MINUTE,
    hours: hoursOf(timeZone, hours, [iso(at(day) + holiday * 24 * HOUR).slice(0, 10)]),
  }));
const span = fc.integer({ min: 0, max: 3 * 1440 }).map((minutes) => minutes * MINUTE);

describe('working time, whatever the hours and the zone', () => {
  it('is what a walk through every minute finds', () => {
    fc.assert(
      fc.property(scene, fc.integer({ min: 1, max: 1440 }), ({ timeZone, from, hours }, minutes) => {
        const shows = wallClock(timeZone);
        const reach = workingLater(hours)(from, minutes * MINUTE);
        const end = Math.min(reach, from + 6 * 1440 * MINUTE);
        let worked = 0;
        for (let instant = from; instant < end; instant += MINUTE) {
          const { day, date, minute } = shows(instant);
          const isOpen = (hours.week[day] ?? []).some(
            ([opens, closes]) => opens <= minute && minute < closes,
          );
          if (isOpen && !hours.holidays.has(date)) worked += 1;
        }
        expect(workingTimeBetween(hours, from, end)).toBe(worked * MINUTE);
        if (end === reach) expect(worked).toBe(minutes);
        else expect(worked).toBeLessThanOrEqual(minutes);
      }),
      { numRuns: 60 },
    );
  });

  it('adds up, and never runs backwards', () => {
    fc.assert(
      fc.property(scene, span, span, ({ from, hours }, first, second) => {
        const after = workingLater(hours);
        const once = after(from, first + second);
        expect(after(after(from, first), second)).toBe(once);
        expect(after(from, first)).toBeLessThanOrEqual(once);
        expect(after(from, first)).toBeGreaterThanOrEqual(from);
        // A later beginning never ends earlier.
        expect(after(from + second, first)).toBeGreaterThanOrEqual(after(from, first));
        expect(workingTimeBetween(hours, from, once)).toBe(first + second);
      }),
      { numRuns: 200 },
    );
  });
});
