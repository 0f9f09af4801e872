import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BrokenSlack } from '../../../src/reviews/channels/slack/delivery/broken-slack.js';
import { SlackCopies } from '../../../src/reviews/channels/slack/delivery/slack-copies.js';
import { SlackProbe } from '../../../src/reviews/channels/slack/setup/slack-probe.js';
import { eventually } from '../../support/eventually.js';
import type { Mishap } from '../../support/slack/mishaps.js';
import type { Json } from '../../support/slack/refusal.js';
import { person } from '../stage.js';
import { ALICE, BOB, DeliveryStage, isLocked } from './delivery-stage.js';

let at: DeliveryStage;
beforeEach(async () => {
  at = await DeliveryStage.start();
  at.slack.addChannel({ id: 'C0OTHER', name: 'other' });
});
afterEach(() => at.close());

const says = (part: Json): Mishap => ({ kind: 'says', answer: (truth) => ({ ...truth, ...part }) });
const decide = (id: string) =>
  at.reviews.act(id, { kind: 'decide', outcome: 'delete', reason: '' }, person('bob'));
const looks = () => at.slack.calls.filter(({ method }) => method === 'conversations.history').length;

describe('an answer that says where a message stands', () => {
  it('is not believed when it names another channel: the message is looked for', async () => {
    at.slack.script('chat.postMessage', says({ channel: 'C0OTHER' }));
    const { id } = await at.open();
    const message = await at.posted(id);
    await at.quiet();
    expect(looks()).toBe(1);
    expect(await at.copies(id)).toMatchObject([{ channel: at.slack.channel, ts: message.ts }]);
    await decide(id);
    await eventually(() => isLocked(message), { what: 'locked' });
    expect(at.slack.messages).toHaveLength(1);
  });

  it('is not believed when it names another review’s message, which stays as it is', async () => {
    const first = await at.open();
    const ofFirst = await at.posted(first.id);
    await at.quiet();
    at.slack.script('chat.postMessage', says({ ts: ofFirst.ts }));
    const second = await at.open();
    const ofSecond = await at.posted(second.id);
    await at.quiet();
    await decide(second.id);
    await eventually(() => isLocked(ofSecond), { what: 'the second is locked' });
    await at.quiet();
    expect(isLocked(ofFirst)).toBe(false);
    expect(await at.copies(first.id)).toMatchObject([{ ts: ofFirst.ts }]);
    expect(await at.copies(second.id)).toMatchObject([{ ts: ofSecond.ts }]);
  });

  it('has the message looked for once more when it proves wrong as the review goes on', async () => {
    at.slack.script('chat.postMessage', says({ ts: '1795424000.999999' }));
    const { id } = await at.open();
    const message = await at.posted(id);
    await at.quiet();
    await at.reviews.act(id, { kind: 'claim' }, person('bob'));
    await eventually(async () => (await at.copies(id))[0]?.ts === message.ts, { what: 'the right one' });
    await decide(id);
    await eventually(() => isLocked(message), { what: 'locked' });
    expect(at.slack.messages).toHaveLength(1);
  });

  it('makes no message two reviews’, whoever finds it', async () => {
    const [first, second] = [await at.open(), await at.open()];
    const message = await at.posted(first.id);
    await at.posted(second.id);
    await at.quiet();
    await at.stage.db.query('DELETE FROM review_message WHERE review_id = $1', [second.id]);
    const { channel, ts } = message;
    const copies = at.app.get(SlackCopies, { strict: false });
    await expect(copies.posted(second, { kind: 'posted', channel, ts }, 1)).rejects.toThrow(/another review/);
    expect(await at.copies(second.id)).toEqual([]);
  });
});

describe('a message that is looked for', () => {
  const byOthers = (reviewId: string): Json => ({
    type: 'message',
    ts: '9999999999.000100',
    bot_id: 'B0EVIL',
    app_id: 'A0EVIL',
    text: 'x',
    metadata: { event_type: 'sallyport_review', event_payload: { review_id: reviewId } },
  });

  it('is ours alone, whatever metadata another app writes', async () => {
    let id = '';
    at.slack.script('chat.postMessage', { kind: 'status', status: 502 });
    at.slack.script('conversations.history', {
      kind: 'says',
      answer: (truth) => ({ ...truth, messages: [byOthers(id), ...(truth['messages'] as Json[])] }),
    });
    at.run(10);
    ({ id } = await at.open());
    const message = await at.posted(id);
    await at.quiet();
    expect(looks()).toBe(1);
    expect(await at.copies(id)).toMatchObject([{ ts: message.ts }]);
  });
});

describe('an account', () => {
  it('is what Slack says of it and not of another', async () => {
    at.slack.workspace.changeUser(BOB.id, { isRestricted: true });
    const { id } = await at.open();
    const message = await at.posted(id);
    await at.quiet();
    at.slack.script('users.info', {
      kind: 'says',
      answer: (truth) => ({
        ...truth,
        user: { ...(truth['user'] as Json), id: ALICE.id, is_restricted: false },
      }),
    });
    await at.slack.click(message, 'review.claim', BOB);
    await eventually(() => at.slack.whispers.length > 0, { what: 'an answer' });
    expect(at.slack.whispers[0]?.text).toMatch(/does not say just now/);
    expect((await at.reviews.get(id)).state).toBe('OPEN');
    const accounts = await at.stage.db.query('SELECT 1 FROM slack_account WHERE user_id = $1', [ALICE.id]);
    expect(accounts).toEqual([]);
  });
});

describe('a test message that goes through', () => {
  it('shows that the whole workspace works', async () => {
    const broken = at.app.get(BrokenSlack, { strict: false });
    await broken.broke('*', 'team_access_not_granted');
    at.run(0);
    const probe = at.app.get(SlackProbe, { strict: false });
    const probed = await probe.probe(at.slack.channel, false, { actor: 'user:olga', name: 'Olga' });
    expect(probed).toMatchObject({ posted: true });
    expect(await broken.broken()).toEqual([]);
  });
});
