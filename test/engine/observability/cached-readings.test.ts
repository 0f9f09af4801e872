import { describe, expect, test } from 'vitest';
import { CachedReadings } from '../../../src/engine/observability/cached-readings.js';
import type { StoreReadings } from '../../../src/engine/execution-store.js';
import { SILENT } from '../../../src/engine/runtime/runtime-log.js';

const empty: StoreReadings = {
  running: { count: 0, isEstimate: false },
  paused: { count: 0, isEstimate: false },
  queues: [],
  inbox: { waiting: 0, oldestAt: undefined },
  nextTimerAt: undefined,
};

function setUp(read: () => Promise<StoreReadings>) {
  const it = { reads: 0, now: 0 };
  const store = {
    readings: () => {
      it.reads += 1;
      return read();
    },
  };
  return Object.assign(it, {
    readings: new CachedReadings(
      store,
      SILENT,
      () => [],
      () => it.now,
    ),
  });
}

describe('the readings of the store', () => {
  test('are read once for all who ask at the same time, and again after five seconds', async () => {
    const it = setUp(async () => empty);
    await Promise.all([it.readings.current(), it.readings.current(), it.readings.current()]);
    it.now = 4_999;
    await it.readings.current();
    expect(it.reads).toBe(1);
    it.now = 5_000;
    await it.readings.current();
    expect(it.reads).toBe(2);
  });

  test('are not waited for when the database hangs, and asked only once', async () => {
    const it = setUp(() => new Promise<never>(() => undefined));
    const since = performance.now();
    expect(await it.readings.current()).toBeUndefined();
    expect(await it.readings.current()).toBeUndefined();
    expect(performance.now() - since).toBeLessThan(1_000);
    expect(it.reads).toBe(1);
  });

  test('stay as they were when reading fails, and say how old they are', async () => {
    let failing = false;
    const it = setUp(async () => {
      if (failing) throw new Error('no database');
      return empty;
    });
    await it.readings.current();
    failing = true;
    it.now = 20_000;
    expect(await it.readings.current()).toBe(empty);
    expect(it.readings.ageSeconds).toBe(20);
  });

  test('that take long are taken more rarely', async () => {
    const it = setUp(async () => {
      it.now += 1_000;
      return empty;
    });
    await it.readings.current();
    it.now = 50_999;
    await it.readings.current();
    expect(it.reads).toBe(1);
    it.now = 51_000;
    await it.readings.current();
    expect(it.reads).toBe(2);
  });
});
