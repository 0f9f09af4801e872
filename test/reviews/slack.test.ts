import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SlackHealth } from '../../src/reviews/channels/slack/inbound/slack-health.js';
import { SlackConnection } from '../../src/reviews/channels/slack/inbound/slack-connection.js';
import { bindSlackPerson } from '../../src/reviews/channels/slack/sql/identities.js';
import { eventually } from '../support/eventually.js';
import { buttonsOf, FakeSlack, textOf, type FakeMessage } from '../support/slack/fake-slack.js';
import { reviewsApp } from './app.js';
import { confirmLink, openLink } from './slack/linking.js';
import { exampleSubject, person, reviewsStage, type ReviewsStage } from './stage.js';

const alice = { id: 'U0ALICE', name: 'alice.w' };
const bob = { id: 'U0BOB', name: 'bob.k' };
const APPROVE = 'review.decide:release';
const REJECT = 'review.decide:delete';

describe('a review in Slack', () => {
  let stage: ReviewsStage;
  let slack: FakeSlack;
  let app: NestFastifyApplication;
  let open: () => Promise<string>;
  let ticking: NodeJS.Timeout;

  beforeEach(async () => {
    stage = await reviewsStage();
    slack = await FakeSlack.start();
    slack.now = () => stage.clock.now();
    const built = await reviewsApp(stage, {
      SLACK_BOT_TOKEN: slack.botToken,
      SLACK_APP_TOKEN: slack.appToken,
      SLACK_CHANNEL: slack.channel,
      SLACK_API_URL: slack.apiUrl,
    });
    app = built.app;
    open = async () => {
      const task = stage.engine.add({
        title: 'Release or delete?',
        scanId: '0d2f5f0e-0000-4000-8000-0000000000aa',
        verdict: 'secrets',
        reason: 'secrets_found',
        outcomes: ['release', 'delete'],
      });
      await built.worker.execute(task, { signal: new AbortController().signal, log: () => undefined });
      const [row] = await stage.db.query<{ id: string }>('SELECT id FROM review WHERE task_id = $1', [
        task.taskId,
      ]);
      return row?.id ?? '';
    };
    const connection = app.get(SlackConnection, { strict: false });
    await eventually(() => connection.channelHealth().connected, { what: 'connected to Slack' });
    for (const [userId, id] of [
      [alice.id, 'alice'],
      [bob.id, 'bob'],
    ] as const)
      await bindSlackPerson(stage.db, { teamId: slack.teamId, userId }, { id, name: id }, 1);
    // The service's clock runs, a hundred times as fast as ours.
    ticking = setInterval(() => stage.clock.advance(100), 1);
  });
  afterEach(async () => {
    clearInterval(ticking);
    await app.close();
    await slack.close();
    await stage.close();
  });

  const posted = (id: string): Promise<FakeMessage> =>
    eventually(() => slack.messages.find((message) => JSON.stringify(message.metadata).includes(id)), {
      what: 'a message in Slack',
    });
  const locked = (message: FakeMessage) =>
    eventually(() => buttonsOf(message.blocks).every((button) => button['url'] !== undefined), {
      what: 'no more buttons that decide',
    });

  it('is one message with evidence, Approve and Reject, and is decided in a form with a reason', async () => {
    const id = await open();
    const message = await posted(id);
    expect(textOf(message.blocks)).toContain('Secrets found');
    expect(textOf(message.blocks)).toContain('AKIA************');
    expect(buttonsOf(message.blocks).map((button) => textOf(button))).toEqual([
      'Release',
      'Delete',
      'Claim',
      'More…',
      'Open',
    ]);

    await slack.click(message, APPROVE, alice);
    await eventually(() => slack.views.has(alice.id));
    expect((await stage.reviews.get(id)).state).toBe('OPEN');
    expect(await slack.submit(alice, { reason: { text: '  ' } })).toMatchObject({
      response_action: 'errors',
    });
    expect(await slack.submit(alice, { reason: { text: 'our own test file' } })).toEqual({});

    expect(await stage.reviews.get(id)).toMatchObject({
      decision: {
        outcome: 'release',
        by: { id: 'alice', name: 'Alice' },
        via: 'slack',
        reason: 'our own test file',
      },
    });
    await locked(message);
    expect(textOf(message.blocks)).toMatch(/Release: decided by Alice/);
    expect(message.text).not.toContain('a decision is needed');
    await eventually(() => stage.engine.updates.length === 1);
    expect(slack.messages).toHaveLength(1);
  });

  it('is locked in Slack when somebody decided on the web, and a modal still open is told who won', async () => {
    const id = await open();
    const message = await posted(id);
    await slack.click(message, REJECT, bob);
    await eventually(() => slack.views.has(bob.id));
    const decided = await app.inject({
      method: 'POST',
      url: `/api/v1/reviews/${id}/decide`,
      headers: { host: '127.0.0.1:8080', 'x-test-user': 'alice' },
      payload: { outcome: 'release', reason: 'fine' },
    });
    expect(decided.statusCode).toBe(200);
    const answer = await slack.submit(bob, { reason: { text: 'no' } });
    expect(answer['response_action']).toBe('update');
    expect(textOf(answer['view'])).toMatch(/Alice already chose “Release”/);
    await locked(message);
  });

  it('tells a late click who decided, and nobody else', async () => {
    const id = await open();
    const message = await posted(id);
    const before: FakeMessage = { ...message, blocks: [...message.blocks] };
    await stage.reviews.act(id, { kind: 'decide', outcome: 'delete', reason: '' }, person('alice'));
    await slack.click(before, APPROVE, bob);
    const whisper = await eventually(() => slack.whispers.at(-1));
    expect(whisper).toMatchObject({ user: bob.id });
    expect(whisper.text).toMatch(/Alice already chose “Delete”/);
    expect(slack.views.size).toBe(0);
  });

  it('decides nothing for an account that nobody linked, and gives it a link that works once', async () => {
    const id = await open();
    const message = await posted(id);
    const carol = { id: 'U0CAROL', name: 'carol' };
    stage.reviewers.people = [...stage.reviewers.people, { personId: 'carol', name: 'Carol' }];
    await slack.click(message, APPROVE, carol);
    const whisper = await eventually(() => slack.whispers.at(-1));
    expect(whisper.user).toBe('U0CAROL');
    expect(slack.views.size).toBe(0);
    expect((await stage.reviews.get(id)).state).toBe('OPEN');

    const link = String(buttonsOf(whisper.blocks)[0]?.['url']);
    const headers = { host: '127.0.0.1:8080' };
    expect((await openLink(app, link, headers)).status).toBe(303);
    const asCarol = { ...headers, 'x-test-user': 'carol' };
    for (let scan = 0; scan < 2; scan++) {
      const page = await openLink(app, link, asCarol);
      expect(page.status).toBe(200);
      expect(page.body).toContain('U0CAROL');
    }
    expect((await confirmLink(app, link, asCarol)).status).toBe(200);
    expect((await confirmLink(app, link, asCarol)).status).toBe(404);

    await slack.click(message, APPROVE, carol);
    await eventually(() => slack.views.has('U0CAROL'));
    await slack.submit(carol, { reason: { text: 'ok' } });
    expect((await stage.reviews.get(id)).decision?.by.id).toBe('carol');
  });

  it('is not answered by people of another workspace, nor by one who is no reviewer any more', async () => {
    const id = await open();
    const message = await posted(id);
    await slack.click(message, APPROVE, { id: 'U0STRANGER', name: 'alice.w', teamId: 'T0OTHER' });
    await eventually(() => slack.whispers.length === 1);
    stage.reviewers.people = [];
    await slack.click(message, APPROVE, alice);
    await eventually(() => slack.whispers.length === 2);
    expect(slack.whispers.map((whisper) => whisper.text)).toEqual([
      expect.stringContaining('Only people of this workspace'),
      expect.stringContaining('may not decide'),
    ]);
    expect(slack.views.size).toBe(0);
    expect((await stage.reviews.get(id)).state).toBe('OPEN');
  });

  it('is claimed from Slack, and the others see by whom', async () => {
    const id = await open();
    const message = await posted(id);
    await slack.click(message, 'review.claim', alice);
    await eventually(() => textOf(message.blocks).includes('Claimed by *Alice*'));
    await slack.click(message, APPROVE, bob);
    await eventually(() => slack.whispers.some((whisper) => /Alice claimed this review/.test(whisper.text)));
    expect((await stage.reviews.get(id)).state).toBe('CLAIMED');
  });

  it('appears once although the answer to its posting was lost', async () => {
    slack.script('chat.postMessage', { kind: 'lose' });
    const id = await open();
    await posted(id);
    await eventually(async () => {
      const rows = await stage.db.query(`SELECT 1 FROM outbox WHERE kind = 'slack.post' AND state = 'sent'`);
      return rows.length === 1;
    });
    expect(slack.messages).toHaveLength(1);
    expect(slack.calls.filter(({ method }) => method === 'chat.postMessage')).toHaveLength(1);
    expect(slack.calls.some(({ method }) => method === 'conversations.history')).toBe(true);
  });

  it('survives refusals, troubles of Slack and its pace, and every review is posted once', async () => {
    slack.script(
      'chat.postMessage',
      { kind: 'rateLimited', retryAfter: 2 },
      { kind: 'status', status: 503 },
      { kind: 'error', error: 'not_in_channel' },
    );
    const ids = await Promise.all(Array.from({ length: 6 }, open));
    await eventually(() => slack.messages.length === ids.length, { timeoutMs: 40_000, what: 'all messages' });
    const shown = slack.messages.map((message) => JSON.stringify(message.metadata));
    for (const id of ids) expect(shown.filter((metadata) => metadata.includes(id))).toHaveLength(1);
  }, 60_000);

  it('shows a hostile name as a name', async () => {
    stage.evidence.subject = exampleSubject(
      '<!channel> `*evil*` <https://evil.example|click> @here \u202egpj.exe',
    );
    const message = await posted(await open());
    const all = `${message.text}\n${textOf(message.blocks)}`;
    expect(all).not.toMatch(/<(?!!date\^)/);
    expect(all).not.toContain('\u202e');
    expect(all).toContain('&lt;!channel&gt;');
    expect(all).not.toContain('https://evil');
  });

  it('comes back when Slack recycles or drops the connection', async () => {
    const connection = app.get(SlackConnection, { strict: false });
    for (const abruptly of [false, true]) {
      slack.dropConnections(abruptly);
      await eventually(() => !connection.channelHealth().connected || slack.connections === 0);
      await eventually(() => connection.channelHealth().connected && slack.connections === 1);
    }
    expect(await app.get(SlackHealth, { strict: false }).check()).toMatchObject([
      { healthy: true, detail: expect.stringContaining('connected to Home') },
    ]);
  });
});

describe('Slack that cannot be reached', () => {
  it('does not keep the service from starting, deciding and stopping', async () => {
    const stage = await reviewsStage();
    const { app } = await reviewsApp(stage, {
      SLACK_BOT_TOKEN: `xoxb-${'0'.repeat(12)}`,
      SLACK_APP_TOKEN: `xapp-${'0'.repeat(12)}`,
      SLACK_CHANNEL: 'C1',
      SLACK_API_URL: 'http://127.0.0.1:9/api/',
    });
    const connection = app.get(SlackConnection, { strict: false });
    await eventually(() => connection.channelHealth().lastError);
    expect(await app.get(SlackHealth, { strict: false }).check()).toMatchObject([
      { healthy: true, degraded: true },
    ]);
    const review = await stage.open();
    await stage.reviews.act(review.id, { kind: 'decide', outcome: 'delete', reason: '' }, person('alice'));
    await app.close();
    await stage.close();
  });
});
