import { describe, expect, it } from 'vitest';
import { prove } from '../../prove/soak.js';

describe('half of what the machine can do, for a while', () => {
  it('does not slow the engine down, fill its memory, or bloat its tables', async () => {
    expect(await prove(['--size', 'small'])).toBe(true);
  }, 300_000);
});
