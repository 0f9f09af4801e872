import { describe, expect, it } from 'vitest';
import { prove } from '../../prove/process.js';

describe('the figures of the process with many executions behind them', () => {
  it('are told in time', async () => {
    expect(await prove(['--size', 'small'])).toBe(true);
  }, 300_000);
});
