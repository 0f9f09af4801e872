import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CronTimes } from '../../../src/triggers/schedules/cron-times.js';
import { isTimeZone } from '../../../src/time-zone.js';

const at = (iso: string): number => Date.parse(iso);
const list = (cron: string, zone: string, after: string, count: number): string[] =>
  new CronTimes(cron, zone)
    .list(at(after), count)
    .map((instant) => new Date(instant).toISOString().slice(5, 16));

describe('a cron in a time zone', () => {
  it('that the clocks leave out is due as much later as they leave out', () => {
    expect(list('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 2)).toEqual([
      '03-29T01:30',
      '03-30T00:30',
    ]);
    expect(list('0,30 2-3 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 3)).toEqual([
      '03-29T01:00',
      '03-29T01:30',
      '03-30T00:00',
    ]);
  });

  it('that names an hour is due at the first of two occurrences only', () => {
    expect(list('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2)).toEqual([
      '10-25T00:30',
      '10-26T01:30',
    ]);
  });

  it('that asks for every hour is due in both', () => {
    expect(list('*/30 * * * *', 'Europe/Berlin', '2026-10-24T23:45:00Z', 6)).toEqual([
      '10-25T00:00',
      '10-25T00:30',
      '10-25T01:00',
      '10-25T01:30',
      '10-25T02:00',
      '10-25T02:30',
    ]);
  });

  it('knows zones that change by half an hour, and one that left out a day', () => {
    expect(list('*/15 * * * *', 'Australia/Lord_Howe', '2026-04-04T14:40:00Z', 3)).toEqual([
      '04-04T14:45',
      '04-04T15:00',
      '04-04T15:15',
    ]);
    expect(list('0 12 * * *', 'Pacific/Apia', '2011-12-29T00:00:00Z', 3)).toEqual([
      '12-29T22:00',
      '12-30T22:00',
      '12-31T22:00',
    ]);
  });

  it('may have seconds', () => {
    const times = new CronTimes('*/20 0 0 1 1 *', 'UTC');
    expect(
      times.list(at('2026-06-01T00:00:00Z'), 4).map((instant) => new Date(instant).toISOString()),
    ).toEqual([
      '2027-01-01T00:00:00.000Z',
      '2027-01-01T00:00:20.000Z',
      '2027-01-01T00:00:40.000Z',
      '2028-01-01T00:00:00.000Z',
    ]);
  });

  it('that is never due says so', () => {
    expect(new CronTimes('0 0 30 2 *', 'Europe/Berlin').next(0)).toBeUndefined();
  });

  it.each([
    ['* * * *', 'UTC', /^cron: must have 5 fields/],
    ['@daily', 'UTC', /^cron: must have 5 fields/],
    ['0 0 0 1 1 * 2030', 'UTC', /^cron: must have 5 fields/],
    ['60 * * * *', 'UTC', /^cron: cannot be read: Invalid value for minute: 60/],
    ['0 0 ? * *', 'UTC', /^cron: \? is not taken/],
    [`0 0 ${'1,'.repeat(200)}1 * *`, 'UTC', /^cron: /],
    ['0 0 * * *', 'Mars/Olympus', /^timeZone: /],
    ['0 0 * * *', '+02:00', /^timeZone: /],
  ])('%s in %s is refused, naming the field', (cron, zone, message) => {
    expect(() => new CronTimes(cron, zone)).toThrow(message);
  });

  it('finds the last one before an instant, however rare it is', () => {
    const yearly = new CronTimes('0 0 1 1 *', 'UTC');
    expect(yearly.lastBefore(at('2026-12-31T00:00:00Z'), 0)).toBe(at('2026-01-01T00:00:00Z'));
    expect(yearly.lastBefore(at('2026-12-31T00:00:00Z'), at('2026-01-02T00:00:00Z'))).toBeUndefined();
    const second = new CronTimes('* * * * * *', 'UTC');
    expect(second.lastBefore(at('2026-12-31T00:00:00Z'), 0)).toBe(at('2026-12-30T23:59:59Z'));
  });
});

/*
 * The oracle walks through every minute of UTC around each change of the clocks and asks Intl what a clock on the wall
 * shows: no croner, no arithmetic with offsets.
 */
