import { describe, expect, it } from 'vitest';
import { prove } from '../../prove/slack-outbox.js';

describe('what goes out to Slack under kill -9', () => {
  it('is said once, and every copy is locked after the decision', async () => {
    expect(await prove(['--size', 'small'])).toBe(true);
  }, 400_000);
});
