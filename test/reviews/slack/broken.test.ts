import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BrokenSlack } from '../../../src/reviews/channels/slack/delivery/broken-slack.js';
import { SlackProbe } from '../../../src/reviews/channels/slack/setup/slack-probe.js';
import { SlackStatusService } from '../../../src/reviews/channels/slack/setup/slack-status.service.js';
import { eventually } from '../../support/eventually.js';
import { person } from '../stage.js';
import { ALICE, DeliveryStage, isLocked, seen } from './delivery-stage.js';

let at: DeliveryStage;
beforeEach(async () => {
  at = await DeliveryStage.start();
});
afterEach(() => at.close());

const channel = () => {
  const found = at.slack.workspace.channels.get(at.slack.channel);
  if (found === undefined) throw new Error('no channel');
  return found;
};
const broken = () => at.app.get(BrokenSlack, { strict: false });
const mailed = async (reviewId: string): Promise<readonly string[]> => {
  const rows = await at.stage.db.query<{ to: string }>(
    `SELECT payload->>'email' AS to FROM outbox WHERE kind = 'review.mail' AND payload->>'reviewId' = $1 ORDER BY 1`,
    [reviewId],
  );
  return rows.map(({ to }) => to);
};
const alerts = async (): Promise<readonly string[]> => {
  const rows = await at.stage.db.query<{ subject: string }>(
    `SELECT payload->>'subject' AS subject FROM outbox WHERE kind = 'mail' AND key LIKE 'alert:%'`,
  );
  return rows.map(({ subject }) => subject);
};
const fell = (reviewId: string) =>
  eventually(async () => (await at.kinds(reviewId)).includes('slack_failed'), { what: 'told otherwise' });

describe('a channel that takes no messages', () => {
  it('is told by mail in its place, also to who wants less mail, and shows what it missed when it works again', async () => {
    channel().archived = true;
    const first = await at.open();
    await fell(first.id);
    // Alice wants mail about what is hers alone, and Slack tells her of the rest.
    expect(await mailed(first.id)).toEqual(['alice@example.com', 'bob@example.com']);
    const second = await at.open();
    await fell(second.id);
    expect(await alerts()).toEqual([expect.stringContaining('channel C0REVIEWS takes no messages')]);
    expect(await broken().check()).toMatchObject([
      {
        degraded: true,
        detail: expect.stringContaining('is_archived'),
        remedy: expect.stringContaining('Open'),
      },
    ]);
    expect(await broken().broken()).toMatchObject([{ place: 'C0REVIEWS', reason: 'is_archived' }]);

    await at.reviews.act(second.id, { kind: 'decide', outcome: 'delete', reason: '' }, person('bob'));
    channel().archived = false;
    await at.posted(first.id);
    await at.quiet();
    // What was decided meanwhile needs no message.
    expect(at.inChannel(second.id)).toBeUndefined();
    expect(at.slack.messages).toHaveLength(1);
    expect(await broken().check()).toEqual([]);
    expect(await alerts()).toHaveLength(1);
    const failed = await at.stage.db.query(
      `SELECT 1 FROM outbox WHERE kind LIKE 'slack.%' AND state = 'failed'`,
    );
    expect(failed).toEqual([]);
  });

  it('shows what it missed as soon as somebody looks how it is, and until then the status says so', async () => {
    channel().archived = true;
    const review = await at.open();
    await fell(review.id);
    // Slow from here on: the looks that come by themselves are minutes away.
    at.run(1);
    const status = async () => {
      const { channels } = await at.app.get(SlackStatusService, { strict: false }).read();
      return channels[0]?.trouble?.fact;
    };
    expect(await status()).toMatch(/^is archived/);
    channel().archived = false;
    at.stage.clock.advance(10_000);
    expect(await status()).toBe(
      'looks whole again (it was not: is_archived); what it missed follows once a message went through',
    );
    await at.posted(review.id);
    await eventually(async () => (await status()) === undefined);
    expect(await broken().check()).toEqual([]);
  });

  it('shows what it missed when a test message goes through', async () => {
    channel().botIsMember = false;
    const review = await at.open();
    await fell(review.id);
    at.run(1);
    channel().botIsMember = true;
    const probe = at.app.get(SlackProbe, { strict: false });
    const asker = { actor: 'user:ada', name: 'Ada' };
    expect(await probe.probe('C0REVIEWS', false, asker)).toMatchObject({ posted: true });
    expect(await broken().broken()).toEqual([]);
    await at.posted(review.id);
  });

  it('breaks nothing elsewhere', async () => {
    channel().botIsMember = false;
    const review = await at.open({ assign: { to: [{ user: 'alice' }] } });
    await fell(review.id);
    await at.told(ALICE, review.id);
    expect(await broken().broken()).toMatchObject([{ place: 'C0REVIEWS', reason: 'not_in_channel' }]);
    channel().botIsMember = true;
    await at.posted(review.id);
  });

  it('breaks nothing elsewhere either when only its answers are lost', async () => {
    const lost = Array.from({ length: 5 }, () => ({ kind: 'status', status: 500 }) as const);
    at.slack.script('chat.postMessage', ...lost);
    const review = await at.open();
    await fell(review.id);
    expect(await broken().broken()).toMatchObject([
      { place: 'C0REVIEWS', reason: 'no_answer', remedy: expect.stringContaining('tried again') },
    ]);
    await at.posted(review.id);
    await at.quiet();
    expect(await broken().broken()).toEqual([]);
    expect(await alerts()).toEqual([expect.stringContaining('channel C0REVIEWS takes no messages')]);
  });

  it('has its copies brought up to date when it works again', async () => {
    const review = await at.open();
    const message = await at.posted(review.id);
    channel().archived = true;
    await at.reviews.act(review.id, { kind: 'claim' }, person('bob'));
    await eventually(async () => (await broken().broken()).length === 1);
    await at.reviews.act(review.id, { kind: 'decide', outcome: 'delete', reason: '' }, person('bob'));
    await at.quiet();
    expect(isLocked(message)).toBe(false);
    channel().archived = false;
    await eventually(() => isLocked(message));
    expect(seen(message)).toMatch(/Delete: decided by Bob/);
  });
});

