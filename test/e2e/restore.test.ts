import { describe, expect, it } from 'vitest';
import { prove } from '../../prove/restore.js';

describe('a backup taken in the middle of a storm of uploads', () => {
  it('is restored with nothing lost, nothing doubled, and nothing done before somebody says so', async () => {
    expect(await prove(['--size', 'small'])).toBe(true);
  }, 300_000);
});
