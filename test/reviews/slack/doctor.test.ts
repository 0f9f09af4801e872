import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Diagnosis } from '../../../src/ops/doctor/diagnosis.js';
import { SlackConnection } from '../../../src/reviews/channels/slack/inbound/slack-connection.js';
import { SlackSettingsService } from '../../../src/reviews/channels/slack/setup/slack-settings.service.js';
import { SlackWorkspace } from '../../../src/reviews/channels/slack/setup/slack-workspace.js';
import { TokensRevokedEvent } from '../../../src/reviews/channels/slack/setup/token-events.js';
import type { SlackStatus } from '../../../src/reviews/channels/slack/setup/status.view.js';
import { eventually } from '../../support/eventually.js';
import { FakeSlack } from '../../support/slack/fake-slack.js';
import { reviewsApp } from '../app.js';
import { reviewsStage, type ReviewsStage } from '../stage.js';

describe('the doctor of Slack', () => {
  let stage: ReviewsStage;
  let slack: FakeSlack;
  let app: NestFastifyApplication;

  const begin = async (settings: Record<string, string>): Promise<void> => {
    app = (
      await reviewsApp(stage, {
        SLACK_API_URL: slack.apiUrl,
        PUBLIC_URL: 'https://sallyport.example.com',
        ...settings,
      })
    ).app;
  };
  const whole = () => ({
    SLACK_BOT_TOKEN: slack.botToken,
    SLACK_APP_TOKEN: slack.appToken,
    SLACK_CHANNEL: slack.channel,
  });
  beforeEach(async () => {
    stage = await reviewsStage();
    slack = await FakeSlack.start();
    slack.now = () => stage.clock.now();
  });
  afterEach(async () => {
    await app.close();
    await slack.close();
    await stage.close();
  });

  const connected = () =>
    eventually(() => app.get(SlackConnection, { strict: false }).channelHealth().connected, {
      what: 'connected',
    });
  const call = async (method: 'GET' | 'POST', url: string, payload?: object): Promise<unknown> => {
    const response = await app.inject({
      method,
      url,
      headers: { host: '127.0.0.1:8080', 'x-test-user': 'oscar', 'x-test-roles': 'operator' },
      ...(payload !== undefined && { payload }),
    });
    return response.json();
  };
  /** What it says of Slack: status and fact. */
  const examine = async (order: object = {}): Promise<string[]> => {
    // What Slack said of the token stands for some seconds.
    stage.clock.advance(10_000);
    const { diagnoses } = (await call('POST', '/api/v1/doctor', { waitSeconds: 1, ...order })) as {
      diagnoses: Diagnosis[];
    };
    return diagnoses
      .filter(({ check }) => check === 'slack')
      .map(({ status, fact, remedy }) => `${status}: ${fact}${remedy === undefined ? '' : ` > ${remedy}`}`);
  };

  it('says that Slack is not used where nothing of it is set', async () => {
    await begin({});
    expect(await examine()).toEqual(['ok: not used: nothing of Slack is set']);
  });

  it('proves token, scopes, connection, app token and channel, and posts nothing', async () => {
    await begin(whole());
    await connected();
    const said = await examine();
    expect(said.filter((line) => !line.startsWith('warn'))).toMatchObject([
      expect.stringMatching(/^ok: known to .+ as app A/) as string,
      'ok: all 10 scopes are granted',
      'ok: the channel reviews takes messages',
      expect.stringMatching(/^ok: a node is connected; Slack last greeted it at 2026-11-23T/) as string,
      'ok: Slack opens connections for the app token',
    ]);
    expect(slack.messages).toEqual([]);
  });

  it('posts a probe when it is asked to, and takes it away', async () => {
    await begin(whole());
    await connected();
    expect(await examine({ slackProbe: slack.channel })).toContain(
      `ok: a probe was posted to ${slack.channel} and taken away`,
    );
    const posted = slack.calls.filter(({ method }) => method === 'chat.postMessage');
    expect(posted).toHaveLength(1);
    expect(slack.messages).toEqual([]);
    slack.addChannel({ id: 'C0OLD', name: 'old', archived: true });
    expect((await examine({ slackProbe: 'C0OLD' })).at(-1)).toMatch(
      /^fail: no probe could be posted to C0OLD \(is_archived\) > Open the channel again/,
    );
  });

  it('names each thing that does not work, and what mends it', async () => {
    const old = slack.addChannel({ id: 'C0OLD', name: 'old' });
    await begin(whole());
    await connected();
    await app
      .get(SlackSettingsService, { strict: false })
      .route('old', 'C0OLD', { kind: 'user', id: 'ada', name: 'ada', roles: ['admin'], method: 'session' });
    old.archived = true;
    slack.scopes = slack.scopes.filter((scope) => !['users:read.email', 'users:read'].includes(scope));
    slack.script('apps.connections.open', { kind: 'error', error: 'token_revoked' });
    const said = (await examine()).join('\n');
    expect(said).toMatch(/^fail: The channel old is archived\. > Open the channel again/m);
    expect(said).toMatch(/^fail: The scope users:read is missing: nobody can decide in Slack/m);
    expect(said).toMatch(/^warn: The scope users:read\.email is missing: people cannot be proposed/m);
    expect(said).toMatch(
      /^fail: Slack opens no connection for the app token \(token_revoked\) > Make an App/m,
    );
  });

  it('says of HTTP that it needs an https address', async () => {
    await begin({
      SLACK_BOT_TOKEN: slack.botToken,
      SLACK_SIGNING_SECRET: slack.signingSecret,
      SLACK_CHANNEL: slack.channel,
      PUBLIC_URL: 'http://sallyport.example.com',
    });
    expect((await examine()).join('\n')).toMatch(/^fail: Slack posts to https addresses only/m);
  });

  const health = async (): Promise<string> => {
    const { healthResults } = (await call('GET', '/health')) as { healthResults: object[] };
    return JSON.stringify(healthResults);
  };
  const readStatus = async (): Promise<SlackStatus> => {
    stage.clock.advance(10_000);
    return (await call('GET', '/api/v1/slack')) as SlackStatus;
  };

  it('says that bot token and app token are of two apps, although both work', async () => {
    slack.connectAs('A0OTHER');
    await begin(whole());
    await connected();
    const what =
      /app token is of the app A0OTHER and the bot token of A\w+: reviews are posted, and no click/;
    expect(await readStatus()).toMatchObject({
      connected: true,
      missing: [
        {
          what: expect.stringMatching(what),
          remedy: expect.stringMatching(/one and the same app/),
          isNeeded: true,
        },
        {},
      ],
    });
    expect((await examine()).join('\n')).toMatch(/^fail: The app token is of the app A0OTHER/m);
    expect(await health()).toMatch(
      /connected as app A0OTHER, but the bot token is of app A0FAKE: no click arrives/,
    );
    // Told by whichever node is asked.
    await eventually(async () => {
      stage.clock.advance(1_000);
      return (await stage.db.query(`SELECT 1 FROM slack_socket WHERE app_id = 'A0OTHER'`)).length > 0;
    });
    slack.connectAs(slack.workspace.appId);
    slack.dropConnections(true);
    await eventually(
      async () => {
        stage.clock.advance(1_000);
        return (await health()).includes('"connected to ');
      },
      { what: 'connected anew' },
    );
  });

  it('compares nothing where Slack does not tell the bot’s app, and takes a wrong one back once it is mended', async () => {
    slack.scopes = slack.scopes.filter((scope) => scope !== 'users:read');
    slack.connectAs('A0OTHER');
    await begin(whole());
    await connected();
    expect(JSON.stringify(await readStatus())).not.toContain('two apps');
    const appId = async () => (await readStatus()).appId;
    await eventually(async () => (await appId()) === 'A0OTHER');
    slack.connectAs('A0RIGHT');
    slack.dropConnections(true);
    await eventually(async () => (await appId()) === 'A0RIGHT', { what: 'the app that greets now' });
    expect(await health()).not.toContain('no click arrives');
  });

  it.each<[string, () => void, string, RegExp]>([
    [
      'is of no use',
      () =>
        slack.script(
          'apps.connections.open',
          ...Array.from({ length: 9 }, () => ({ kind: 'error', error: 'invalid_auth' }) as const),
        ),
      'invalid_auth',
      /Make an App-Level Token/,
    ],
    ['lacks connections:write', () => slack.appScopes.splice(0), 'missing_scope', /connections:write/],
    [
      'is of an app without Socket Mode',
      () =>
        slack.script(
          'apps.connections.open',
          ...Array.from({ length: 9 }, () => ({ kind: 'error', error: 'socket_mode_not_enabled' }) as const),
        ),
      'socket_mode_not_enabled',
      /Turn Socket Mode on/,
    ],
  ])('says of an app token that %s what mends it, in status and health', async (_, breaks, word, remedy) => {
    breaks();
    await begin(whole());
    await eventually(
      async () => (await readStatus()).missing[0]?.what === `No node is connected to Slack (${word}).`,
    );
    const { missing, lastError } = await readStatus();
    expect([lastError, missing[0]?.isNeeded]).toEqual([word, true]);
    expect(missing[0]?.remedy).toMatch(remedy);
    expect(await health()).toMatch(remedy);
  });

  it('has the workspace marked as broken at once when Slack says that the token is gone', async () => {
    await begin(whole());
    await connected();
    await slack.revoke();
    const broken = async () => ((await call('GET', '/health')) as { healthResults: object[] }).healthResults;
    await eventually(async () => JSON.stringify(await broken()).includes('token_revoked'), {
      what: 'broken in /health',
    });
    stage.clock.advance(10_000);
    const status = (await call('GET', '/api/v1/slack')) as SlackStatus;
    expect(status.missing[0]?.what).toMatch(/bot token is of no use: this token was revoked/);
  });

  it('checks nothing with a token that Slack refuses, says so once, and with the token’s remedy', async () => {
    await begin(whole());
    await connected();
    await examine();
    await slack.revoke();
    const said = (await examine()).filter((line) => !line.includes('linked a Slack account'));
    expect(said.filter((line) => line.startsWith('ok: '))).not.toContainEqual(
      expect.stringMatching(/known to|scopes|channel/),
    );
    expect(said.join('\n')).toMatch(/^fail: The bot token is of no use: this token was revoked/m);
    expect(said).toContain(
      'warn: workspace, scopes and channels were not checked > Set a bot token that Slack takes, then run this again.',
    );
    expect(said.join('\n')).not.toContain('channels:read');
    const status = await readStatus();
    expect(status).toMatchObject({ token: 'refused', channels: [{ isLookedAt: false, trouble: {} }] });
    expect(status.scopes.every(({ isGranted }) => isGranted === null)).toBe(true);
  });

  it.each<[string, () => void, RegExp]>([
    [
      'Slack refuses',
      () =>
        slack.script(
          'auth.test',
          ...Array.from({ length: 9 }, () => ({ kind: 'error', error: 'invalid_auth' }) as const),
        ),
      /bot token is of no use: Slack does not know this token.*Set the new one/,
    ],
    [
      'cannot be tried',
      () =>
        slack.script(
          'auth.test',
          ...Array.from({ length: 9 }, () => ({ kind: 'status', status: 503 }) as const),
        ),
      /Slack does not answer .*tried again by itself/,
    ],
  ])(
    'says in /health of a bot token that %s what is wrong, also where nothing was sent',
    async (_, breaks, said) => {
      breaks();
      await begin({
        SLACK_BOT_TOKEN: slack.botToken,
        SLACK_SIGNING_SECRET: slack.signingSecret,
        SLACK_CHANNEL: slack.channel,
      });
      await eventually(async () => said.test(await health()), { what: 'said in /health' });
    },
  );

  it('believes no late word of a token while the one in use works, and none about tokens of people', async () => {
    await begin(whole());
    await connected();
    const event = app.get(TokensRevokedEvent, { strict: false });
    const home = await app.get(SlackWorkspace, { strict: false }).ask();
    const told = (tokens: object) =>
      event.received(
        { eventId: 'Ev1', type: 'tokens_revoked', body: { type: 'tokens_revoked', tokens } },
        home,
      );
    const broken = () => stage.db.query<{ reason: string }>('SELECT reason FROM slack_broken');
    await told({ bot: [home.botUserId] });
    expect(await broken()).toEqual([]);
    slack.script('auth.test', { kind: 'error', error: 'token_revoked' });
    await told({ oauth: ['U0ALICE'], bot: [] });
    expect(await broken()).toEqual([]);
    await told({ bot: [home.botUserId] });
    expect(await broken()).toEqual([{ reason: 'token_revoked' }]);
  });

  it('marks the workspace as broken when the app is removed from it', async () => {
    await begin(whole());
    await connected();
    await slack.uninstall();
    const broken = () => stage.db.query<{ reason: string }>('SELECT reason FROM slack_broken');
    await eventually(async () => (await broken()).length === 1, { what: 'marked' });
    expect(await broken()).toEqual([{ reason: 'account_inactive' }]);
  });
});
