import { afterEach, describe, expect, it } from 'vitest';
import { BrokenSlack } from '../../../src/reviews/channels/slack/delivery/broken-slack.js';
import { SlackSettingsService } from '../../../src/reviews/channels/slack/setup/slack-settings.service.js';
import { WorkflowTask } from '../../../src/engine/model/definition.js';
import type { Task } from '../../../src/engine/model/execution.js';
import type { Review } from '../../../src/reviews/review.js';
import { ReviewComments } from '../../../src/reviews/comments/comments.service.js';
import type { Mishap } from '../../support/slack/mishaps.js';
import { eventually } from '../../support/eventually.js';
import { reviewsApp } from '../app.js';
import { person } from '../stage.js';
import { DeliveryStage, isLocked, OPERATOR, seen } from './delivery-stage.js';

let at: DeliveryStage;
afterEach(() => at.close());

const settings = () => at.app.get(SlackSettingsService, { strict: false });
const broken = () => at.app.get(BrokenSlack, { strict: false });
const channel = () => {
  const found = at.slack.workspace.channels.get(at.slack.channel);
  if (found === undefined) throw new Error('no channel');
  return found;
};
const posts = () =>
  at.slack.calls.filter(
    ({ method, args }) => method === 'chat.postMessage' && args['channel'] === at.slack.channel,
  );
const count = async (reviewId: string, kind: string): Promise<number> =>
  (await at.kinds(reviewId)).filter((one) => one === kind).length;
const isBroken = () => eventually(async () => (await broken().broken()).length > 0, { what: 'broken' });
const comment = async (review: Review, text: string): Promise<void> =>
  at.app.get(ReviewComments, { strict: false }).add(review, text, person('bob'));
const refused = (error: string, times: number): Mishap[] =>
  Array.from({ length: times }, () => ({ kind: 'error', error }));
const minutes = async (span: number): Promise<void> => {
  const until = at.stage.clock.now() + span * 60_000;
  await eventually(() => at.stage.clock.now() >= until, { timeoutMs: 30_000, what: `${span} minutes` });
};
const givenUp = async (reviewId: string): Promise<boolean> => {
  const rows = await at.stage.db.query(
    `SELECT 1 FROM outbox WHERE kind = 'slack.post' AND payload->>'reviewId' = $1
      AND receipt->>'skipped' LIKE 'Slack does not take it%'`,
    [reviewId],
  );
  return rows.length > 0;
};
const decide = (review: Review) =>
  at.reviews.act(review.id, { kind: 'decide', outcome: 'delete', reason: '' }, person('bob'));

describe('Slack that is set up while reviews wait', () => {
  it('shows what was opened before, and many of them by one message', async () => {
    at = await DeliveryStage.start({ SLACK_CHANNEL: '' });
    const waiting = [await at.open(), await at.open()];
    const over = await at.open();
    await decide(over);
    await settings().change({ channel: at.slack.channel }, OPERATOR);
    for (const { id } of waiting) await at.posted(id);
    await at.quiet();
    expect(at.inChannel(over.id)).toBeUndefined();
    // Heard of again, nothing is posted again.
    await settings().route('payments', at.slack.channel, OPERATOR);
    await at.quiet();
    expect(at.slack.messages).toHaveLength(2);
  });

  it('shows it too where the settings came with a new process', async () => {
    at = await DeliveryStage.start({ SLACK_CHANNEL: '' });
    const review = await at.open();
    await at.quiet();
    const { app } = await reviewsApp(at.stage, {
      SLACK_BOT_TOKEN: at.slack.botToken,
      SLACK_APP_TOKEN: at.slack.appToken,
      SLACK_CHANNEL: at.slack.channel,
      SLACK_API_URL: at.slack.apiUrl,
    });
    try {
      await at.posted(review.id);
    } finally {
      await app.close();
    }
  });

  it('shows what was decided and said while it was off', async () => {
    at = await DeliveryStage.start({ SLACK_CHANNEL: '' });
    await settings().change({ channel: at.slack.channel }, OPERATOR);
    const review = await at.open();
    const open = await at.open();
    const [message, other] = [await at.posted(review.id), await at.posted(open.id)];
    await settings().change({ channel: null }, OPERATOR);
    await comment(open, 'Whose bucket is it?');
    await decide(review);
    await at.quiet();
    expect(isLocked(message)).toBe(false);
    await settings().change({ channel: at.slack.channel }, OPERATOR);
    await eventually(() => isLocked(message));
    expect(seen(message)).toMatch(/Delete: decided by Bob/);
    await eventually(() => at.thread(other).length === 1);
    expect(seen(at.thread(other)[0]!)).toContain('Whose bucket is it?');
  });
});

