import { describe, expect, it } from 'vitest';
import { prove } from '../../prove/scale.js';

describe('parked workflows by the thousand', () => {
  it('cost the process nothing, are found and fire in time, and a fork of many tasks costs what its tasks cost', async () => {
    expect(await prove(['--size', 'small'])).toBe(true);
  }, 300_000);
});