describe('a workspace that takes nothing', () => {
  it('is told by mail, and shown everything once its token works', async () => {
    at.slack.scopes = at.slack.scopes.filter((scope) => scope !== 'chat:write');
    const reviews = [await at.open(), await at.open({ assign: { to: [{ user: 'alice' }] } })];
    for (const { id } of reviews) await fell(id);
    expect(await broken().broken()).toMatchObject([{ place: '*', reason: 'missing_scope' }]);
    expect(await alerts()).toEqual([expect.stringContaining('the workspace takes no messages')]);
    at.slack.scopes = [...at.slack.scopes, 'chat:write'];
    for (const { id } of reviews) await at.posted(id);
    await at.quiet();
    expect(at.slack.messages.filter(({ channel: id }) => id === at.slack.channel)).toHaveLength(2);
  });

  it('is one that does not answer for a while, and nothing that may have arrived is said twice', async () => {
    const away = Array.from({ length: 5 }, () => ({ kind: 'lose' }) as const);
    at.slack.script('conversations.history', ...away, ...away);
    at.slack.script('chat.postMessage', ...away);
    at.slack.script('auth.test', ...away, ...away, ...away);
    const review = await at.open();
    await fell(review.id);
    expect(await broken().broken()).toMatchObject([{ place: '*', reason: 'unreachable' }]);
    at.slack.behave();
    await eventually(async () => (await at.copies(review.id)).length === 1, { timeoutMs: 15_000 });
    await at.quiet();
    expect(at.slack.messages).toHaveLength(1);
  });

  it('is found whole by whoever is told, and by nobody twice', async () => {
    const review = await at.open({ assign: { to: [{ user: 'alice' }] } });
    await at.told(ALICE, review.id);
    await at.slack.revoke();
    await at.reviews.act(review.id, { kind: 'claim' }, person('alice'));
    await eventually(async () => (await broken().broken()).length > 0);
    at.slack.reinstall();
    await eventually(async () => (await broken().broken()).length === 0, { timeoutMs: 15_000 });
    const message = await at.posted(review.id);
    await eventually(() => seen(message).includes('Alice'));
  });
});

describe('an error of Slack that nobody knows', () => {
  it('is tried some times, and then told by mail', async () => {
    at.slack.script(
      'chat.postMessage',
      ...Array.from({ length: 5 }, () => ({ kind: 'error', error: 'new_kind_of_trouble' }) as const),
    );
    const review = await at.open();
    await fell(review.id);
    expect(await at.posted(review.id)).toBeDefined();
  });
});