describe('a channel that only looks whole', () => {
  it('is tried by one message at a time, ever more rarely, and each review is noted once', async () => {
    at = await DeliveryStage.start();
    at.slack.script('chat.postMessage', ...refused('restricted_action', 500));
    const waiting = [await at.open(), await at.open(), await at.open()];
    await isBroken();
    at.run(500);
    await minutes(5);
    const early = posts().length;
    await minutes(40);
    // Every five minutes by then.
    expect(posts().length - early).toBeLessThanOrEqual(10);
    expect(posts().length).toBeGreaterThan(early);
    // Each in its turn.
    for (const { id } of waiting)
      expect(posts().some(({ args }) => String(args['metadata']).includes(id))).toBe(true);
    for (const { id } of waiting) expect(await count(id, 'slack_failed')).toBe(1);
    expect(await broken().broken()).toMatchObject([{ place: at.slack.channel, reason: 'restricted_action' }]);
    at.slack.behave();
    for (const { id } of waiting) await at.posted(id);
    expect(await broken().broken()).toEqual([]);
  });

  it('is found whole by a message that is behind where no review waits', async () => {
    at = await DeliveryStage.start();
    const review = await at.open();
    const message = await at.posted(review.id);
    at.slack.script('chat.update', ...refused('restricted_action', 3));
    await decide(review);
    await isBroken();
    await eventually(() => isLocked(message), { timeoutMs: 15_000 });
    await eventually(async () => (await broken().broken()).length === 0);
  });
});

describe('a single message that Slack does not take', () => {
  it('does not break its channel for the others for good', async () => {
    at = await DeliveryStage.start();
    const bad = await at.open({ title: 'Release the odd one?' });
    at.slack.onCall = ({ method, args }) => {
      if (method === 'chat.postMessage' && String(args['metadata']).includes(bad.id))
        at.slack.script('chat.postMessage', ...refused('new_kind_of_trouble', 1));
    };
    await isBroken();
    at.run(600);
    // What it breaks is whole again with each of the next ones, until it is found to be the cause itself.
    for (let next = 0; next < 6 && !(await givenUp(bad.id)); next++) {
      await at.posted((await at.open()).id);
      await minutes(2);
    }
    expect(await givenUp(bad.id)).toBe(true);
    await minutes(20);
    expect(await broken().broken()).toEqual([]);
    expect(at.inChannel(bad.id)).toBeUndefined();
    expect(await count(bad.id, 'slack_failed')).toBe(1);
  }, 60_000);
});

describe('a single message that never gets an answer', () => {
  it('is given up too, and its channel is whole for the others', async () => {
    at = await DeliveryStage.start();
    const bad = await at.open({ title: 'Release the one that a proxy holds back?' });
    at.slack.onCall = ({ method, args }) => {
      if (method === 'chat.postMessage' && String(args['metadata']).includes(bad.id))
        at.slack.script('chat.postMessage', { kind: 'status', status: 403 });
    };
    await isBroken();
    at.run(600);
    for (let next = 0; next < 6 && !(await givenUp(bad.id)); next++) {
      await at.posted((await at.open()).id);
      await minutes(3);
    }
    expect(await givenUp(bad.id)).toBe(true);
    await minutes(20);
    expect(await broken().broken()).toEqual([]);
  }, 60_000);
});

