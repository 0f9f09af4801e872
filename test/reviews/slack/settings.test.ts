import { randomBytes } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Principal } from '../../../src/access/principal.js';
import { SlackAccess } from '../../../src/reviews/channels/slack/setup/slack-access.js';
import { SlackSettingsService } from '../../../src/reviews/channels/slack/setup/slack-settings.service.js';
import { eventually } from '../../support/eventually.js';
import { FakeSlack } from '../../support/slack/fake-slack.js';
import { reviewsApp } from '../app.js';
import { reviewsStage, type ReviewsStage } from '../stage.js';

const who = (id: string, ...roles: Principal['roles']): Principal => ({
  kind: 'user',
  id,
  name: id,
  roles,
  method: 'session',
});
const admin = who('ada', 'admin');
const operator = who('oscar', 'operator');

describe('settings of Slack that are stored', () => {
  let stage: ReviewsStage;
  let slack: FakeSlack;
  const apps: NestFastifyApplication[] = [];
  // Made here, so that no secret stands in a file.
  const signingSecret = randomBytes(16).toString('hex');

  beforeEach(async () => {
    stage = await reviewsStage();
    slack = await FakeSlack.start();
    slack.now = () => stage.clock.now();
  });
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
    await slack.close();
    await stage.close();
  });

  /** One process of the service on the stage's database. */
  const node = async (environment: Record<string, string> = {}) => {
    const { app, worker } = await reviewsApp(stage, { SLACK_API_URL: slack.apiUrl, ...environment });
    apps.push(app);
    const get = { strict: false };
    return { app, worker, access: app.get(SlackAccess, get), settings: app.get(SlackSettingsService, get) };
  };
  const everything = () => ({ botToken: slack.botToken, appToken: slack.appToken, channel: slack.channel });

  it('turn a service without any Slack into one that posts, in every process and without a restart', async () => {
    const [here, elsewhere] = [await node(), await node()];
    expect(here.access.isOn).toBe(false);
    let heard = 0;
    elsewhere.access.onChange(() => heard++);
    await here.settings.change(everything(), admin);
    expect(here.access.isOn).toBe(true);
    await eventually(() => elsewhere.access.isOn, { what: 'the other process has them' });
    expect(heard).toBe(1);
    expect(elsewhere.access.settings).toMatchObject(everything());

    const task = stage.engine.add({ title: 'Release?', outcomes: ['release', 'delete'] });
    await elsewhere.worker.execute(task, { signal: new AbortController().signal, log: () => undefined });
    await eventually(() => slack.messages.length === 1, { timeoutMs: 15_000, what: 'the review is posted' });
  }, 60_000);

  it('are seen without a notice after two seconds, and leave again when they are removed', async () => {
    const [here, elsewhere] = [await node(), await node()];
    await stage.db.query('UPDATE slack_setup SET revision = revision');
    await here.settings.change(everything(), admin);
    await eventually(() => elsewhere.access.isOn);
    // Somebody else changed the rows, and said nothing.
    await stage.db.query("DELETE FROM slack_setting WHERE name = 'botToken'");
    await stage.db.query('UPDATE slack_setup SET revision = revision + 1');
    stage.clock.advance(2000);
    await eventually(() => elsewhere.access.settings === undefined, { what: 'the look' });
    expect(elsewhere.access.web).toBeUndefined();
  });

  it('are encrypted in the database, and stand in no audit record', async () => {
    const here = await node();
    await here.settings.change({ ...everything(), signingSecret }, admin);
    const rows = await stage.db.query<{ name: string; hint: string | null; set_by: string }>(
      'SELECT * FROM slack_setting ORDER BY name',
    );
    const audit = await stage.db.query<{ actor: string }>(
      "SELECT * FROM audit_event WHERE action LIKE 'slack.%'",
    );
    for (const secret of [slack.botToken, slack.appToken, signingSecret]) {
      expect(JSON.stringify(rows)).not.toContain(secret);
      expect(JSON.stringify(audit)).not.toContain(secret);
      expect(JSON.stringify(audit)).not.toContain(secret.slice(-4));
    }
    expect(rows.find(({ name }) => name === 'botToken')).toMatchObject({
      hint: slack.botToken.slice(-4),
      set_by: 'user:ada',
    });
    expect(audit).toMatchObject([
      {
        actor: 'user:ada',
        action: 'slack.settings_changed',
        data: { set: ['botToken', 'appToken', 'signingSecret', 'channel'], removed: [] },
      },
    ]);
  });

  it('give way to the environment, where nobody changes them by the API', async () => {
    const here = await node({ SLACK_BOT_TOKEN: slack.botToken });
    await here.settings.change({ appToken: slack.appToken, channel: slack.channel }, admin);
    expect(here.access.settings).toMatchObject(everything());
    await expect(here.settings.change({ botToken: slack.botToken }, admin)).rejects.toThrow(
      /SLACK_BOT_TOKEN\), which wins/,
    );
  });

  it('hold secrets that only an admin may set: they open the way to decide for others', async () => {
    const here = await node();
    await here.settings.change(everything(), admin);
    await expect(here.settings.change({ signingSecret }, operator)).rejects.toThrow(/Only an admin/);
    await here.settings.change({ channel: 'C0OTHER' }, operator);
    expect(here.access.settings?.channel).toBe('C0OTHER');
  });

  it('take no token that Slack refuses, and one that it cannot judge just now', async () => {
    const here = await node();
    const unknown = `xoxb-${randomBytes(12).toString('hex')}`;
    await expect(here.settings.change({ botToken: unknown }, admin)).rejects.toThrow(
      /^botToken: Slack does not know this token/,
    );
    slack.script('auth.test', { kind: 'status', status: 503 });
    await here.settings.change({ botToken: slack.botToken }, admin);
    expect(here.access.settings?.botToken).toBe(slack.botToken);
  });

  it('say which of them cannot be decrypted, and are as if it were not set', async () => {
    const here = await node();
    await here.settings.change(everything(), admin);
    // As if the row of another setting were put in its place.
    await stage.db.query(
      `UPDATE slack_setting SET value = (SELECT value FROM slack_setting WHERE name = 'appToken')
       WHERE name = 'botToken'`,
    );
    const later = await node();
    expect(later.access.settings).toBeUndefined();
    expect(later.access.known.botToken?.problem).toMatch(/cannot be decrypted: enter it again/);
  });

  it('send the reviews of a queue to a channel of its own, and the others to the default one', async () => {
    const here = await node();
    await here.settings.change(everything(), admin);
    await here.settings.route('payments', 'C0PAY', operator);
    expect(here.access.channelFor('payments')).toBe('C0PAY');
    expect(here.access.channelFor('default')).toBe(slack.channel);
    expect(here.access.channels).toEqual([slack.channel, 'C0PAY']);
    await here.settings.unroute('payments', operator);
    expect(here.access.channelFor('payments')).toBe(slack.channel);
    await expect(here.settings.unroute('payments', operator)).rejects.toThrow(/no channel of its own/);
  });
});
