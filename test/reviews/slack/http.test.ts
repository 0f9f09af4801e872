import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Review } from '../../../src/reviews/review.js';
import { AfterWork } from '../../../src/reviews/channels/slack/inbound/after-work.js';
import type { SlackStatus } from '../../../src/reviews/channels/slack/setup/status.view.js';
import { DECIDE_VIEW } from '../../../src/reviews/channels/slack/answers/decide/decide-view.js';
import { eventually } from '../../support/eventually.js';
import { FakeSlack } from '../../support/slack/fake-slack.js';
import { reviewsStage } from '../stage.js';
import { alice, asForm, clickOn, inboundStage, post, type InboundStage } from './inbound-stage.js';

describe('what Slack posts', () => {
  let here: InboundStage;
  let review: Review;

  beforeEach(async () => {
    here = await inboundStage('http');
    review = await here.stage.open();
  });
  afterEach(() => here.close());

  const claimed = () =>
    eventually(async () => (await here.stage.reviews.get(review.id)).state === 'CLAIMED', {
      what: 'claimed',
    });

  it('is taken when it is signed: a click over HTTP does what it does over the socket', async () => {
    const answer = await post(here, 'interactions', asForm(clickOn(here, review)));
    expect([answer.statusCode, answer.body]).toEqual([200, '']);
    await claimed();
    expect((await here.stage.reviews.get(review.id)).claim?.by.id).toBe('alice');
    expect(
      (
        await here.app.inject({
          method: 'GET',
          url: '/slack/interactions',
          headers: { host: '127.0.0.1:8080' },
        })
      ).statusCode,
    ).toBe(404);
  });

  it('is answered for a form with what is wrong in it, and with nothing when it is decided', async () => {
    const submission = (text: string) => ({
      type: 'view_submission',
      team: { id: here.slack.teamId },
      user: { id: alice.id, team_id: here.slack.teamId },
      api_app_id: here.slack.workspace.appId,
      view: {
        id: 'V1',
        callback_id: DECIDE_VIEW,
        private_metadata: JSON.stringify({
          reviewId: review.id,
          digest: review.subjectDigest,
          outcome: 'release',
        }),
        state: { values: { reason: { text: { type: 'plain_text_input', value: text } } } },
      },
    });
    const empty = await post(here, 'interactions', asForm(submission(' ')));
    expect(empty.statusCode).toBe(200);
    expect(JSON.parse(empty.body)).toMatchObject({ response_action: 'errors' });
    const decided = await post(here, 'interactions', asForm(submission('our own test file')));
    expect([decided.statusCode, decided.body]).toEqual([200, '']);
    expect((await here.stage.reviews.get(review.id)).decision).toMatchObject({
      by: { id: 'alice' },
      via: 'slack',
    });
  });

  const SECONDS = 1000;
  it.each<[string, (body: string) => Record<string, string>]>([
    ['without a signature', (body) => ({ ...here.slack.sign(body), 'x-slack-signature': '' })],
    ['without its headers', () => ({})],
    [
      'without a timestamp',
      (body) => ({ 'x-slack-signature': here.slack.sign(body)['x-slack-signature'] ?? '' }),
    ],
    ['signed with another secret', (body) => here.slack.sign(body, undefined, 'another secret')],
    ['signed for another body', () => here.slack.sign('payload=%7B%7D')],
    ['that is stale', (body) => here.slack.sign(body, Math.floor(here.stage.clock.now() / SECONDS) - 301)],
    ['from the future', (body) => here.slack.sign(body, Math.floor(here.stage.clock.now() / SECONDS) + 301)],
    [
      'signed twice',
      (body) => {
        const { 'x-slack-signature': signature = '' } = here.slack.sign(body);
        return { ...here.slack.sign(body), 'x-slack-signature': `${signature}, ${signature}` };
      },
    ],
  ])('is refused with 401 %s, and changes nothing', async (_, headers) => {
    const before = await here.facts();
    const body = asForm(clickOn(here, review));
    const answer = await post(here, 'interactions', body, headers(body));
    expect(answer.statusCode).toBe(401);
    expect(answer.body).not.toMatch(/timestamp|secret|hmac/i);
    expect(await here.facts()).toEqual(before);
    expect(here.slack.calls.filter(({ method }) => method.startsWith('views.'))).toEqual([]);
  });

  it.each<[string, () => Record<string, unknown>]>([
    ['another workspace', () => ({ team: { id: 'T0OTHER' }, user: { id: alice.id, team_id: 'T0OTHER' } })],
    ['another workspace, in the name of a person of ours', () => ({ team: { id: 'T0OTHER' } })],
    ['no workspace', () => ({ team: null })],
    ['another organisation', () => ({ team: null, enterprise: { id: 'E0OTHER' } })],
    ['another app', () => ({ api_app_id: 'A0OTHER' })],
  ])('is refused with 401 for %s, and changes nothing', async (_, more) => {
    const before = await here.facts();
    const answer = await post(here, 'interactions', asForm(clickOn(here, review, more())));
    expect(answer.statusCode).toBe(401);
    expect(await here.facts()).toEqual(before);
    expect(here.slack.whispers).toEqual([]);
  });

  it('is refused with 401 for an event and a command of another workspace or app', async () => {
    const { appId, teamId } = here.slack.workspace;
    const event = (more: object) =>
      JSON.stringify({
        type: 'event_callback',
        event_id: 'Ev1',
        team_id: teamId,
        api_app_id: appId,
        event: { type: 'user_change', user: { id: alice.id, team_id: teamId, deleted: true } },
        ...more,
      });
    const before = await here.facts();
    for (const more of [{ team_id: 'T0OTHER' }, { api_app_id: 'A0OTHER' }])
      expect((await post(here, 'events', event(more))).statusCode).toBe(401);
    const command = (more: Record<string, string>): string =>
      new URLSearchParams({
        command: '/sallyport',
        user_id: alice.id,
        team_id: teamId,
        channel_id: here.slack.channel,
        api_app_id: appId,
        ...more,
      }).toString();
    for (const more of [{ team_id: 'T0OTHER' }, { api_app_id: 'A0OTHER' }])
      expect((await post(here, 'commands', command(more))).statusCode).toBe(401);
    expect(await here.facts()).toEqual(before);
  });

  it.each<[string, Record<string, unknown>]>([
    [
      'a channel',
      { type: 'message', channel: 'C\u0000', user: alice.id, ts: '2.1', thread_ts: '1.1', text: 'x' },
    ],
    [
      'the channel of a removal',
      { type: 'message', subtype: 'message_deleted', channel: 'C\u0000', deleted_ts: '2.1' },
    ],
    [
      'who wrote',
      { type: 'message', channel: 'C0', user: 'U\u0000', ts: '2.1', thread_ts: '1.1', text: 'x' },
    ],
    ['an account', { type: 'user_change', user: { id: 'U\u0000', team_id: 'T0HOME', deleted: true } }],
    ['who opened Home', { type: 'app_home_opened', user: 'U\u0000', tab: 'home' }],
  ])('is ignored as an event in which an id has what no id has: %s', async (_, event) => {
    const before = await here.facts();
    const body = JSON.stringify({
      type: 'event_callback',
      event_id: 'EvOdd',
      team_id: here.slack.workspace.teamId,
      api_app_id: here.slack.workspace.appId,
      event,
    });
    expect((await post(here, 'events', body)).statusCode).toBe(200);
    expect(await here.facts()).toEqual(before);
  });

  it('is refused with 401 when it comes a second time, on another node too, and does nothing again', async () => {
    const body = asForm(clickOn(here, review));
    const headers = here.slack.sign(body);
    expect((await post(here, 'interactions', body, headers)).statusCode).toBe(200);
    await claimed();
    await here.stage.reviews.act(review.id, { kind: 'release' }, { ...(await who()), via: 'web' });
    const before = await here.facts();
    expect((await post(here, 'interactions', body, headers)).statusCode).toBe(401);
    const other = await inboundStage('http', {}, here);
    try {
      expect((await post(other, 'interactions', body, headers)).statusCode).toBe(401);
    } finally {
      await other.close();
    }
    expect(await here.facts()).toEqual(before);
    expect((await here.stage.reviews.get(review.id)).state).toBe('OPEN');
  });

  const who = async () => ({
    id: 'alice',
    name: 'Alice',
    isAdmin: false,
    via: 'web' as const,
    method: 'session',
  });

  it.each<[string, 'interactions' | 'commands' | 'events', string]>([
    ['no payload', 'interactions', 'a=b'],
    ['an empty body', 'interactions', ''],
    ['a payload that is no JSON', 'interactions', 'payload=%7B'],
    ['a payload of no type', 'interactions', 'payload=%7B%7D'],
    ['a payload that is no object', 'interactions', 'payload=7'],
    ['a click without actions', 'interactions', asForm({ type: 'block_actions', user: { id: 'U1' } })],
    [
      'a click by nobody',
      'interactions',
      asForm({ type: 'block_actions', trigger_id: 't', actions: [{ action_id: 'review.claim' }] }),
    ],
    [
      'an account that is no id',
      'interactions',
      asForm({
        type: 'block_actions',
        trigger_id: 't',
        user: { id: 'U\u0000' },
        actions: [{ action_id: 'a' }],
      }),
    ],
    ['a form without a view', 'interactions', asForm({ type: 'view_submission', user: { id: 'U1' } })],
    ['a command without a name', 'commands', 'text=list'],
    ['an event that is no JSON', 'events', '{'],
    ['an event that is a list', 'events', '[]'],
    ['an event that is null', 'events', 'null'],
    ['an event without an id', 'events', JSON.stringify({ type: 'event_callback', team_id: 'T0HOME' })],
    ['deep nesting', 'events', '['.repeat(10_000) + ']'.repeat(10_000)],
  ])('is refused with 400 for %s, though it is signed', async (_, route, body) => {
    const before = await here.facts();
    expect((await post(here, route, body)).statusCode).toBe(400);
    expect(await here.facts()).toEqual(before);
  });

  it('is refused with 413 when it is larger than what Slack sends', async () => {
    const body = `payload=${'x'.repeat(1024 * 1024)}`;
    expect((await post(here, 'interactions', body)).statusCode).toBe(413);
  });

  it('proves the address only to whoever knows the secret', async () => {
    const body = JSON.stringify({ type: 'url_verification', challenge: 'c-1', token: 'legacy' });
    const proved = await post(here, 'events', body);
    expect([proved.statusCode, JSON.parse(proved.body)]).toEqual([200, { challenge: 'c-1' }]);
    const unsigned = await post(here, 'events', body, {});
    expect(unsigned.statusCode).toBe(401);
    expect(unsigned.body).not.toContain('c-1');
  });

  it('is ignored with 200 when it is of a kind that nobody takes', async () => {
    const before = await here.facts();
    const closed = { type: 'view_closed', team: { id: here.slack.teamId }, user: { id: alice.id }, view: {} };
    expect((await post(here, 'interactions', asForm(closed))).statusCode).toBe(200);
    const event = {
      type: 'event_callback',
      event_id: 'Ev9',
      team_id: here.slack.teamId,
      event: { type: 'emoji_changed' },
    };
    expect((await post(here, 'events', JSON.stringify(event))).statusCode).toBe(200);
    expect(await here.facts()).toEqual(before);
  });

  it('is answered with 503 when too many clicks wait to be done, and taken when it is sent again', async () => {
    const after = here.app.get(AfterWork, { strict: false });
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    while (!after.isFull) after.begin(() => finished);
    const body = asForm(clickOn(here, review));
    const headers = here.slack.sign(body);
    expect((await post(here, 'interactions', body, headers)).statusCode).toBe(503);
    finish();
    await eventually(() => !after.isFull);
    expect((await post(here, 'interactions', body, headers)).statusCode).toBe(200);
    await claimed();
  });

  it('may be signed with either secret while one replaces the other', async () => {
    await here.close();
    here = await inboundStage('http');
    review = await here.stage.open();
    const other = await inboundStage(
      'http',
      { SLACK_SIGNING_SECRET: `the next one, ${here.slack.signingSecret}` },
      here,
    );
    try {
      for (const secret of ['the next one', here.slack.signingSecret]) {
        const body = asForm(clickOn(here, review, { trigger_id: `t-${secret.length}` }));
        const answer = await post(other, 'interactions', body, here.slack.sign(body, undefined, secret));
        expect(answer.statusCode).toBe(200);
      }
    } finally {
      await other.close();
    }
  });

  it('is taken from the real delivery of the stand-in: a click, a form, and events told again until they are taken', async () => {
    const server = here.app.getHttpServer();
    await here.app.listen(0, '127.0.0.1');
    const { port } = server.address() as { port: number };
    const at = (route: string): string => `http://127.0.0.1:${port}/slack/${route}`;
    here.slack.useHttp({
      interactionsUrl: at('interactions'),
      commandsUrl: at('commands'),
      eventsUrl: at('events'),
    });
    expect(await here.slack.verifyUrl()).toBe(true);
    expect(await here.slack.deliver(clickOn(here, review))).toEqual({});
    await claimed();
  });
});