describe('a channel in which the app may do nothing', () => {
  it.each(['no_permission', 'access_denied'])('is broken by %s, and the others are not', async (error) => {
    at = await DeliveryStage.start();
    at.slack.addChannel({ id: 'C0PAY', name: 'payments' });
    await settings().route('payments', 'C0PAY', OPERATOR);
    at.slack.onCall = ({ method, args }) => {
      if (method === 'chat.postMessage' && args['channel'] === 'C0PAY')
        at.slack.script('chat.postMessage', ...refused(error, 1));
    };
    await at.open({ queue: 'payments' });
    await isBroken();
    expect(await broken().broken()).toMatchObject([{ place: 'C0PAY', reason: error }]);
    const other = await at.open();
    await at.posted(other.id);
    expect(await count(other.id, 'slack_failed')).toBe(0);
  });
});

describe('Slack that asks to wait again and again', () => {
  it('is told by mail meanwhile, and shown however long it takes', async () => {
    at = await DeliveryStage.start();
    at.slack.script(
      'chat.postMessage',
      ...Array.from({ length: 12 }, () => ({ kind: 'rateLimited', retryAfter: 100 }) as const),
    );
    const review = await at.open();
    at.run(500);
    await eventually(async () => (await count(review.id, 'slack_failed')) === 1, { timeoutMs: 15_000 });
    expect(await broken().broken()).toEqual([]);
    await eventually(() => at.inChannel(review.id) !== undefined, { timeoutMs: 40_000 });
    await at.quiet();
    // Waits beyond the first ones count as no attempts, of which there is a last.
    const rows = await at.stage.db.query<{ attempt: number }>(
      `SELECT attempt FROM outbox WHERE kind = 'slack.post'`,
    );
    expect(rows).toEqual([{ attempt: 5 }]);
  }, 60_000);
});

describe('a channel that is given up for another', () => {
  it('hands over what it did not show, with what people wrote, and troubles nobody any more', async () => {
    at = await DeliveryStage.start({ SLACK_CHANNEL: '' });
    at.slack.addChannel({ id: 'C0NEW', name: 'new' });
    await settings().change({ channel: at.slack.channel }, OPERATOR);
    channel().archived = true;
    const review = await at.open();
    await isBroken();
    await eventually(async () => (await count(review.id, 'slack_failed')) === 1);
    await comment(review, 'Whose bucket is it?');
    await settings().change({ channel: 'C0NEW' }, OPERATOR);
    const message = await at.posted(review.id, 'C0NEW');
    await eventually(() => at.thread(message).length === 1);
    expect(await broken().broken()).toEqual([]);
    expect(await broken().check()).toEqual([]);
  });
});

describe('a channel that is gone, with its workspace or without', () => {
  it('leaves its open reviews to the channel in which they belong now', async () => {
    at = await DeliveryStage.start({ SLACK_CHANNEL: '' });
    at.slack.addChannel({ id: 'C0NEW', name: 'new' });
    await settings().change({ channel: at.slack.channel }, OPERATOR);
    const [open, kept] = [await at.open(), await at.open({ queue: 'payments' })];
    await Promise.all([at.posted(open.id), at.posted(kept.id)]);
    await settings().route('payments', 'C0NEW', OPERATOR);
    await at.quiet();
    at.slack.workspace.channels.delete(at.slack.channel);
    await settings().change({ channel: 'C0NEW' }, OPERATOR);
    const message = await eventually(() => at.inChannel(open.id, 'C0NEW'), { timeoutMs: 15_000 });
    await decide(open);
    await eventually(() => isLocked(message), { timeoutMs: 15_000 });
    await at.quiet();
    expect(await broken().broken()).toEqual([]);
  }, 40_000);
});

