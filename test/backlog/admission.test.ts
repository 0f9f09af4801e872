import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  admit,
  AGED_SHARE,
  AGEING_MS,
  NOTHING_RUNS,
  type AdmissionInput,
  type Lane,
  type Limits,
  type Load,
  type Waiting,
} from '../../src/backlog/admission.js';

const NOW = 1_800_000_000_000;

interface Item extends Waiting {
  readonly lane: string;
}

const item = (scanId: string, parts: Partial<Item> = {}): Item => ({
  scanId,
  lane: 'a',
  priority: 50,
  enqueuedAt: NOW,
  sizeBytes: 1,
  ...parts,
});

const groupOf = (lane: string): string => lane.split('.')[0] ?? lane;
const byTurn = (a: Item, b: Item) =>
  b.priority - a.priority || a.enqueuedAt - b.enqueuedAt || (a.scanId < b.scanId ? -1 : 1);
const byAge = (a: Item, b: Item) => a.enqueuedAt - b.enqueuedAt || (a.scanId < b.scanId ? -1 : 1);

/** Lanes as the dispatcher reads them: the first `heads` of each. A lane `a.2` belongs to the group `a`. */
function lanesOf(items: readonly Item[], heads = Infinity, now = NOW): Lane[] {
  return [...new Set(items.map(({ lane }) => lane))].map((id) => {
    const inLane = items.filter(({ lane }) => lane === id);
    return {
      id,
      group: groupOf(id),
      heads: inLane.toSorted(byTurn).slice(0, heads),
      hasMore: inLane.length > heads,
      aged: inLane.filter(({ enqueuedAt }) => enqueuedAt <= now - AGEING_MS).toSorted(byAge),
    };
  });
}

const loadOf = (sizes: readonly number[]): Load => ({
  count: sizes.length,
  bytes: sizes.reduce((sum, size) => sum + size, 0),
  largestBytes: Math.max(0, ...sizes),
});

const inputOf = (
  items: readonly Item[],
  maxRunning: number,
  more: Partial<AdmissionInput> = {},
): AdmissionInput => ({
  lanes: lanesOf(items),
  running: new Map(),
  limits: { maxRunning },
  limitsOf: () => ({}),
  admittedBefore: 0,
  ...more,
});
const ids = (input: AdmissionInput) => admit(input).admitted.map(({ scanId }) => scanId);

