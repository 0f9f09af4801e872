import { describe, expect, test } from 'vitest';
import { Trust } from '../../../src/engine/runtime/trust.js';

/** How many batches go the sure way until one may assume again. */
const sureWays = (trust: Trust): number => {
  for (let count = 0; ; count++) if (trust.holds()) return count;
};

describe('trust in what the process knows', () => {
  test('holds until it is betrayed, and comes back after a while that doubles', () => {
    const trust = new Trust();
    expect(sureWays(trust)).toBe(0);
    const waits = Array.from({ length: 8 }, () => {
      trust.betrayed();
      return sureWays(trust);
    });
    expect(waits.slice(0, 3)).toEqual([16, 31, 61]);
    for (const wait of waits) expect(wait).toBeLessThanOrEqual(1_024);
  });

  test('is soon as good as new when it is right', () => {
    const trust = new Trust();
    for (let n = 0; n < 3; n++) {
      trust.betrayed();
      sureWays(trust);
    }
    for (let n = 0; n < 200; n++) trust.holds();
    trust.betrayed();
    expect(sureWays(trust)).toBe(16);
  });
});
