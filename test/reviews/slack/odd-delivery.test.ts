import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BrokenSlack } from '../../../src/reviews/channels/slack/delivery/broken-slack.js';
import type { Mishap } from '../../support/slack/mishaps.js';
import { eventually } from '../../support/eventually.js';
import { ALICE, DeliveryStage } from './delivery-stage.js';

let at: DeliveryStage;
beforeEach(async () => {
  at = await DeliveryStage.start();
});
afterEach(() => at.close());

const broken = () => at.app.get(BrokenSlack, { strict: false }).broken();
const fell = (reviewId: string) =>
  eventually(async () => (await at.kinds(reviewId)).includes('slack_failed'), { what: 'told otherwise' });
const mails = async (reviewId: string): Promise<number> => {
  const rows = await at.stage.db.query(
    `SELECT 1 FROM outbox WHERE kind = 'review.mail' AND payload->>'reviewId' = $1`,
    [reviewId],
  );
  return rows.length;
};
const many = (body: string): Mishap[] => Array.from({ length: 5 }, () => ({ kind: 'answer', body }));

describe('a message to which Slack gives an odd answer', () => {
  it('counts as one that may have arrived when nothing says where it stands: it is looked for, and said once', async () => {
    at.slack.script('chat.postMessage', { kind: 'answer', body: '{"ok":true}' });
    const review = await at.open();
    const message = await at.posted(review.id);
    await at.quiet();
    expect(at.slack.messages).toEqual([message]);
    expect(at.slack.calls.map(({ method }) => method)).toContain('conversations.history');
    expect(await at.copies(review.id)).toMatchObject([{ ts: message.ts }]);
  });

  it.each(['[]', '{"ok":false}', '{"ok":false,"error":{}}', 'null', '{"ok":true,"ts":5}'])(
    'is told by mail when that goes on, and shown when it is over: %s',
    async (body) => {
      at.slack.script('chat.postMessage', ...many(body));
      const review = await at.open();
      await fell(review.id);
      expect(await mails(review.id)).toBeGreaterThan(0);
      await at.posted(review.id);
      await at.quiet();
      expect(await broken()).toEqual([]);
    },
  );

  it('goes to the right person once Slack says which conversation was opened', async () => {
    at.slack.script('conversations.open', { kind: 'answer', body: '{"ok":true}' });
    const review = await at.open({ assign: { to: [{ user: 'alice' }] } });
    await at.told(ALICE, review.id);
  });
});

describe('a message that Slack wants to have much later', () => {
  it('is told by mail at once, breaks nothing, and still waits for its turn', async () => {
    at.slack.script('chat.postMessage', { kind: 'rateLimited', retryAfter: 99_999_999 });
    const review = await at.open();
    await fell(review.id);
    expect(await mails(review.id)).toBeGreaterThan(0);
    expect(await broken()).toEqual([]);
    const rows = await at.stage.db.query<{ state: string; waits: string }>(
      `SELECT state, due_at - $1::bigint AS waits FROM outbox WHERE kind = 'slack.post'`,
      [Math.round(at.stage.clock.now())],
    );
    expect(rows).toMatchObject([{ state: 'pending' }]);
    expect(Number(rows[0]?.waits)).toBeLessThanOrEqual(3_600_000);
  });
});
