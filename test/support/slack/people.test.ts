import { SocketModeClient } from '@slack/socket-mode';
import { WebClient } from '@slack/web-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../eventually.js';
import { FakeSlack } from './fake-slack.js';
import { actions, alice, modal, post, refusal } from './sample-blocks.js';

describe('people in the stand-in', () => {
  let fake: FakeSlack;
  let web: WebClient;
  let socket: SocketModeClient;
  const acks: Record<string, unknown>[] = [];
  const heard: { type: string; body: Record<string, unknown> }[] = [];

  beforeEach(async () => {
    acks.length = 0;
    heard.length = 0;
    fake = await FakeSlack.start();
    fake.pace.burst = 100;
    fake.echoes = false;
    fake.addUser(alice);
    web = new WebClient(fake.botToken, { slackApiUrl: fake.apiUrl, retryConfig: { retries: 0 } });
    socket = new SocketModeClient({ appToken: fake.appToken, clientOptions: { slackApiUrl: fake.apiUrl } });
    socket.on(
      'slack_event',
      ({
        ack,
        type,
        body,
      }: {
        ack: (answer?: object) => Promise<void>;
        type: string;
        body: Record<string, unknown>;
      }) => {
        heard.push({ type, body });
        void ack(acks.shift());
      },
    );
    await socket.start();
  });
  afterEach(async () => {
    await socket.disconnect();
    await fake.close();
  });

  const posted = async (blocks: unknown) => {
    const { ts } = await post(web, { channel: fake.channel, text: 't', blocks });
    return fake.messages.find((message) => message.ts === ts)!;
  };
  const opened = async (view: object) => {
    await fake.click(await posted(actions('open')), 'open', alice);
    return web.views.open({ trigger_id: String(heard.at(-1)?.body['trigger_id']), view: view as never });
  };

  it('click, choose, and give an answer to five uses of a response_url', async () => {
    const message = await posted([
      {
        type: 'section',
        text: { type: 'mrkdwn', text: 'who?' },
        accessory: { type: 'users_select', action_id: 'who' },
      },
      ...actions('go'),
    ]);
    await fake.click(message, 'go', alice);
    await fake.select(message, 'who', 'U0BOB', alice);
    expect(heard.map(({ body }) => body)).toMatchObject([
      {
        type: 'block_actions',
        user: { id: alice.id, team_id: 'T0HOME' },
        container: { type: 'message', message_ts: message.ts, channel_id: fake.channel, is_ephemeral: false },
        channel: { id: fake.channel, name: 'reviews' },
        actions: [{ action_id: 'go', value: 'v' }],
      },
      { actions: [{ action_id: 'who', selected_user: 'U0BOB' }] },
    ]);
    await expect(async () => fake.click(message, 'none', alice)).rejects.toThrow('no button none');
    const url = String(heard[0]?.body['response_url']);
    const say = (body: object) => fetch(url, { method: 'POST', body: JSON.stringify(body) });
    await say({ text: 'only you' });
    await say({ text: 'changed', replace_original: true });
    for (let n = 0; n < 3; n++) await say({ text: 'all', response_type: 'in_channel' });
    const late = await say({ text: 'once more' });
    expect([late.status, await late.json()]).toEqual([404, { ok: false, error: 'used_url' }]);
    fake.now = () => Date.now() + 31 * 60_000;
    const old = await fetch(String(heard[1]?.body['response_url']), { method: 'POST', body: '{"text":"x"}' });
    expect(await old.json()).toEqual({ ok: false, error: 'expired_url' });
    expect(fake.whispers).toMatchObject([{ user: alice.id, text: 'only you' }]);
    expect(fake.messages.map(({ text }) => text)).toEqual(['changed', 'all', 'all', 'all']);
  });

  it('fill a form whose fields Slack checks, and what the answer says happens to it', async () => {
    const option = (value: string) => ({ value, text: { type: 'plain_text', text: value.toUpperCase() } });
    const input = (id: string, element: object, more: object = {}) => ({
      type: 'input',
      block_id: id,
      label: { type: 'plain_text', text: id },
      element: { action_id: 'x', ...element },
      ...more,
    });
    await opened(
      modal([
        input('why', { type: 'plain_text_input', min_length: 3, max_length: 5 }),
        input('pick', { type: 'static_select', options: [option('a'), option('b')] }),
        input('boxes', { type: 'checkboxes', options: [option('a'), option('b')] }, { optional: true }),
        input('when', { type: 'datepicker' }, { optional: true }),
        input(
          'count',
          { type: 'number_input', is_decimal_allowed: false, max_value: '9' },
          { optional: true },
        ),
      ]),
    );
    await expect(
      fake.submit(alice, { why: { x: 'no' }, pick: { x: 'z' }, count: { x: 12 }, when: { x: 'soon' } }),
    ).rejects.toMatchObject({
      problems: {
        why: 'at least 3 characters',
        pick: 'z is none of the options',
        count: 'at most 9',
        when: 'not a date',
      },
    });
    await expect(fake.submit(alice, { why: { x: '' } })).rejects.toThrow(/why: please complete/);
    await expect(fake.submit(alice, { other: { x: '' } })).rejects.toThrow('no field other.x');
    acks.push({ response_action: 'errors', errors: { why: 'not good' } });
    const values = { why: { x: 'fine' }, pick: { x: 'b' }, boxes: { x: ['a'] }, count: { x: 3 } };
    expect(await fake.submit(alice, values)).toMatchObject({ response_action: 'errors' });
    expect(heard.at(-1)?.body['view']).toMatchObject({
      callback_id: 'form',
      state: {
        values: {
          why: { x: { type: 'plain_text_input', value: 'fine' } },
          pick: { x: { selected_option: { value: 'b' } } },
          boxes: { x: { selected_options: [{ value: 'a' }] } },
          when: { x: { selected_date: null } },
          count: { x: { value: '3' } },
        },
      },
    });
    acks.push({ response_action: 'update', view: modal([], { submit: undefined }) });
    // What was filled in before is still there.
    await fake.submit(alice);
    expect(fake.views.get(alice.id)?.['blocks']).toEqual([]);
    acks.push({ response_action: 'errors', errors: { nowhere: 'x' } });
    await expect(fake.submit(alice)).rejects.toThrow('no input for the errors');
    expect(await fake.submit(alice)).toEqual({});
    expect(fake.views.has(alice.id)).toBe(false);
  });

  it('see modals on top of each other up to three, and one trigger opens one', async () => {
    const first = await opened(modal(actions('deeper')));
    expect(first.view).toMatchObject({ root_view_id: first.view?.id, state: { values: {} } });
    const triggerOf = () => String(heard.at(-1)?.body['trigger_id']);
    const used = triggerOf();
    expect(await refusal(web.views.open({ trigger_id: used, view: modal() }))).toBe('exchanged_trigger_id');
    expect(await refusal(web.views.open({ trigger_id: 'none', view: modal() }))).toBe('invalid_trigger_id');
    const push = async () => {
      await fake.clickIn(alice, 'deeper');
      return refusal(web.views.push({ trigger_id: triggerOf(), view: modal(actions('deeper')) }));
    };
    expect([await push(), await push(), await push()]).toEqual([
      'not refused',
      'not refused',
      'push_limit_reached',
    ]);
    expect(heard.at(-1)?.body).toMatchObject({ container: { type: 'view' } });
    expect(heard.at(-1)?.body['response_url']).toBeUndefined();
    await fake.closeView(alice);
    const update = { view_id: first.view?.id ?? '', view: modal([], { notify_on_close: true }) };
    expect(await refusal(web.views.update({ ...update, hash: 'old' }))).toBe('hash_conflict');
    await web.views.update({ ...update, hash: first.view?.hash ?? '' });
    await fake.closeView(alice);
    await fake.closeView(alice);
    expect(heard.at(-1)?.body['type']).toBe('view_closed');
    expect(await refusal(web.views.update(update))).toBe('not_found');
    await fake.click(await posted(actions('open')), 'open', alice);
    fake.workspace.triggers.now = () => performance.now() + 3001;
    expect(await refusal(web.views.open({ trigger_id: triggerOf(), view: modal() }))).toBe(
      'expired_trigger_id',
    );
  });

  it('open their Home tab, use it, and old publications are refused', async () => {
    await fake.openHome(alice);
    expect(heard).toMatchObject([
      { type: 'events_api', body: { event: { type: 'app_home_opened', user: alice.id, tab: 'home' } } },
    ]);
    const home = { type: 'home' as const, blocks: actions('mine') };
    const { view } = await web.views.publish({ user_id: alice.id, view: home });
    await fake.clickHome('mine', alice);
    expect(heard.at(-1)?.body).toMatchObject({ view: { type: 'home' }, actions: [{ action_id: 'mine' }] });
    const hash = view?.hash ?? '';
    await web.views.publish({ user_id: alice.id, view: home, hash });
    expect(await refusal(web.views.publish({ user_id: alice.id, view: home, hash }))).toBe('hash_conflict');
    expect(fake.homes.get(alice.id)).toMatchObject({ id: view?.id });
  });

  it('type commands, write in threads, edit, delete and leave, of which the service hears', async () => {
    acks.push({ text: 'three open' });
    expect(await fake.slash('/review', 'list', alice)).toEqual({ text: 'three open' });
    expect(heard[0]).toMatchObject({
      type: 'slash_commands',
      body: { command: '/review', text: 'list', user_id: alice.id, channel_name: 'reviews' },
    });
    expect(fake.whispers).toMatchObject([{ user: alice.id, text: 'three open' }]);
    const root = await posted(actions('go'));
    const reply = await fake.reply(root, 'looks <!channel> fine', alice);
    await fake.editReply(reply, 'looks good');
    await fake.deleteReply(reply);
    await fake.changeUser(alice.id, { deleted: true });
    const events = heard.slice(1).map(({ body }) => body['event']);
    expect(events).toMatchObject([
      {
        type: 'message',
        text: 'looks &lt;!channel&gt; fine',
        thread_ts: root.ts,
        parent_user_id: 'U0BOT',
        channel_type: 'channel',
      },
      { subtype: 'message_changed', message: { text: 'looks good', edited: { user: alice.id } } },
      { subtype: 'message_deleted', deleted_ts: reply.ts },
      { type: 'user_change', user: { id: alice.id, deleted: true } },
    ]);
    fake.scopes = ['chat:write'];
    await fake.reply(root, 'not for the app', alice);
    expect(heard).toHaveLength(5);
    expect(fake.events.every(({ acknowledged }) => acknowledged)).toBe(true);
  });

  it('are told apart from the app itself, of whose messages Slack tells as well', async () => {
    fake.echoes = true;
    await posted(actions('go'));
    await eventually(() => heard.length === 1);
    expect(heard[0]?.body['event']).toMatchObject({ type: 'message', bot_id: 'B0', user: 'U0BOT' });
  });

  it('of another workspace are seen to be strangers', async () => {
    const stranger = { id: 'U0EVE', name: 'eve', teamId: 'T0OTHER' };
    await fake.click(await posted(actions('go')), 'go', stranger);
    expect(heard.at(-1)?.body).toMatchObject({ team: { id: 'T0HOME' }, user: { team_id: 'T0OTHER' } });
    expect((await web.users.info({ user: stranger.id })).user).toMatchObject({ is_stranger: true });
  });

  it('find at most ten connections, and none at an address that was used', async () => {
    const { url = '' } = await web.apps.connections.open({ token: fake.appToken });
    const open = (at: string) =>
      new Promise<string>((resolve) => {
        const one = new WebSocket(at);
        one.addEventListener('message', ({ data }) => resolve(typeof data === 'string' ? data : 'bytes'));
        one.addEventListener('close', ({ code }) => resolve(String(code)));
      });
    expect(await open(url)).toContain('hello');
    expect(await open(url)).toBe('1008');
    const more = Array.from({ length: 9 }, async () => {
      const next = await web.apps.connections.open({ token: fake.appToken });
      return open(next.url ?? '');
    });
    expect((await Promise.all(more)).filter((first) => first.includes('too_many_websockets'))).toHaveLength(
      1,
    );
    expect(fake.connections).toBe(10);
  });

  it('reach one connection of several by chance, and an event that is not acknowledged comes again', async () => {
    const second = new SocketModeClient({
      appToken: fake.appToken,
      clientOptions: { slackApiUrl: fake.apiUrl },
    });
    const retries: unknown[] = [];
    let isDeaf = true;
    second.on('slack_event', ({ ack, retry_num: retry }: { ack: () => Promise<void>; retry_num: number }) => {
      retries.push(retry);
      if (!isDeaf) void ack();
    });
    await second.start();
    expect(fake.connections).toBe(2);
    fake.workspace.hasHomeTab = true;
    fake.ackWithinMs = 50;
    for (let n = 0; n < 12; n++) await fake.openHome(alice);
    isDeaf = false;
    expect(heard.length).toBeGreaterThan(2);
    expect(retries.length).toBeGreaterThan(2);
    expect(heard.length + retries.length).toBeGreaterThan(12);
    expect(fake.events.some(({ attempts, acknowledged }) => attempts > 1 && acknowledged)).toBe(true);
    await second.disconnect();
    await eventually(() => fake.connections === 1);
  });
});