describe('the home of the app', () => {
  it('is waited for with 503 while nobody knows it, and known from then on though Slack is silent', async () => {
    const stage = await reviewsStage();
    const slack = await FakeSlack.start();
    const here = await inboundStage('http', {}, { stage, slack });
    try {
      const review = await stage.open();
      slack.script('auth.test', { kind: 'status', status: 503 }, { kind: 'status', status: 503 });
      const body = asForm(clickOn(here, review));
      const headers = slack.sign(body);
      const first = await post(here, 'interactions', body, headers);
      expect(first.statusCode).toBe(503);
      stage.clock.advance(20_000);
      expect((await post(here, 'interactions', body, headers)).statusCode).toBe(503);
      stage.clock.advance(20_000);
      // Nothing was lost: the same request is taken now.
      expect((await post(here, 'interactions', body, headers)).statusCode).toBe(200);
      await eventually(async () => (await stage.reviews.get(review.id)).state === 'CLAIMED');

      slack.script(
        'auth.test',
        ...Array.from({ length: 20 }, () => ({ kind: 'status', status: 503 }) as const),
      );
      const other = await inboundStage('http', {}, { stage, slack });
      const again = asForm(clickOn(here, review));
      expect((await post(other, 'interactions', again)).statusCode).toBe(200);
      await other.close();
    } finally {
      await here.close();
      await slack.close();
      await stage.close();
    }
  });

  it('is asked of nobody who has no signing secret: the routes are not there', async () => {
    const here = await inboundStage('socket');
    try {
      const review = await here.stage.open();
      const body = asForm(clickOn(here, review));
      const answer = await post(here, 'interactions', body);
      expect(answer.statusCode).toBe(404);
      expect(answer.body).toContain('SLACK_SIGNING_SECRET');
      expect((await here.stage.reviews.get(review.id)).state).toBe('OPEN');
    } finally {
      await here.close();
    }
  });
});

