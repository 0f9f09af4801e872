import { describe, expect, it } from 'vitest';
import { prove } from '../../prove/slack-storm.js';

describe('a storm of reviews', () => {
  it('is told to Slack by few messages, within its pace, and none is lost', async () => {
    expect(await prove(['--size', 'small'])).toBe(true);
  }, 300_000);
});