const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'America/St_Johns',
  'Africa/Casablanca',
  'Antarctica/Troll',
  'Asia/Kathmandu',
  'Pacific/Apia',
  'America/Havana',
  'Asia/Beirut',
];
const MINUTE = 60_000;

interface Wall {
  readonly text: string;
  readonly minute: number;
  readonly hour: number;
}

const walls = new Map<string, (instant: number) => Wall>();
function wallOf(zone: string): (instant: number) => Wall {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' });
  const wall = (instant: number): Wall => {
    const text = format.format(instant);
    return { text, hour: Number(text.slice(11, 13)), minute: Number(text.slice(14, 16)) };
  };
  walls.set(zone, wall);
  return wall;
}

function oracle(
  { minutes, hours }: { minutes: readonly number[]; hours: readonly number[] },
  zone: string,
  from: number,
  until: number,
): number[] {
  const wall = walls.get(zone) ?? wallOf(zone);
  const due = new Set<number>();
  const seen = new Set<string>();
  // Long enough before that a first occurrence is known for each second one.
  for (let instant = from - 25 * 60 * MINUTE; instant < until; instant += MINUTE) {
    const { text, hour, minute } = wall(instant);
    const again = seen.has(text);
    seen.add(text);
    if (minutes.includes(minute) && hours.includes(hour) && (!again || hours.length === 24)) due.add(instant);
    // What the clock leaves out between this minute and the next one.
    const next = wall(instant + MINUTE);
    const shown = Date.parse(`${text.replace(' ', 'T')}Z`);
    const jumped = Date.parse(`${next.text.replace(' ', 'T')}Z`) - shown - MINUTE;
    for (let left = 0; left < jumped; left += MINUTE) {
      const missing = new Date(shown + MINUTE + left);
      if (minutes.includes(missing.getUTCMinutes()) && hours.includes(missing.getUTCHours()))
        due.add(instant + MINUTE + left);
    }
  }
  return [...due].filter((instant) => instant > from && instant < until).sort((a, b) => a - b);
}

/** Instants near which clocks are changed somewhere: March, April, September to November, and any other day. */
const anyStart = fc.oneof(
  fc.integer({ min: at('2026-03-01T00:00:00Z'), max: at('2026-04-10T00:00:00Z') }),
  fc.integer({ min: at('2026-09-20T00:00:00Z'), max: at('2026-11-05T00:00:00Z') }),
  fc.integer({ min: at('2011-12-27T00:00:00Z'), max: at('2012-01-01T00:00:00Z') }),
  fc.integer({ min: at('2024-01-01T00:00:00Z'), max: at('2030-01-01T00:00:00Z') }),
);
const some = (count: number, max: number) =>
  fc.uniqueArray(fc.integer({ min: 0, max: max - 1 }), { minLength: 1, maxLength: count });

describe('every due instant', () => {
  it('is the one that a clock on the wall shows, in every zone and around every change', () => {
    const everyHour = fc.constant(Array.from({ length: 24 }, (_, hour) => hour));
    fc.assert(
      fc.property(
        fc.constantFrom(...zones.filter(isTimeZone)),
        some(4, 60),
        fc.oneof(everyHour, some(6, 24)),
        anyStart.map((start) => Math.floor(start / MINUTE) * MINUTE),
        (zone, minutes, hours, from) => {
          const until = from + 2 * 24 * 60 * MINUTE;
          const cron = `${minutes.join(',')} ${hours.length === 24 ? '*' : hours.join(',')} * * *`;
          const times = new CronTimes(cron, zone);
          const found: number[] = [];
          for (let next = times.next(from); next !== undefined && next < until; next = times.next(next))
            found.push(next);
          expect(found).toEqual(oracle({ minutes, hours }, zone, from, until));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('comes next from every instant before it', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('Europe/Berlin', 'Australia/Lord_Howe', 'Antarctica/Troll'),
        some(4, 60),
        anyStart,
        fc.nat(3 * 3600),
        (zone, minutes, from, seconds) => {
          const times = new CronTimes(`${minutes.join(',')} * * * *`, zone);
          const between = from + seconds * 1000;
          let next = times.next(from);
          while (next !== undefined && next <= between) next = times.next(next);
          expect(times.next(between)).toBe(next);
        },
      ),
    );
  });
});
