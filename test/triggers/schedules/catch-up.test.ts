import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ON_TIME_MS,
  planCatchUp,
  type CatchUp,
  type DueTimes,
} from '../../../src/triggers/schedules/catch-up.js';

const HOUR = 3_600_000;
/** Due at every multiple of `every`. */
const each = (every: number): DueTimes => ({
  next: (after) => (Math.floor(after / every) + 1) * every,
  lastBefore: (until, from) => {
    const last = (Math.ceil(until / every) - 1) * every;
    return last >= from ? last : undefined;
  },
});
const plan = (
  catchUp: CatchUp,
  parts: { nextFireAt?: number; now: number; withinMs?: number; room?: number },
) => planCatchUp({ times: each(HOUR), nextFireAt: HOUR, withinMs: 24 * HOUR, room: 100, catchUp, ...parts });

describe('what is due', () => {
  it.each(['none', 'last', 'all'] as const)('and on time fires, whatever the catch-up: %s', (catchUp) => {
    expect(plan(catchUp, { now: HOUR + 1000 })).toEqual({
      fire: [HOUR],
      missed: undefined,
      nextFireAt: 2 * HOUR,
    });
  });

  it('but missed never fires with catch-up none', () => {
    expect(plan('none', { now: 5.5 * HOUR })).toEqual({
      fire: [],
      missed: { from: HOUR, until: 5.5 * HOUR + 1 },
      nextFireAt: 6 * HOUR,
    });
  });

  it('but missed fires once with catch-up last', () => {
    expect(plan('last', { now: 5.5 * HOUR })).toEqual({
      fire: [5 * HOUR],
      missed: { from: HOUR, until: 5 * HOUR },
      nextFireAt: 6 * HOUR,
    });
  });

  it('but missed fires each time with catch-up all', () => {
    expect(plan('all', { now: 3.5 * HOUR })).toEqual({
      fire: [HOUR, 2 * HOUR, 3 * HOUR],
      missed: undefined,
      nextFireAt: 4 * HOUR,
    });
  });

  it.each(['last', 'all'] as const)('and older than the bound never fires: %s', (catchUp) => {
    const late = plan(catchUp, { now: 99.5 * HOUR, withinMs: HOUR / 4 });
    expect(late).toEqual({
      fire: [],
      missed: { from: HOUR, until: 99.5 * HOUR + 1 },
      nextFireAt: 100 * HOUR,
    });
  });

  it('waits while too much of it waits already', () => {
    expect(plan('all', { now: 9.5 * HOUR, room: 2 })).toEqual({
      fire: [HOUR, 2 * HOUR],
      missed: undefined,
      nextFireAt: 3 * HOUR,
    });
    expect(plan('all', { now: 9.5 * HOUR, room: 0 })).toMatchObject({ fire: [], nextFireAt: HOUR });
  });

  it('becomes one thing: it fires, or is missed, or is left for the next plan', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('none' as const, 'last' as const, 'all' as const),
        fc.integer({ min: 1, max: 40 }).map((minutes) => minutes * 60_000),
        fc.nat(50 * HOUR),
        fc.integer({ min: 60_000, max: 100 * HOUR }),
        fc.nat(8),
        (catchUp, every, now, withinMs, room) => {
          const times = each(every);
          const nextFireAt = every;
          const {
            fire,
            missed,
            nextFireAt: after,
          } = planCatchUp({ times, nextFireAt, now, catchUp, withinMs, room });
          const wrong: number[] = [];
          for (let due = nextFireAt; due <= now + 2 * every; due += every) {
            const isMissed = missed !== undefined && due >= missed.from && due < missed.until;
            const isLeft = after !== undefined && due >= after;
            const fates = [fire.includes(due), isMissed, isLeft].filter(Boolean);
            const isOnTime = due <= now && due >= now - ON_TIME_MS;
            if (fates.length !== 1 || (due > now && !isLeft) || (isOnTime && isMissed)) wrong.push(due);
          }
          expect(wrong).toEqual([]);
          expect(fire.length).toBeLessThanOrEqual(room);
        },
      ),
    );
  });
});
