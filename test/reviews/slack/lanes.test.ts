import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SlackSettingsService } from '../../../src/reviews/channels/slack/setup/slack-settings.service.js';
import { eventually } from '../../support/eventually.js';
import { person } from '../stage.js';
import { ALICE, DeliveryStage, isLocked, OPERATOR } from './delivery-stage.js';

const PAY = 'C0PAY';

let at: DeliveryStage;
beforeEach(async () => {
  at = await DeliveryStage.start();
  at.slack.addChannel({ id: PAY, name: 'payments' });
  await at.app.get(SlackSettingsService, { strict: false }).route('payments', PAY, OPERATOR);
});
afterEach(() => at.close());

const posts = (channel: string) =>
  at.slack.calls.filter(({ method, args }) => method === 'chat.postMessage' && args['channel'] === channel);

describe('a channel that Slack asks to wait', () => {
  it('waits as long as Slack says, and holds up no other', async () => {
    at.slack.script('chat.postMessage', { kind: 'rateLimited', retryAfter: 120 });
    const began = at.stage.clock.now();
    const slow = await at.open();
    await eventually(() => posts(at.slack.channel).length === 1);
    const second = await at.open();
    const other = await at.open({ queue: 'payments', assign: { to: [{ user: 'alice' }] } });
    await Promise.all([at.posted(other.id, PAY), at.told(ALICE, other.id)]);
    expect(at.inChannel(slow.id)).toBeUndefined();
    await Promise.all([at.posted(slow.id), at.posted(second.id)]);
    expect(at.stage.clock.now() - began).toBeGreaterThanOrEqual(120_000);
    // Whoever came after did not try in vain.
    expect(posts(at.slack.channel)).toHaveLength(3);
  });

  it('is locked after the decision as soon as it may be, and the others before', async () => {
    const review = await at.open({ queue: 'payments', assign: { to: [{ user: 'alice' }] } });
    const [message, direct] = [await at.posted(review.id, PAY), await at.told(ALICE, review.id)];
    at.slack.script('chat.update', { kind: 'rateLimited', retryAfter: 30 });
    await at.reviews.act(review.id, { kind: 'decide', outcome: 'delete', reason: '' }, person('alice'));
    await eventually(() => isLocked(message) && isLocked(direct), { timeoutMs: 15_000 });
    expect(await at.copies(review.id)).toHaveLength(2);
  });
});

describe('a channel that is answered slowly', () => {
  it('keeps the others no longer than themselves', async () => {
    at.slack.script('chat.postMessage', { kind: 'slow', ms: 3000 });
    const slow = await at.open();
    await eventually(() => posts(at.slack.channel).length === 1);
    const began = performance.now();
    const other = await at.open({ queue: 'payments' });
    await at.posted(other.id, PAY);
    expect(performance.now() - began).toBeLessThan(2500);
    await eventually(async () => (await at.copies(slow.id)).length === 1, { timeoutMs: 15_000 });
  });
});

describe('a queue that loses its channel', () => {
  it('is shown in the default one from then on, and what was posted before is still brought up to date', async () => {
    const before = await at.open({ queue: 'payments' });
    const message = await at.posted(before.id, PAY);
    await at.app.get(SlackSettingsService, { strict: false }).unroute('payments', OPERATOR);
    const after = await at.open({ queue: 'payments' });
    await at.posted(after.id);
    await at.reviews.act(before.id, { kind: 'decide', outcome: 'delete', reason: '' }, person('bob'));
    await eventually(() => isLocked(message));
  });
});
