import { describe, expect, test } from 'vitest';
import { DatabaseClock } from '../../src/database/database-clock.js';
import type { Queryable } from '../../src/database/queryable.js';

/** A database whose clock is so far from this machine's. */
function databaseAhead(offset: { ms: number }): Queryable {
  return {
    query: async <Row>() => [{ at: String(performance.timeOrigin + performance.now() + offset.ms) }] as Row[],
  };
}

describe('the clock', () => {
  test("follows PostgreSQL's, and never goes back", async () => {
    const offset = { ms: 60_000 };
    const warnings: string[] = [];
    const clock = await DatabaseClock.start(databaseAhead(offset), {
      warn: (_facts, message) => warnings.push(message),
    });
    const before = clock.now();
    expect(before - Date.now()).toBeGreaterThan(59_000);
    expect(Math.abs(clock.skewMs - 60_000)).toBeLessThan(1_000);
    offset.ms = 0;
    await clock.measure();
    expect(clock.now()).toBeGreaterThanOrEqual(before);
    expect(clock.stepCount).toBe(1);
    expect(warnings).toHaveLength(1);
    offset.ms = 120_000;
    await clock.measure();
    expect(clock.now()).toBeGreaterThan(before + 50_000);
    clock.stop();
  });

  test('wakes sleepers when their time has come, when a signal aborts, and at once when it is past', async () => {
    const clock = await DatabaseClock.start(databaseAhead({ ms: 0 }));
    const until = clock.now() + 30;
    await clock.sleepUntil(until);
    expect(clock.now()).toBeGreaterThanOrEqual(until);
    const leave = new AbortController();
    const nap = clock.sleepUntil(clock.now() + 3_600_000, leave.signal);
    leave.abort();
    await nap;
    await clock.sleepUntil(clock.now() - 1);
    clock.stop();
  });

  test('goes on at half speed where PostgreSQL was set back, until they agree', async () => {
    const offset = { ms: 60_000 };
    const clock = await DatabaseClock.start(databaseAhead(offset));
    const before = clock.now();
    offset.ms = 0;
    await clock.measure();
    const [began, from] = [performance.now(), clock.now()];
    await clock.sleepUntil(from + 20);
    const took = performance.now() - began;
    expect(clock.now()).toBeGreaterThanOrEqual(before + 20);
    expect(took).toBeGreaterThanOrEqual(35);
    expect(clock.lastStepAt).toBeGreaterThanOrEqual(before);
    clock.stop();
  });

  test('wakes at once who slept over a step forward, as after the sleep of a machine', async () => {
    const offset = { ms: 0 };
    const clock = await DatabaseClock.start(databaseAhead(offset));
    const nap = clock.sleepUntil(clock.now() + 3_600_000);
    const later = clock.sleepUntil(clock.now() + 3_700_000).then(() => 'too early');
    offset.ms = 3_600_000;
    await clock.measure();
    await nap;
    expect(await Promise.race([later, Promise.resolve('still asleep')])).toBe('still asleep');
    offset.ms = 3_800_000;
    await clock.measure();
    await later;
    clock.stop();
  });
});