describe('requests that another secret signed', () => {
  let here: InboundStage;
  beforeEach(async () => {
    here = await inboundStage('http', { PUBLIC_URL: 'https://sallyport.example.com' });
  });
  afterEach(() => here.close());

  const say = async (secret: string, n: number): Promise<number> => {
    const body = asForm({ type: 'block_actions', n });
    const { statusCode } = await post(here, 'interactions', body, here.slack.sign(body, undefined, secret));
    return statusCode;
  };
  const get = async (url: string): Promise<string> => {
    // What Slack said of the token stands for some seconds.
    here.stage.clock.advance(10_000);
    const headers = { host: '127.0.0.1:8080', 'x-test-user': 'oscar', 'x-test-roles': 'operator' };
    return (await here.app.inject({ method: 'GET', url, headers })).body;
  };
  const missing = async () =>
    (JSON.parse(await get('/api/v1/slack')) as SlackStatus).missing.filter(({ what }) =>
      what.includes('SLACK_SIGNING_SECRET'),
    );
  const health = async () =>
    (
      JSON.parse(await get('/health')) as {
        healthResults: { name: string; healthy: boolean; details: { degraded?: boolean; detail: string } }[];
      }
    ).healthResults.find(({ name }) => name === 'slack');

  it('are told with how many they were, and what mends it, for ten minutes', async () => {
    for (let n = 0; n < 3; n++) expect(await say('the wrong one', n)).toBe(401);
    expect(await missing()).toEqual([
      {
        what: '3 requests to /slack/… came in the last ten minutes with a signature that does not match the signing secret (set on the page Slack or as SLACK_SIGNING_SECRET), and none with one that does.',
        remedy: expect.stringMatching(/Basic Information.*Anybody can send such requests/),
        isNeeded: false,
      },
    ]);
    expect(await health()).toMatchObject({ healthy: true, details: { degraded: true } });
    here.stage.clock.advance(11 * 60_000);
    expect(await missing()).toEqual([]);
    expect((await health())?.details.degraded).toBeUndefined();
  });

  it('are of no interest once one request fits, or where they carry no signature at all', async () => {
    const body = asForm({ type: 'block_actions' });
    expect((await post(here, 'interactions', body, {})).statusCode).toBe(401);
    expect(await missing()).toEqual([]);
    expect(await say('the wrong one', 1)).toBe(401);
    expect(await missing()).toHaveLength(1);
    await say(here.slack.signingSecret, 2);
    expect(await missing()).toEqual([]);
    expect((await health())?.details.degraded).toBeUndefined();
  });

  it('are counted on whichever node they come in, and leave little behind however many they are', async () => {
    const other = await inboundStage('http', {}, here);
    for (let n = 0; n < 500; n++) {
      const body = asForm({ type: 'block_actions', n });
      await post(other, 'interactions', body, here.slack.sign(body, undefined, 'garbage'));
    }
    expect(await missing()).toHaveLength(1);
    const rows = await here.stage.db.query('SELECT * FROM slack_signature');
    expect(rows.length).toBeLessThanOrEqual(2);
    await other.close();
  });
});
