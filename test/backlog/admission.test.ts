import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admit, AGEING_MS, type Waiting } from '../../src/backlog/admission.js';

const NOW = 1_800_000_000_000;
const item = (scanId: string, parts: Partial<Waiting> = {}): Waiting => ({
  scanId,
  group: 'a',
  priority: 50,
  enqueuedAt: NOW,
  ...parts,
});
const ids = (waiting: readonly Waiting[], limit: number, running: [string, number][] = []) =>
  admit({ waiting, running: new Map(running), limit, now: NOW }).map(({ scanId }) => scanId);

const waitingItems = fc
  .array(
    fc.record({
      group: fc.constantFrom('a', 'b', 'c'),
      priority: fc.integer({ min: 0, max: 99 }),
      enqueuedAt: fc.integer({ min: NOW - 3 * AGEING_MS, max: NOW }),
    }),
    { maxLength: 40 },
  )
  .map((items) => items.map((parts, index) => ({ scanId: `s${index}`, ...parts })));

describe('admission', () => {
  it('takes the highest priority first', () => {
    expect(ids([item('low', { priority: 10 }), item('high', { priority: 70 })], 1)).toEqual(['high']);
  });

  it('shares the places among buckets, whatever one of them has waiting', () => {
    const flood = Array.from({ length: 100 }, (_, index) =>
      item(`a${index}`, { enqueuedAt: NOW - 1000 + index }),
    );
    const admitted = ids([...flood, item('b0', { group: 'b' }), item('b1', { group: 'b' })], 4);
    expect(admitted).toEqual(['a0', 'b0', 'a1', 'b1']);
  });

  it('gives a bucket that runs much nothing before one that runs little', () => {
    expect(ids([item('a0', { enqueuedAt: NOW - 9 }), item('b0', { group: 'b' })], 4, [['a', 3]])).toEqual([
      'b0',
    ]);
  });

  it('lifts what has waited long', () => {
    const old = item('old', { priority: 49, enqueuedAt: NOW - AGEING_MS });
    expect(ids([item('new', { priority: 50 }), old], 1)).toEqual(['old']);
    const older = item('older', { priority: 0, enqueuedAt: NOW - 99 * AGEING_MS });
    expect(ids([item('new', { priority: 98 }), older], 1)).toEqual(['older']);
  });

  it('never admits more than fit, nothing twice, and leaves no place free while somebody waits', () => {
    const runningCounts = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.nat(5));
    fc.assert(
      fc.property(waitingItems, runningCounts, fc.nat(20), (waiting, running, limit) => {
        const admitted = admit({ waiting, running: new Map(Object.entries(running)), limit, now: NOW });
        const busy = Object.values(running).reduce((sum, count) => sum + count, 0);
        expect(admitted.length).toBe(Math.max(0, Math.min(waiting.length, limit - busy)));
        expect(new Set(admitted.map(({ scanId }) => scanId)).size).toBe(admitted.length);
      }),
    );
  });

  it('does not depend on the order in which they are told', () => {
    fc.assert(
      fc.property(waitingItems, fc.nat(20), (waiting, limit) => {
        expect(ids(waiting.toReversed(), limit)).toEqual(ids(waiting, limit));
      }),
    );
  });
});
