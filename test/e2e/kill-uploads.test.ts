import { describe, expect, it } from 'vitest';
import { prove } from '../../prove/kill-uploads.js';

describe('uploads under kill -9', () => {
  it('each end with exactly one verdict, and each finding with one review', async () => {
    expect(await prove(['--size', 'small'])).toBe(true);
  }, 300_000);
});
