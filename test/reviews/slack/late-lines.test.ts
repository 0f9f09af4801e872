import { afterEach, describe, expect, it } from 'vitest';
import { ReviewComments } from '../../../src/reviews/comments/comments.service.js';
import { BrokenSlack } from '../../../src/reviews/channels/slack/delivery/broken-slack.js';
import { insertSlackCopy } from '../../../src/reviews/channels/slack/sql/copies.js';
import { SlackSettingsService } from '../../../src/reviews/channels/slack/setup/slack-settings.service.js';
import type { Review } from '../../../src/reviews/review.js';
import { eventually } from '../../support/eventually.js';
import type { FakeMessage } from '../../support/slack/fake-slack.js';
import { person } from '../stage.js';
import { ALICE, DeliveryStage, OPERATOR, seen } from './delivery-stage.js';

const SECRET = 'the password is hunter2';

let at: DeliveryStage;
afterEach(() => at.close());

const comments = () => at.app.get(ReviewComments, { strict: false });
const settings = () => at.app.get(SlackSettingsService, { strict: false });
const channel = () => {
  const found = at.slack.workspace.channels.get(at.slack.channel);
  if (found === undefined) throw new Error('no channel');
  return found;
};
const say = (review: Review, text: string) => comments().add(review, text, person('bob'));
/** Changes the latest comment on the web. */
const change = async (review: Review, text: string): Promise<void> => {
  const [row] = await at.stage.db.query<{ id: string; version: number }>(
    'SELECT id, version FROM review_comment WHERE review_id = $1 ORDER BY created_at DESC, id LIMIT 1',
    [review.id],
  );
  if (row === undefined) throw new Error('no comment');
  await comments().edit(review, { ...row, text }, person('bob'));
};
const lines = (root: FakeMessage) =>
  at
    .thread(root)
    .filter(({ botId }) => botId !== undefined)
    .map(seen);
const isBroken = () =>
  eventually(async () => (await at.app.get(BrokenSlack, { strict: false }).broken()).length > 0, {
    what: 'broken',
  });
const unsaid = () =>
  at.stage.db.query<{ review_id: string; place: string; line: Record<string, unknown> }>(
    'SELECT review_id, place, line FROM slack_unsaid ORDER BY event_id',
  );
const minutes = async (span: number): Promise<void> => {
  const until = at.stage.clock.now() + span * 60_000;
  await eventually(() => at.stage.clock.now() >= until, { timeoutMs: 30_000, what: `${span} minutes` });
};
/** Nothing is kept before this is done. */
const whileKept = (work: () => Promise<void>): Promise<void> =>
  at.stage.db.transaction(async (tx) => {
    await tx.query('LOCK TABLE slack_unsaid IN EXCLUSIVE MODE');
    await work();
  });
const isKeeping = () =>
  eventually(
    async () => {
      const rows = await at.stage.db.query(
        `SELECT 1 FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'INSERT INTO slack_unsaid%'`,
      );
      return rows.length > 0;
    },
    { what: 'a line that is being kept' },
  );
const archived = (is: boolean) => (channel().archived = is);

