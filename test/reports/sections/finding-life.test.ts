import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOpenAt, turnsOf, type ObjectLife } from '../../../src/reports/sections/finding-life.js';

const scan = (at: number, found: Readonly<Record<string, boolean>>, looked = true) => ({
  at,
  lookedFor: () => looked,
  found: new Map(Object.entries(found).map(([key, isCovered]) => [key, { isCovered }])),
});
const turns = (life: Partial<ObjectLife>) =>
  turnsOf({ scans: [], decidedAt: [], ...life }).map(({ key, at, kind }) => `${at} ${key} ${kind}`);

describe('the life of a finding', () => {
  it('begins with the verdict that tells of it and ends with a decision', () => {
    expect(turns({ scans: [scan(10, { a: false, b: false })], decidedAt: [20] })).toEqual([
      '10 a new',
      '10 b new',
      '20 a decided',
      '20 b decided',
    ]);
  });

  it('goes on over scans that tell of it again, and ends with one that does not', () => {
    const scans = [scan(10, { a: false, b: false }), scan(20, { a: false }), scan(30, {})];
    expect(turns({ scans })).toEqual(['10 a new', '10 b new', '20 b rescanned', '30 a rescanned']);
  });

  it('goes on over a scan that did not look at everything, and begins with what that found', () => {
    const scans = [scan(10, { a: false }), scan(20, { b: false }, false), scan(30, { b: false })];
    expect(turns({ scans })).toEqual(['10 a new', '20 b new', '30 a rescanned']);
  });

  it('is reopened by a scan that finds it after a decision', () => {
    expect(turns({ scans: [scan(10, { a: false }), scan(30, { a: false })], decidedAt: [20] })).toEqual([
      '10 a new',
      '20 a decided',
      '30 a reopened',
    ]);
  });

  it('never begins while it is covered, and is reopened when the cover ends', () => {
    const scans = [scan(10, { a: true }), scan(20, { a: false }), scan(30, { a: true })];
    expect(turns({ scans })).toEqual(['20 a reopened', '30 a excepted']);
  });

  it('ends with the object, and not twice', () => {
    expect(turns({ scans: [scan(10, { a: false })], decidedAt: [15], goneAt: 20 })).toEqual([
      '10 a new',
      '15 a decided',
    ]);
    expect(turns({ scans: [scan(10, { a: false })], goneAt: 20 })).toEqual(['10 a new', '20 a gone']);
  });

  const life = fc.record({
    scans: fc
      .array(
        fc.record({
          at: fc.integer({ min: 0, max: 50 }),
          found: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.boolean()),
        }),
        { maxLength: 6 },
      )
      .map((all) => all.toSorted((x, y) => x.at - y.at).map(({ at, found }) => scan(at, found))),
    decidedAt: fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 4 }),
    goneAt: fc.option(fc.integer({ min: 0, max: 50 }), { nil: undefined }),
  });

  it('adds up over any period: what was open, and what came, less what went, is what is open', () => {
    fc.assert(
      fc.property(life, fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 50 }), (of, x, y) => {
        const [from, to] = [Math.min(x, y), Math.max(x, y)];
        const all = turnsOf(of);
        for (const key of ['a', 'b', 'c']) {
          const mine = all.filter((turn) => turn.key === key);
          const inside = mine.filter(({ at }) => at >= from && at < to);
          const opened = inside.filter(({ kind }) => kind === 'new' || kind === 'reopened').length;
          const closed = inside.length - opened;
          expect(Number(isOpenAt(mine, from)) + opened - closed).toBe(Number(isOpenAt(mine, to)));
        }
      }),
    );
  });

  it('says the same of the time before, whatever comes after', () => {
    fc.assert(
      fc.property(life, fc.integer({ min: 0, max: 50 }), (of, until) => {
        const before = {
          scans: of.scans.filter(({ at }) => at < until),
          decidedAt: of.decidedAt.filter((at) => at < until),
          goneAt: of.goneAt !== undefined && of.goneAt < until ? of.goneAt : undefined,
        };
        expect(turnsOf(of).filter(({ at }) => at < until)).toEqual(turnsOf(before));
      }),
    );
  });
});
