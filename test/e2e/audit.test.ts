import { describe, expect, it } from 'vitest';
import { prove } from '../../prove/audit.js';

describe('a record of which one byte is changed at a time, in its rows and in its extract', () => {
  it('is found not to be whole, at the first place that is bad', async () => {
    expect(await prove(['--size', 'small'])).toBe(true);
  }, 300_000);
});
