import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/config.js';
import {
  dailySchedule,
  latestAt,
  weeklySchedule,
} from '../../../src/reviews/channels/slack/digests/digest-schedule.js';
import { offsetAt } from '../../../src/time-zone.js';

const at = (text: string): number => Date.parse(text);

describe('the schedule of digests', () => {
  it.each([
    ['09:00', '2026-11-24T08:30:00Z', 'UTC', '2026-11-23T09:00:00.000Z'],
    ['09:00', '2026-11-24T09:00:00Z', 'UTC', '2026-11-24T09:00:00.000Z'],
    // On a Sunday the last was Friday's.
    ['09:00', '2026-11-22T12:00:00Z', 'UTC', '2026-11-20T09:00:00.000Z'],
    ['09:00', '2026-11-24T08:30:00Z', 'Europe/Berlin', '2026-11-24T08:00:00.000Z'],
    // The day before the clocks change, and the day after.
    ['09:00', '2026-03-27T12:00:00Z', 'Europe/Berlin', '2026-03-27T08:00:00.000Z'],
    ['09:00', '2026-03-30T12:00:00Z', 'Europe/Berlin', '2026-03-30T07:00:00.000Z'],
    ['00:30', '2026-11-23T00:00:00Z', 'Pacific/Kiritimati', '2026-11-22T10:30:00.000Z'],
  ])('has %s last at %s in %s: %s', (text, now, zone, expected) => {
    const schedule = dailySchedule(text) ?? fail();
    expect(new Date(latestAt(schedule, zone, at(now))).toISOString()).toBe(expected);
  });

  it('has one moment in each week, whatever the clocks do', () => {
    const sunday = weeklySchedule('sun 02:30') ?? fail();
    // In the last week of March the time does not exist, in October there are two of it.
    for (const [from, weeks] of [
      ['2026-03-01T00:00:00Z', 6],
      ['2026-10-01T00:00:00Z', 6],
    ] as const) {
      const moments = new Set<number>();
      for (let hour = 0; hour < weeks * 168; hour++)
        moments.add(latestAt(sunday, 'Europe/Berlin', at(from) + hour * 3_600_000));
      expect(moments.size).toBe(weeks + 1);
    }
  });

  it('never lies in the future, never goes back, and is what the wall clock shows', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe'),
        fc.integer({ min: at('2026-01-01T00:00:00Z'), max: at('2027-01-01T00:00:00Z') }),
        fc.integer({ min: 0, max: 40 * 86_400_000 }),
        (zone, now, later) => {
          const schedule = dailySchedule('12:15') ?? fail();
          const [first, second] = [latestAt(schedule, zone, now), latestAt(schedule, zone, now + later)];
          expect(first).toBeLessThanOrEqual(now);
          expect(second).toBeGreaterThanOrEqual(first);
          expect(new Date(first + offsetAt(zone, first)).toISOString()).toMatch(/T12:15:00/);
        },
      ),
    );
  });

  it('is set by words that are read strictly', () => {
    for (const text of ['9:00', '24:00', 'mon 09:00', '']) expect(dailySchedule(text)).toBeUndefined();
    for (const text of ['09:00', 'monday 09:00', 'xxx 09:00']) expect(weeklySchedule(text)).toBeUndefined();
    expect(readConfig({ SLACK_DIGEST_DAILY: 'off' }).SLACK_DIGEST_DAILY).toBeUndefined();
    expect(() => readConfig({ SLACK_DIGEST_WEEKLY: 'soon' })).toThrow(
      /SLACK_DIGEST_WEEKLY.*must be a day and time such as mon 09:00, or off/s,
    );
  });
});

const fail = (): never => {
  throw new Error('not a schedule');
};