describe('admission', () => {
  it('takes the highest priority first', () => {
    expect(ids(inputOf([item('low', { priority: 10 }), item('high', { priority: 70 })], 1))).toEqual([
      'high',
    ]);
  });

  it('shares the places among buckets, whatever one of them has waiting', () => {
    const flood = Array.from({ length: 100 }, (_, n) => item(`a${n}`, { enqueuedAt: NOW - 1000 + n }));
    const waiting = [...flood, item('b0', { lane: 'b' }), item('b1', { lane: 'b' })];
    expect(ids(inputOf(waiting, 4))).toEqual(['a0', 'b0', 'a1', 'b1']);
  });

  it('shares them also after the flood has waited for long', () => {
    const flood = Array.from({ length: 100 }, (_, n) =>
      item(`a${n}`, { enqueuedAt: NOW - 9 * AGEING_MS + n }),
    );
    expect(ids(inputOf([...flood, item('b0', { lane: 'b' })], 2))).toEqual(['a0', 'b0']);
  });

  it('gives a bucket that runs much nothing before one that runs little', () => {
    const running = new Map([['a', loadOf([1, 1, 1])]]);
    const waiting = [item('a0', { enqueuedAt: NOW - 9 }), item('b0', { lane: 'b' })];
    expect(ids(inputOf(waiting, 4, { running }))).toEqual(['b0']);
  });

  it('lets new uploads pre-empt a backfill, however old, in seven places of eight', () => {
    const backfill = Array.from({ length: 50 }, (_, n) =>
      item(`old${n}`, { lane: 'a.backfill', priority: 10, enqueuedAt: NOW - 1000 * AGEING_MS + n }),
    );
    const uploads = Array.from({ length: 50 }, (_, n) => item(`new${n}`, { lane: 'a.upload' }));
    const started = ids(inputOf([...backfill, ...uploads], 16));
    expect(started.filter((id) => id.startsWith('new'))).toHaveLength(14);
    expect(started[7]).toBe('old0');
    expect(started[15]).toBe('old1');
  });

  it('gives nothing of that to a backfill that has not waited for long', () => {
    const backfill = [item('old', { lane: 'a.backfill', priority: 10, enqueuedAt: NOW - AGEING_MS + 1 })];
    const uploads = Array.from({ length: 16 }, (_, n) => item(`new${n}`, { lane: 'a.upload' }));
    expect(ids(inputOf([...backfill, ...uploads], 16))).not.toContain('old');
  });

  it('asks for more of a lane whose heads are used up, and goes on where it was', () => {
    const waiting = Array.from({ length: 9 }, (_, n) => item(`a${n}`));
    const first = admit(inputOf(waiting, 6, { lanes: lanesOf(waiting, 3) }));
    expect([first.admitted.length, first.short]).toEqual([3, ['a']]);
    const second = admit(inputOf(waiting, 6, { lanes: lanesOf(waiting, 6) }));
    expect([second.admitted.slice(0, 3), second.admitted.length, second.short]).toEqual([
      first.admitted,
      6,
      [],
    ]);
  });

  describe('with a limit on bytes', () => {
    const limits = { maxRunning: 10, maxRunningBytes: 100 };

    it('lets one object through, however large, and others beside it', () => {
      const waiting = [
        item('huge', { sizeBytes: 9000 }),
        item('next', { sizeBytes: 60, enqueuedAt: NOW + 1 }),
      ];
      expect(ids(inputOf(waiting, 10, { limits }))).toEqual(['huge', 'next']);
      const running = new Map([['a', loadOf([9000])]]);
      expect(ids(inputOf([item('second', { sizeBytes: 8000 })], 10, { limits, running }))).toEqual([]);
    });

    it('lets small ones pass a large one that does not fit yet', () => {
      const running = new Map([['a', loadOf([90, 90])]]);
      const waiting = [
        item('large', { sizeBytes: 50, enqueuedAt: NOW - 1 }),
        item('small', { sizeBytes: 5 }),
      ];
      expect(ids(inputOf(waiting, 10, { limits, running }))).toEqual(['small']);
    });

    it('sets bytes aside for a large one that has waited for long', () => {
      const old = item('large', { sizeBytes: 80, priority: 10, enqueuedAt: NOW - AGEING_MS });
      const waiting = [
        old,
        item('middle', { sizeBytes: 40, lane: 'b' }),
        item('small', { sizeBytes: 5, lane: 'b' }),
      ];
      const running = new Map([['a', loadOf([90, 50])]]);
      expect(ids(inputOf(waiting, 10, { limits, running }))).toEqual(['small']);
    });

    it('keeps a bucket within its own', () => {
      const limitsOf = (group: string): Limits =>
        group === 'a' ? { maxRunningBytes: 10, maxRunning: 5 } : {};
      const waiting = [
        ...Array.from({ length: 4 }, (_, n) => item(`a${n}`, { sizeBytes: 8 })),
        item('b0', { lane: 'b', sizeBytes: 60 }),
      ];
      expect(ids(inputOf(waiting, 10, { limits, limitsOf }))).toEqual(['a0', 'b0', 'a1']);
    });
  });
});

const sizes = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 300 }));
const items = fc
  .array(
    fc.record({
      lane: fc.constantFrom('a.1', 'a.2', 'b.1', 'c.1'),
      priority: fc.constantFrom(10, 30, 50, 70),
      enqueuedAt: fc.integer({ min: NOW - 3 * AGEING_MS, max: NOW }),
      sizeBytes: sizes,
    }),
    { maxLength: 40 },
  )
  .map((made) => made.map((parts, index) => item(`s${index}`, parts)));