describe('a channel that was broken for a while', () => {
  it('shows the steps after a decision, and in their order what people wrote meanwhile', async () => {
    at = await DeliveryStage.start();
    const decided = await at.open();
    const open = await at.open();
    const [message, other] = [await at.posted(decided.id), await at.posted(open.id)];
    const human = at.stage.engine.tasks.get(decided.taskId) as Task;
    const release = {
      ...human,
      taskId: 'release_object',
      taskDefName: 'release_object',
      seq: 2,
      workflowTask: WorkflowTask.parse({ name: 'release_object', taskReferenceName: 'r', type: 'SIMPLE' }),
    };
    at.stage.engine.runs.set(decided.workflowId, {
      status: 'RUNNING',
      tasks: [human, { ...release, status: 'IN_PROGRESS' }],
    });
    await decide(decided);
    await eventually(() => seen(message).includes('… releasing'));
    channel().archived = true;
    await comment(open, 'First.');
    await isBroken();
    await comment(open, 'Second.');
    const early = await at.open();
    await comment(early, 'Of the new one.');
    at.stage.engine.runs.set(decided.workflowId, {
      status: 'COMPLETED',
      tasks: [human, { ...release, status: 'COMPLETED' }],
    });
    await eventually(async () => {
      const [row] = await at.stage.db.query<{ kept: number }>(
        `SELECT (SELECT count(*)::int FROM slack_unsaid) + (SELECT count(*)::int FROM slack_unshown)
           + (SELECT count(*)::int FROM slack_steps WHERE course->>'end' = 'done') AS kept`,
      );
      return row?.kept === 5;
    });
    expect(seen(message)).toContain('… releasing');
    channel().archived = false;
    const late = await at.posted(early.id);
    await eventually(() => seen(message).includes('*Done*: released and verified'));
    await eventually(() => at.thread(other).length === 2 && at.thread(late).length === 1);
    expect(at.thread(other).map(seen).join('\n')).toMatch(/First\.[^]*Second\./);
    expect(seen(at.thread(late)[0]!)).toContain('Of the new one.');
    const left = await at.stage.db.query('SELECT 1 FROM slack_unsaid UNION ALL SELECT 1 FROM slack_unshown');
    expect(left).toEqual([]);
  });
});

describe('a message whose answer was lost before its queue got another channel', () => {
  it('is no trouble of the new channel when the old one does not answer any more', async () => {
    at = await DeliveryStage.start();
    at.slack.addChannel({ id: 'C0PAY', name: 'payments' });
    at.slack.script('chat.postMessage', { kind: 'lose' });
    at.slack.onCall = ({ method, args }) => {
      if (method === 'conversations.history' && args['channel'] === at.slack.channel)
        at.slack.script('conversations.history', { kind: 'status', status: 500 });
    };
    const review = await at.open({ queue: 'payments' });
    await at.posted(review.id);
    await settings().route('payments', 'C0PAY', OPERATOR);
    // Told twice rather than not at all; which one is the first, nobody can see.
    await at.posted(review.id, 'C0PAY');
    expect(await broken().broken()).toEqual([]);
    expect(await count(review.id, 'slack_failed')).toBe(0);
  });

  it('is found where it was posted, and locked after the decision', async () => {
    at = await DeliveryStage.start();
    at.slack.addChannel({ id: 'C0PAY', name: 'payments' });
    at.slack.script('chat.postMessage', { kind: 'lose' });
    const review = await at.open({ queue: 'payments' });
    const message = await at.posted(review.id);
    await settings().route('payments', 'C0PAY', OPERATOR);
    await eventually(async () => (await at.copies(review.id)).length === 1);
    await decide(review);
    await eventually(() => isLocked(message));
    await at.quiet();
    expect(at.inChannel(review.id, 'C0PAY')).toBeUndefined();
  });
});
