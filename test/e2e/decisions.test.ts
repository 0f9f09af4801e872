import { describe, expect, it } from 'vitest';
import { prove } from '../../prove/decisions.js';

describe('decisions under kill -9', () => {
  it('stand once they were answered, and each workflow goes on exactly once', async () => {
    expect(await prove(['--size', 'small'])).toBe(true);
  }, 300_000);
});