const runningSizes = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.array(sizes, { maxLength: 5 }));
const quotas = fc.dictionary(
  fc.constantFrom('a', 'b', 'c'),
  fc.record(
    { maxRunning: fc.nat(8), maxRunningBytes: fc.integer({ min: 1, max: 200 }) },
    { requiredKeys: [] },
  ),
);
const bounds = fc.record(
  { maxRunning: fc.nat(20), maxRunningBytes: fc.integer({ min: 1, max: 400 }) },
  { requiredKeys: ['maxRunning'] },
);
const situations = fc
  .record({ waiting: items, running: runningSizes, quotas, limits: bounds, admittedBefore: fc.nat(20) })
  .map((made) => ({
    ...made,
    input: inputOf(made.waiting, 0, {
      limits: made.limits,
      admittedBefore: made.admittedBefore,
      running: new Map(Object.entries(made.running).map(([group, its]) => [group, loadOf(its)])),
      limitsOf: (group: string): Limits => made.quotas[group] ?? {},
    }),
  }));

const isWithin = (runs: readonly number[], { maxRunning = Infinity, maxRunningBytes = Infinity }: Limits) => {
  const load = loadOf(runs);
  return load.count <= maxRunning && load.bytes - load.largestBytes <= maxRunningBytes;
};

describe('whatever waits and runs, admission', () => {
  it('exceeds no limit that was kept before, and admits nothing twice', () => {
    fc.assert(
      fc.property(situations, ({ waiting, running, quotas: quota, limits, input }) => {
        const { admitted } = admit(input);
        expect(new Set(admitted.map(({ scanId }) => scanId)).size).toBe(admitted.length);
        const after = new Map<string, number[]>(
          Object.entries(running).map(([group, its]) => [group, [...its]]),
        );
        for (const { scanId, sizeBytes } of admitted) {
          const group = groupOf(waiting.find((one) => one.scanId === scanId)?.lane ?? '');
          after.set(group, [...(after.get(group) ?? []), sizeBytes]);
        }
        for (const [group, its] of after) {
          const before = running[group] ?? [];
          if (its.length > before.length) expect(isWithin(its, quota[group] ?? {})).toBe(true);
        }
        if (admitted.length > 0) expect(isWithin([...after.values()].flat(), limits)).toBe(true);
      }),
    );
  });

  it('leaves no place free that somebody fits into, while no bytes are set aside', () => {
    fc.assert(
      fc.property(situations, ({ waiting: made, input }) => {
        const waiting = made.map((one) => ({ ...one, enqueuedAt: NOW - (one.enqueuedAt % 1000) }));
        const { admitted } = admit({ ...input, lanes: lanesOf(waiting) });
        const started = new Set(admitted.map(({ scanId }) => scanId));
        const running = new Map(input.running);
        for (const { lane, sizeBytes, scanId } of waiting) {
          if (!started.has(scanId)) continue;
          const { count, bytes, largestBytes } = running.get(groupOf(lane)) ?? NOTHING_RUNS;
          const largest = Math.max(largestBytes, sizeBytes);
          running.set(groupOf(lane), { count: count + 1, bytes: bytes + sizeBytes, largestBytes: largest });
        }
        const left = lanesOf(waiting.filter(({ scanId }) => !started.has(scanId)));
        expect(admit({ ...input, running, lanes: left }).admitted).toEqual([]);
      }),
    );
  });

  it('does not depend on the order in which lanes are told, nor on how much of them was read', () => {
    fc.assert(
      fc.property(situations, fc.integer({ min: 1, max: 6 }), ({ waiting, input }, heads) => {
        const whole = admit(input);
        expect(admit({ ...input, lanes: input.lanes.toReversed() })).toEqual(whole);
        const part = admit({ ...input, lanes: lanesOf(waiting, heads) });
        expect(whole.admitted.slice(0, part.admitted.length)).toEqual(part.admitted);
        if (part.short.length === 0) expect(part.admitted).toEqual(whole.admitted);
      }),
    );
  });

  it('shares equal priorities evenly: no group that still waits runs two fewer than another that was let in', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(1000)), { maxLength: 60 }),
        fc.nat(30),
        (made, maxRunning) => {
          const waiting = made.map(([lane, age], n) => item(`s${n}`, { lane, enqueuedAt: NOW - age }));
          const started = new Map<string, number>();
          for (const id of ids(inputOf(waiting, maxRunning))) {
            const lane = waiting.find(({ scanId }) => scanId === id)?.lane ?? '';
            started.set(lane, (started.get(lane) ?? 0) + 1);
          }
          for (const [lane, count] of started) {
            for (const other of ['a', 'b', 'c', 'd']) {
              const its = waiting.filter((one) => one.lane === other).length;
              const ran = started.get(other) ?? 0;
              if (its > ran) expect(ran, `${other} beside ${lane}`).toBeGreaterThanOrEqual(count - 1);
            }
          }
        },
      ),
    );
  });

  it('starves nobody: an old one of the lowest priority and any size starts soon, while uploads of every size keep coming', () => {
    fc.assert(
      fc.property(
        fc.record({
          victim: fc.integer({ min: 0, max: 1000 }),
          maxRunning: fc.integer({ min: 1, max: 6 }),
          maxRunningBytes: fc.integer({ min: 10, max: 300 }),
          arriving: fc.infiniteStream(fc.constantFrom(1, 100, 400)),
          lasts: fc.infiniteStream(fc.integer({ min: 1, max: 4 })),
          lane: fc.constantFrom('a.9', 'z.9'),
        }),
        ({ victim, maxRunning, maxRunningBytes, arriving, lasts, lane }) => {
          const next = <T>(stream: Iterator<T>): T => stream.next().value as T;
          let waiting = [
            item('victim', { lane, priority: 0, sizeBytes: victim, enqueuedAt: NOW - AGEING_MS }),
          ];
          let running: { group: string; sizeBytes: number; endsAt: number }[] = [];
          let admittedBefore = 0;
          for (let turn = 0; turn < 80; turn += 1) {
            running = running.filter(({ endsAt }) => endsAt > turn);
            for (let n = 0; n < maxRunning; n += 1) {
              waiting.push(
                item(`t${turn}n${n}`, { lane: 'a.1', sizeBytes: next(arriving), enqueuedAt: NOW + turn }),
              );
            }
            const groups = [...new Set(running.map(({ group }) => group))];
            const { admitted } = admit({
              lanes: lanesOf(waiting),
              running: new Map(
                groups.map((group) => [
                  group,
                  loadOf(running.filter((one) => one.group === group).map(({ sizeBytes }) => sizeBytes)),
                ]),
              ),
              limits: { maxRunning, maxRunningBytes },
              limitsOf: () => ({ maxRunningBytes: maxRunningBytes / 2 }),
              admittedBefore,
            });
            admittedBefore += admitted.length;
            if (admitted.some(({ scanId }) => scanId === 'victim')) return;
            const started = new Set(admitted.map(({ scanId }) => scanId));
            for (const { scanId, sizeBytes } of admitted) {
              const group = groupOf(waiting.find((one) => one.scanId === scanId)?.lane ?? '');
              running.push({ group, sizeBytes, endsAt: turn + next(lasts) });
            }
            // The rest goes away by itself, so that the test stays quick.
            waiting = waiting.filter(({ scanId }) => !started.has(scanId)).slice(0, 30);
          }
          throw new Error('it starved');
        },
      ),
      { numRuns: 300 },
    );
  });

  it(`gives one place of ${AGED_SHARE} to the oldest, over however many looks they come`, () => {
    const uploads = Array.from({ length: 200 }, (_, n) =>
      item(`u${n}`, { lane: 'a.1', enqueuedAt: NOW + n }),
    );
    let waiting = [
      ...Array.from({ length: 20 }, (_, n) =>
        item(`old${n}`, { lane: 'a.2', priority: 10, enqueuedAt: NOW - 2 * AGEING_MS + n }),
      ),
      ...uploads,
    ];
    const started: string[] = [];
    for (let look = 0; look < 80; look += 1) {
      const [one = ''] = ids(inputOf(waiting, 1, { admittedBefore: started.length }));
      started.push(one);
      waiting = waiting.filter(({ scanId }) => scanId !== one);
    }
    expect(started.filter((id) => id.startsWith('old'))).toHaveLength(10);
  });
});