describe('a comment that changed before Slack was told of it', () => {
  it('is said after an outage as it reads now, once, and what was taken out of it is kept nowhere', async () => {
    at = await DeliveryStage.start();
    const review = await at.open();
    const root = await at.posted(review.id);
    archived(true);
    await say(review, SECRET);
    await isBroken();
    await change(review, 'first correction');
    await change(review, 'nothing to see');
    await eventually(async () => (await unsaid()).length === 3);
    const kept = await at.stage.db.query<{ payload: unknown }>(
      `SELECT payload FROM outbox WHERE kind LIKE 'slack.%'`,
    );
    expect(JSON.stringify([kept, await unsaid()])).not.toContain('hunter2');
    archived(false);
    await eventually(() => lines(root).length > 0);
    await minutes(2);
    await at.quiet();
    expect(lines(root)).toHaveLength(1);
    expect(lines(root)[0]).toMatch(/\*Bob\* wrote:\n> nothing to see/);
    expect(JSON.stringify(at.slack.messages)).not.toContain('hunter2');
  });

  it('is said so as well where its line waits for its turn', async () => {
    at = await DeliveryStage.start();
    const review = await at.open();
    const root = await at.posted(review.id);
    at.slack.script('chat.postMessage', { kind: 'rateLimited', retryAfter: 60 });
    await say(review, SECRET);
    await eventually(() =>
      at.slack.calls.some(({ args }) => JSON.stringify(args).includes('wrote')) ? true : undefined,
    );
    await change(review, 'nothing to see');
    await eventually(() => lines(root).length > 0);
    await at.quiet();
    expect(lines(root).map((line) => line.includes('nothing to see'))).toEqual([true]);
  });

  it('is said by one line for all changes that the thread was not told', async () => {
    at = await DeliveryStage.start();
    const review = await at.open();
    const root = await at.posted(review.id);
    await say(review, 'as it was');
    await eventually(() => lines(root).length === 1);
    archived(true);
    await change(review, SECRET);
    await isBroken();
    await change(review, 'as it is');
    await eventually(async () => (await unsaid()).length === 2);
    archived(false);
    await eventually(() => lines(root).length > 1);
    await minutes(2);
    await at.quiet();
    expect(lines(root)).toHaveLength(2);
    expect(lines(root)[1]).toMatch(/\*Bob\* changed a comment:\n> as it is/);
  });

  it('is read as it is now also where an earlier release kept its words', async () => {
    at = await DeliveryStage.start();
    const review = await at.open();
    const root = await at.posted(review.id);
    archived(true);
    await say(review, 'the first');
    await isBroken();
    await eventually(async () => (await unsaid()).length === 1);
    await at.stage.db.query(
      `UPDATE slack_unsaid SET line = (line::jsonb || jsonb_build_object('text', $1::text))::json`,
      [`*Bob* wrote:\n> ${SECRET}`],
    );
    archived(false);
    await eventually(() => lines(root).length > 0);
    await at.quiet();
    expect(lines(root).join('\n')).toMatch(/> the first/);
    expect(lines(root).join('\n')).not.toContain('hunter2');
  });

  it('is not said at all once it is removed, and its removal alone where it was said', async () => {
    at = await DeliveryStage.start();
    const review = await at.open({ assign: { to: [{ user: 'alice' }] } });
    const [root, direct] = [await at.posted(review.id), await at.told(ALICE, review.id)];
    await eventually(async () => (await at.copies(review.id)).length === 2);
    const early = await at.slack.reply(direct, 'said in time', ALICE);
    await eventually(() => lines(root).length === 1);
    archived(true);
    const late = await at.slack.reply(direct, SECRET, ALICE);
    await isBroken();
    await at.slack.deleteReply(late);
    await at.slack.deleteReply(early);
    await eventually(async () => (await unsaid()).length === 3);
    archived(false);
    await eventually(() => lines(root).length > 1);
    await minutes(2);
    await at.quiet();
    expect(lines(root)).toHaveLength(2);
    expect(lines(root)[1]).toContain('A comment of *Alice* was removed in Slack.');
  });
});

