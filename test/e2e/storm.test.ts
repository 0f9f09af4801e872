import { describe, expect, it } from 'vitest';
import { prove } from '../../prove/storm.js';

describe('a storm of events', () => {
  it('is on disk, each event once, and is worked off', async () => {
    expect(await prove(['--size', 'small'])).toBe(true);
  }, 300_000);
});
