import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CALENDAR_KINDS,
  calendarPeriod,
  previousPeriod,
  isoWeek,
  previousIsoWeek,
  wishedPeriod,
} from '../../src/reports/period.js';

const HOUR = 3_600_000;
const at = (iso: string): number => Date.parse(iso);

describe('the ISO week of an instant', () => {
  it('begins on Monday at midnight of the zone and is named by its year and number', () => {
    const week = isoWeek(at('2026-11-23T05:00:00Z'), 'UTC');
    expect(week).toEqual({
      from: at('2026-11-23T00:00:00Z'),
      to: at('2026-11-30T00:00:00Z'),
      label: '2026-W48',
    });
  });

  it('belongs to the year of its Thursday', () => {
    expect(isoWeek(at('2027-01-01T12:00:00Z'), 'UTC').label).toBe('2026-W53');
    expect(isoWeek(at('2024-12-30T12:00:00Z'), 'UTC').label).toBe('2025-W01');
  });

  it('is an hour short when the clocks go forward and an hour long when they go back', () => {
    const spring = isoWeek(at('2026-03-28T12:00:00Z'), 'Europe/Berlin');
    const autumn = isoWeek(at('2026-10-24T12:00:00Z'), 'Europe/Berlin');
    expect((spring.to - spring.from) / HOUR).toBe(167);
    expect((autumn.to - autumn.from) / HOUR).toBe(169);
    expect(spring.from).toBe(at('2026-03-22T23:00:00Z'));
  });

  it('begins after the skipped hour where a zone skips midnight itself', () => {
    // Chile goes forward at midnight of a Sunday, which is the last day of an ISO week; the week is 167 hours.
    const week = isoWeek(at('2025-09-03T12:00:00Z'), 'America/Santiago');
    expect((week.to - week.from) / HOUR).toBe(167);
  });

  it.each([
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Asia/Kolkata',
    'Pacific/Apia',
    'Australia/Lord_Howe',
    'America/Santiago',
  ])('tiles time without gap or overlap in %s', (zone) => {
    fc.assert(
      fc.property(
        fc.integer({ min: at('2012-01-09T00:00:00Z'), max: at('2032-01-01T00:00:00Z') }),
        (instant) => {
          const week = isoWeek(instant, zone);
          expect(week.from).toBeLessThanOrEqual(instant);
          expect(week.to).toBeGreaterThan(instant);
          expect(previousIsoWeek(instant, zone).to).toBe(week.from);
          expect(isoWeek(week.to, zone).from).toBe(week.to);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('the period that somebody wishes', () => {
  const now = at('2026-11-25T12:00:00Z');
  const day = (text: string) => ({ day: Date.parse(text) });

  it('is the week so far, the week that holds the day, or exactly what is named', () => {
    expect(wishedPeriod({ kind: 'weekly' }, now, 'UTC').label).toBe('2026-W48');
    for (const zone of ['UTC', 'America/New_York', 'Asia/Tokyo'])
      expect(wishedPeriod({ kind: 'weekly', from: day('2026-11-16') }, now, zone)).toEqual({
        ...isoWeek(at('2026-11-18T12:00:00Z'), zone),
        kind: 'weekly',
      });
    expect(
      wishedPeriod({ kind: 'weekly', from: day('2026-11-02'), to: at('2026-11-03T06:00:00Z') }, now, 'UTC'),
    ).toEqual({
      from: at('2026-11-02T00:00:00Z'),
      to: at('2026-11-03T06:00:00Z'),
      label: '2026-11-02 to 2026-11-03T0600',
      kind: 'range',
    });
  });

  it.each([
    [{ from: day('2026-12-01') }, /^from: lies in the future/],
    [{ from: day('2026-12-01'), to: day('2026-12-02') }, /^from: lies in the future/],
    [{ to: day('2026-11-02') }, /^from: is needed/],
    [{ from: day('2026-11-02'), to: day('2026-11-02') }, /^to: must be after/],
    [{ from: day('0001-01-01') }, /^from: lies before 1970/],
  ])('is refused as %j by the name of its end', (wished, why) => {
    expect(() => wishedPeriod({ kind: 'weekly', ...wished }, now, 'UTC')).toThrow(why);
  });

  it('is a whole month or quarter where that is named, and a range only with both ends', () => {
    expect(wishedPeriod({ kind: 'monthly', from: day('2026-10-31') }, now, 'Europe/Berlin')).toEqual({
      kind: 'monthly',
      label: '2026-10',
      from: at('2026-09-30T22:00:00Z'),
      to: at('2026-10-31T23:00:00Z'),
    });
    expect(wishedPeriod({ kind: 'quarterly' }, now, 'UTC')).toEqual({
      kind: 'quarterly',
      label: '2026-Q4',
      from: at('2026-10-01T00:00:00Z'),
      to: at('2027-01-01T00:00:00Z'),
    });
    const ofDays = { kind: 'range', from: day('2026-11-02'), to: day('2026-11-09') } as const;
    expect(wishedPeriod(ofDays, now, 'Europe/Berlin').label).toBe('2026-11-02 to 2026-11-09');
    expect(() => wishedPeriod({ kind: 'range' }, now, 'UTC')).toThrow(/^from: is needed/);
    expect(() => wishedPeriod({ kind: 'range', from: day('2026-11-02') }, now, 'UTC')).toThrow(
      /^to: is needed/,
    );
  });
});

describe('periods of the calendar', () => {
  const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Apia');
  const kind = fc.constantFrom(...CALENDAR_KINDS);

  it('hold the moment that they are asked for, and join the one before', () => {
    fc.assert(
      fc.property(kind, zone, fc.integer({ min: 0, max: 4_000_000_000_000 }), (of, timeZone, moment) => {
        const period = calendarPeriod(of, moment, timeZone);
        expect(period.from).toBeLessThanOrEqual(moment);
        expect(period.to).toBeGreaterThan(moment);
        expect(previousPeriod(of, moment, timeZone).to).toBe(period.from);
        expect(calendarPeriod(of, period.from, timeZone)).toEqual(period);
      }),
    );
  });
});