describe('what people write of a review before it has a message', () => {
  it('stands below it, in order, where Slack was off when the review was opened', async () => {
    at = await DeliveryStage.start({ SLACK_CHANNEL: '' });
    const review = await at.open();
    for (const text of ['First.', 'Second.', 'Third.']) await say(review, text);
    await eventually(async () => (await unsaid()).length === 3);
    await settings().change({ channel: at.slack.channel }, OPERATOR);
    const root = await at.posted(review.id);
    await eventually(() => lines(root).length === 3);
    await at.quiet();
    expect(lines(root).join('\n')).toMatch(/First\.[^]*Second\.[^]*Third\./);
    expect(await unsaid()).toEqual([]);
  });

  it('stands below it where its queue had no channel while others had', async () => {
    at = await DeliveryStage.start({ SLACK_CHANNEL: '' });
    await settings().route('payments', at.slack.channel, OPERATOR);
    const review = await at.open({ queue: 'hr' });
    await say(review, 'Whose is it?');
    await eventually(async () => (await unsaid()).length === 1);
    await at.quiet();
    at.slack.addChannel({ id: 'C0HR', name: 'hr' });
    await settings().route('hr', 'C0HR', OPERATOR);
    const root = await at.posted(review.id, 'C0HR');
    await eventually(() => lines(root).length === 1);
    expect(lines(root)[0]).toContain('Whose is it?');
  });

  it('follows in its order what is written while the message is under way', async () => {
    at = await DeliveryStage.start({ SLACK_CHANNEL: '' });
    const review = await at.open();
    await say(review, 'First.');
    await eventually(async () => (await unsaid()).length === 1);
    at.slack.script('chat.postMessage', { kind: 'slow', ms: 400 });
    await settings().change({ channel: at.slack.channel }, OPERATOR);
    const root = await at.posted(review.id);
    await say(review, 'Second.');
    await eventually(() => lines(root).length === 2);
    expect(lines(root).join('\n')).toMatch(/First\.[^]*Second\./);
  });

  it('is said below it also where it came while that was being kept', async () => {
    at = await DeliveryStage.start({ SLACK_CHANNEL: '' });
    await settings().route('payments', at.slack.channel, OPERATOR);
    const review = await at.open({ queue: 'hr' });
    await at.quiet();
    const root = at.slack.workspace.post(channel(), { text: 'Release?', blocks: [] });
    await whileKept(async () => {
      await say(review, 'Just now.');
      await isKeeping();
      const { channel: address, ts } = root;
      await insertSlackCopy(at.stage.db, review.id, { channel: address, ts, shown: 0 }, 1);
    });
    await eventually(() => lines(root).length > 0);
    await at.quiet();
    expect(lines(root)).toHaveLength(1);
    expect(await unsaid()).toEqual([]);
  });

  it('is said once where Slack is switched on while it was being kept', async () => {
    at = await DeliveryStage.start({ SLACK_CHANNEL: '' });
    await settings().change({ channel: at.slack.channel }, OPERATOR);
    const review = await at.open();
    const root = await at.posted(review.id);
    await at.quiet();
    await settings().change({ channel: null }, OPERATOR);
    await whileKept(async () => {
      await say(review, 'Just now.');
      await isKeeping();
      await settings().change({ channel: at.slack.channel }, OPERATOR);
    });
    await eventually(() => lines(root).length > 0);
    await minutes(2);
    await at.quiet();
    expect(lines(root)).toHaveLength(1);
    expect(await unsaid()).toEqual([]);
  });

  it('is kept up to the last twenty lines, and no longer than its review waits', async () => {
    at = await DeliveryStage.start({ SLACK_CHANNEL: '' });
    const [kept, over] = [await at.open(), await at.open()];
    for (let n = 1; n <= 23; n++) await say(kept, `Line ${n}.`);
    await say(over, 'Too late.');
    await eventually(async () => (await unsaid()).length === 21);
    await at.quiet();
    expect(await unsaid()).toHaveLength(21);
    await at.reviews.act(over.id, { kind: 'decide', outcome: 'delete', reason: '' }, person('bob'));
    at.stage.clock.advance(2 * 86_400_000);
    await eventually(async () => (await unsaid()).every((line) => line.review_id === kept.id));
    await settings().change({ channel: at.slack.channel }, OPERATOR);
    const root = await at.posted(kept.id);
    await eventually(() => lines(root).length === 20, { timeoutMs: 20_000 });
    expect(lines(root)[0]).toContain('Line 4.');
  });
});
