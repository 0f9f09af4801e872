import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TaskDef, WorkflowDef } from '../../../src/engine/model/definition.js';
import type { AppManifest } from '../../../src/reviews/channels/slack/setup/manifest.js';
import type { SlackStatus } from '../../../src/reviews/channels/slack/setup/status.view.js';
import { eventually } from '../../support/eventually.js';
import { FakeSlack } from '../../support/slack/fake-slack.js';
import { looseCalls } from '../../support/slack/literal.js';
import { reviewsApp } from '../app.js';
import { GivenMetadata } from '../given-metadata.js';
import { reviewsStage, type ReviewsStage } from '../stage.js';

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

describe('the set-up of Slack over HTTP', () => {
  let stage: ReviewsStage;
  let slack: FakeSlack;
  let app: NestFastifyApplication;
  let metadata: GivenMetadata;

  beforeEach(async () => {
    stage = await reviewsStage();
    slack = await FakeSlack.start();
    slack.now = () => stage.clock.now();
    slack.addChannel({ id: 'C0PAY', name: 'payments', botIsMember: false });
    slack.addChannel({ id: 'G0VAULT', name: 'vault', isPrivate: true });
    slack.addChannel({ id: 'C0OLD', name: 'old', archived: true });
    metadata = new GivenMetadata();
    const settings = { SLACK_API_URL: slack.apiUrl, PUBLIC_URL: 'https://sallyport.example.com' };
    app = (await reviewsApp(stage, settings, { metadata })).app;
  });
  afterEach(async () => {
    await app.close();
    await slack.close();
    expect(looseCalls(slack.calls)).toEqual([]);
    await stage.close();
  });

  async function call(method: Method, path: string, body?: object, roles = 'admin') {
    const { statusCode, payload } = await app.inject({
      method,
      url: `/api/v1/slack${path}`,
      headers: { host: '127.0.0.1:8080', 'x-test-user': 'ada', 'x-test-roles': roles },
      ...(body !== undefined && { payload: body }),
    });
    const json: unknown = payload === '' ? undefined : JSON.parse(payload);
    return { status: statusCode, body: json, text: payload };
  }
  const read = async (): Promise<SlackStatus> => {
    // What Slack said stands for some seconds, and what channels are for a minute.
    stage.clock.advance(60_000);
    return (await call('GET', '')).body as SlackStatus;
  };
  const setUp = () =>
    call('PUT', '', {
      botToken: slack.botToken,
      appToken: slack.appToken,
      channel: slack.channel,
    });
  const detail = ({ body }: { body: unknown }): string => (body as { detail: string }).detail;
  const whats = ({ missing }: SlackStatus): string[] => missing.map(({ what }) => what);

  it('says what a service without any Slack needs, each with its remedy', async () => {
    const status = await read();
    expect(status).toMatchObject({
      isOn: false,
      transport: null,
      connected: null,
      team: null,
      channels: [],
      digests: { daily: '09:00 on working days', weekly: '09:00 on Mondays', timeZone: 'UTC' },
    });
    expect(whats(status)).toEqual([
      'There is no bot token.',
      'Nothing comes in: there is neither an app token (Socket Mode) nor a signing secret (HTTP).',
      'There is no channel to post to.',
    ]);
    for (const { remedy } of status.missing) expect(remedy).toMatch(/SLACK_/);
  });

  it('refuses what takes a bot token while there is none, and says so', async () => {
    for (const [method, path, body] of [
      ['GET', '/channels'],
      ['GET', '/proposals'],
      ['POST', '/proposals', {}],
    ] as const) {
      const refused = await call(method, path, body, 'operator');
      expect(refused, path).toMatchObject({ status: 409 });
      expect(detail(refused), path).toMatch(/no bot token\. Set it first/);
    }
  });

  it('says in /health what a set-up in part is missing, and starts all the same', async () => {
    const slackHealth = async () => {
      const { payload } = await app.inject({ url: '/health', headers: { host: '127.0.0.1:8080' } });
      const { healthResults } = JSON.parse(payload) as {
        healthResults: { name: string; details: { detail: string } }[];
      };
      return healthResults.filter(({ name }) => name === 'slack_setup');
    };
    expect(await slackHealth()).toEqual([]);
    await call('PUT', '', { botToken: slack.botToken });
    expect(JSON.stringify(await slackHealth())).toMatch(/Nothing comes in.*no channel to post to/);
    await setUp();
    expect(await slackHealth()).toEqual([]);
  });

  it('shows of tokens only what they are, their last four characters and who set them when', async () => {
    const { status, text, body } = await setUp();
    const { settings, team } = body as SlackStatus;
    expect(status).toBe(200);
    for (const secret of [slack.botToken, slack.appToken]) expect(text).not.toContain(secret.slice(0, -4));
    expect(settings.botToken).toMatchObject({
      isSet: true,
      from: 'stored',
      hint: slack.botToken.slice(-4),
      setBy: 'ada',
      setAt: '2026-11-23T09:00:00.000Z',
    });
    expect(team).toMatchObject({ id: slack.teamId });
  });

  it('names the field of what cannot be taken, and repeats nothing of it', async () => {
    const wrong = `xoxp-${randomBytes(12).toString('hex')}`;
    const { status, text } = await call('PUT', '', { botToken: wrong });
    expect(status).toBe(400);
    expect(text).toMatch(/botToken.*must begin with xoxb-/);
    expect(text).not.toContain(wrong);
    expect((await call('PUT', '', {})).status).toBe(400);
    expect((await call('PUT', '', { token: 'x' })).status).toBe(400);
    expect(detail(await call('PUT', '', { channel: '#reviews' }))).toMatch(/^channel: must be the id/);
    expect(detail(await call('PUT', '/channels/payments', { channel: 'payments' }))).toMatch(/^channel:/);
  });

  it('is changed by operators but for secrets, read by auditors, and nobody else’s', async () => {
    expect((await call('GET', '', undefined, 'auditor')).status).toBe(200);
    expect((await call('GET', '', undefined, 'analyst')).status).toBe(403);
    expect((await call('PUT', '', { channel: 'C0PAY' }, 'auditor')).status).toBe(403);
    expect((await call('PUT', '', { botToken: slack.botToken }, 'operator')).status).toBe(403);
    expect((await call('PUT', '', { channel: 'C0PAY' }, 'operator')).status).toBe(200);
  });

  it('warns where nothing sends reviews to a queue yet, and refuses a name that none can have', async () => {
    await setUp();
    const shipped = readFileSync(new URL('../../../workflows/finding_review.json', import.meta.url), 'utf8');
    metadata.workflows = [WorkflowDef.parse(JSON.parse(shipped))];
    metadata.tasks = [TaskDef.parse({ name: 'ask_legal', inputTemplate: { queue: 'legal' } })];
    const warning = async (queue: string) =>
      (
        (await call('PUT', `/channels/${queue}`, { channel: slack.channel })).body as {
          warning: string | null;
        }
      ).warning;
    expect(await warning('finding')).toMatch(
      /^Nothing sends reviews to the queue finding yet: .*known are default, findings, legal, remedies\)/,
    );
    // As a definition has it, deep inside or in a template, the one of questions that name none, and one with reviews.
    for (const known of ['findings', 'remedies', 'legal', 'default']) expect(await warning(known)).toBeNull();
    expect(await warning('uploads')).not.toBeNull();
    await stage.open({ queue: 'uploads' });
    expect(await warning('uploads')).toBeNull();
    const refused = await call('PUT', '/channels/pay%20ments', { channel: slack.channel });
    expect([refused.status, detail(refused)]).toEqual([
      400,
      expect.stringMatching(/queue.*may hold letters, digits/),
    ]);
  });

  it('tells each missing scope with what does not work without it', async () => {
    slack.scopes = ['chat:write', 'channels:read', 'commands'];
    await setUp();
    const status = await read();
    expect(status.scopes.filter(({ isGranted }) => isGranted).map(({ scope }) => scope)).toEqual([
      'chat:write',
      'commands',
      'channels:read',
    ]);
    expect(whats(status)).toContain(
      'The scope im:write is missing: nobody is told in a direct message what is given to them.',
    );
    // An optional one is no fault.
    expect(whats(status).join()).not.toContain('chat:write.public');
  });

  it('says of each channel whose reviews go there, and what keeps it from taking them', async () => {
    await setUp();
    slack.scopes = slack.scopes.filter((scope) => scope !== 'chat:write.public');
    expect((await call('PUT', '/channels/payments', { channel: 'C0PAY' })).body).toEqual({
      queue: 'payments',
      channel: 'C0PAY',
      channelName: 'payments',
      warning: expect.stringContaining('the queue payments yet') as string,
    });
    expect(detail(await call('PUT', '/channels/old', { channel: 'C0OLD' }))).toMatch(
      /^channel: the channel is archived/,
    );
    expect((await call('PUT', '/channels/secrets', { channel: 'G0VAULT' })).status).toBe(200);
    const { channels, missing } = await read();
    expect(channels).toMatchObject([
      { id: slack.channel, isDefault: true, queues: [], trouble: null },
      {
        id: 'C0PAY',
        name: 'payments',
        queues: ['payments'],
        trouble: { remedy: expect.stringContaining('/invite') as string },
      },
      { id: 'G0VAULT', name: 'vault', isPrivate: true, queues: ['secrets'], trouble: null },
    ]);
    expect(missing.map(({ what }) => what)).toContain(
      'The channel payments does not have the app as a member.',
    );
    expect((await call('DELETE', '/channels/payments')).status).toBe(204);
    expect((await call('DELETE', '/channels/payments')).status).toBe(404);
  });

  it('connects anew with another app token, without a restart, and stores none that Slack refuses', async () => {
    const unknown = `xapp-${randomBytes(12).toString('hex')}`;
    const refused = await call('PUT', '', { botToken: slack.botToken, appToken: unknown });
    expect(refused.status).toBe(400);
    expect(JSON.stringify(refused)).toMatch(/appToken.*invalid_auth.*Make an App-Level Token/);
    expect((await read()).settings).toMatchObject({ botToken: { isSet: false }, appToken: { isSet: false } });
    await call('PUT', '', { botToken: slack.botToken, channel: slack.channel });
    expect((await read()).connected).toBeNull();
    await call('PUT', '', { appToken: slack.appToken });
    await eventually(async () => (await read()).connected === true, { what: 'connected' });
    await call('PUT', '', { appToken: null });
    await eventually(() => slack.connections === 0, { what: 'hung up' });
    const after = await read();
    expect(after).toMatchObject({ isOn: false, transport: null, connected: null });
    expect(after.settings.appToken).toMatchObject({ isSet: false, from: null, hint: null });
  });

  it('says since when a channel takes no messages that Slack itself calls good', async () => {
    await setUp();
    await stage.db.query(
      "INSERT INTO slack_broken (place, since, reason) VALUES ($1, $2, 'restricted_action')",
      [slack.channel, Date.UTC(2026, 10, 23, 8)],
    );
    const { channels, missing } = await read();
    expect(channels[0]?.trouble).toMatchObject({
      since: '2026-11-23T08:00:00.000Z',
      fact: 'takes no messages (restricted_action); its reviews are told by mail',
    });
    expect(missing.map(({ what }) => what)).toContain(
      'The channel reviews takes no messages (restricted_action); its reviews are told by mail.',
    );
  });

  it('says that a revoked token is of no use, and that Slack does not answer', async () => {
    await setUp();
    slack.script('auth.test', { kind: 'error', error: 'token_revoked' });
    expect(whats(await read())[0]).toMatch(/bot token is of no use: this token was revoked/);
    slack.script('auth.test', { kind: 'status', status: 503 });
    expect(whats(await read())[0]).toMatch(/^Slack does not answer/);
  });

  it('lists the channels that the app sees, a page at a time or by name', async () => {
    expect((await call('GET', '/channels')).status).toBe(409);
    await setUp();
    const { items } = (await call('GET', '/channels')).body as { items: { id: string }[] };
    expect(items.map(({ id }) => id).toSorted()).toEqual(['C0PAY', 'C0REVIEWS', 'G0VAULT']);
    const named = await call('GET', '/channels?name=%23PAY');
    expect(named.body).toMatchObject({ items: [{ id: 'C0PAY', name: 'payments' }] });
    slack.script('conversations.list', { kind: 'rateLimited', retryAfter: 7 });
    expect((await call('GET', '/channels')).status).toBe(429);
    slack.scopes = ['chat:write'];
    expect(detail(await call('GET', '/channels'))).toMatch(/missing_scope.*Add the scope/);
  });

  it('has the app join a public channel where it may, and says what else to do', async () => {
    await setUp();
    expect(detail(await call('POST', '/join', { channel: 'C0PAY' }))).toMatch(
      /missing_scope \(channels:join\)/,
    );
    slack.scopes = [...slack.scopes, 'channels:join'];
    expect((await call('POST', '/join', { channel: 'C0PAY' })).status).toBe(204);
    expect((await call('POST', '/join', { channel: 'G0VAULT' })).status).toBe(409);
    const { items } = (await call('GET', '/channels?name=pay')).body as { items: { isMember: boolean }[] };
    expect(items).toMatchObject([{ isMember: true }]);
  });

  it('posts a probe that says who asked, takes it away again, and says what happened', async () => {
    await setUp();
    const kept = await call('POST', '/probe', { channel: slack.channel, keep: true });
    expect(kept.body).toMatchObject({ posted: true, removed: false, reason: null });
    expect(slack.messages.at(-1)?.text).toMatch(/asked for by ada/);
    stage.clock.advance(1000);
    expect((await call('POST', '/probe', { channel: slack.channel })).body).toMatchObject({
      posted: true,
      removed: true,
    });
    expect(slack.messages).toHaveLength(1);
    expect((await call('POST', '/probe', { channel: 'C0OLD' })).body).toMatchObject({
      posted: false,
      reason: 'is_archived',
      remedy: expect.stringContaining('Open the channel again') as string,
    });
    const audit = await stage.db.query("SELECT data FROM audit_event WHERE action = 'slack.probed'");
    expect(audit).toHaveLength(3);
  });

  it.each([
    '[]',
    'null',
    '{}',
    '{"ok":false,"error":{}}',
    '{"ok":false,"error":"constructor"}',
    '{"ok":true}',
  ])('says what to do, and fails nowhere, when Slack answers %s', async (body) => {
    await setUp();
    const oddly = async (method: string, ask: () => ReturnType<typeof call>) => {
      slack.script(method, { kind: 'answer', body });
      const answer = await ask();
      slack.behave();
      return answer;
    };
    const isTrue = body === '{"ok":true}';
    const refuses = body.includes('constructor');
    const listed = await oddly('conversations.list', () => call('GET', '/channels'));
    expect(listed.status).toBe(isTrue ? 200 : refuses ? 409 : 503);
    const joined = await oddly('conversations.join', () => call('POST', '/join', { channel: 'C0PAY' }));
    expect(joined.status).toBe(isTrue ? 204 : refuses ? 409 : 503);
    const probed = await oddly('chat.postMessage', () => call('POST', '/probe', { channel: slack.channel }));
    expect(probed.body).toMatchObject({ posted: false, reason: expect.stringMatching(/answer|constructor/) });
    for (const method of ['auth.test', 'conversations.info', 'bots.info']) {
      stage.clock.advance(60_000);
      expect((await oddly(method, () => call('GET', ''))).status).toBe(200);
    }
    const set = await oddly('auth.test', () => call('PUT', '', { botToken: slack.botToken }));
    expect(set.status).toBe(200);
  });

  it('prints the manifest for its own address, and none for http without https', async () => {
    const { body } = await call('GET', '/manifest?transport=http&name=Sally&command=%2Freview');
    const { settings, features } = body as AppManifest;
    expect(settings.interactivity).toEqual({
      is_enabled: true,
      request_url: 'https://sallyport.example.com/slack/interactions',
    });
    expect(features.slash_commands[0]).toMatchObject({
      command: '/review',
      url: 'https://sallyport.example.com/slack/commands',
    });
    expect((await call('GET', '/manifest?command=review')).status).toBe(400);
  });

  it('counts who linked an account among those who may decide', async () => {
    await setUp();
    await eventually(async () => (await read()).connected === true, { what: 'connected' });
    expect((await read()).people).toEqual({ deciders: 2, bound: 0 });
    await stage.db.query(
      `INSERT INTO slack_identity (team_id, user_id, person_id, person_name, linked_at)
       VALUES ($1, 'U1', 'alice', 'Alice', 1)`,
      [slack.teamId],
    );
    const status = await read();
    expect(status.people).toEqual({ deciders: 2, bound: 1 });
    expect(whats(status)).toEqual(['1 of 2 people who may decide have not linked a Slack account.']);
  });
});
