import { describe, expect, it } from 'vitest';
import { prove } from '../../prove/inbox.js';

describe('the inbox with the reviews of years behind it', () => {
  it('shows every view page by page, and in time', async () => {
    expect(await prove(['--size', 'small'])).toBe(true);
  }, 300_000);
});
