import { LogLevel, WebClient } from '@slack/web-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buttonsOf, FakeSlack } from './fake-slack.js';
import { actions, alice, post, refusal } from './sample-blocks.js';

// What Slack refuses is what is tested; the SDK need not say it as well.
const QUIET = 'none' as LogLevel;

describe('the web API of the stand-in', () => {
  let fake: FakeSlack;
  let web: WebClient;
  let now: number;

  beforeEach(async () => {
    fake = await FakeSlack.start();
    now = 1_800_000_000_000;
    // Every look is a second later, so that messages keep their pace unless a test stops the clock.
    fake.now = () => (now += 1000);
    fake.addUser({ ...alice, email: 'alice@example.org' });
    web = new WebClient(fake.botToken, {
      slackApiUrl: fake.apiUrl,
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      logLevel: QUIET,
    });
  });
  afterEach(() => fake.close());

  it('knows its own tokens only, and says what they were granted', async () => {
    const stranger = new WebClient('somebody', { slackApiUrl: fake.apiUrl, retryConfig: { retries: 0 } });
    expect(await refusal(stranger.auth.test())).toBe('invalid_auth');
    const app = new WebClient(fake.appToken, { slackApiUrl: fake.apiUrl, retryConfig: { retries: 0 } });
    expect(await refusal(app.auth.test())).toBe('not_allowed_token_type');
    fake.scopes = ['users:read'];
    const answer = await web.auth.test();
    expect(answer).toMatchObject({
      team_id: 'T0HOME',
      bot_id: 'B0',
      response_metadata: { scopes: ['users:read'] },
    });
    const error: unknown = await post(web, { channel: fake.channel, text: 'x' }).catch((e: unknown) => e);
    expect(error).toMatchObject({
      data: { error: 'missing_scope', needed: 'chat:write', provided: 'users:read' },
    });
    await fake.revoke();
    expect(await refusal(web.auth.test())).toBe('token_revoked');
    await fake.uninstall();
    expect(await refusal(web.auth.test())).toBe('account_inactive');
    fake.reinstall();
    expect(await refusal(web.auth.test())).toBe('not refused');
  });

  it('posts where the app may post', async () => {
    fake.addChannel({ id: 'C0OPEN', name: 'open', botIsMember: false });
    fake.addChannel({ id: 'C0OLD', name: 'old', archived: true });
    fake.addChannel({ id: 'C0SECRET', name: 'secret', isPrivate: true, botIsMember: false });
    fake.addUser({ id: 'U0ROBOT', name: 'robot', isBot: true });
    const to = (channel: string) => refusal(post(web, { channel, text: 'hello' }));
    expect(await to('C0NONE')).toBe('channel_not_found');
    expect(await to('C0SECRET')).toBe('channel_not_found');
    expect(await to('C0OLD')).toBe('is_archived');
    expect(await to('U0NOBODY')).toBe('channel_not_found');
    expect(await to('U0ROBOT')).toBe('cannot_dm_bot');
    expect(await to('C0OPEN')).toBe('not refused');
    fake.scopes = fake.scopes.filter((scope) => scope !== 'chat:write.public');
    expect(await to('C0OPEN')).toBe('not_in_channel');
    expect(await refusal(post(web, { channel: fake.channel, text: '' }))).toBe('no_text');
  });

  it('opens the conversation with a person for a message to their id, and wants its own id afterwards', async () => {
    const posted = await post(web, { channel: alice.id, text: 'for you' });
    expect(posted.channel).toBe('D0ALICE');
    const { channel } = await web.conversations.open({ users: alice.id });
    expect(channel?.id).toBe('D0ALICE');
    const update = { ts: posted.ts ?? '', text: 'for you alone' };
    expect(await refusal(web.chat.update({ channel: alice.id, ...update }))).toBe('channel_not_found');
    await web.chat.update({ channel: 'D0ALICE', ...update });
    expect(fake.messages).toMatchObject([{ channel: 'D0ALICE', text: 'for you alone', updates: 1 }]);
  });

  it('changes and deletes the app’s own messages, and keeps the buttons when no blocks are given', async () => {
    const { channel } = fake;
    const posted = await post(web, { channel, text: 'a', blocks: actions('go') });
    const ts = posted.ts ?? '';
    await web.chat.update({ channel, ts, text: 'b' });
    expect(fake.messages[0]?.text).toBe('b');
    expect(buttonsOf(fake.messages[0]?.blocks ?? [])).toHaveLength(1);
    await web.chat.update({ channel, ts, text: 'c', blocks: [] });
    expect(fake.messages[0]?.blocks).toEqual([]);
    const theirs = await fake.write(channel, 'mine', alice);
    expect(await refusal(web.chat.update({ channel, ts: theirs.ts, text: 'x' }))).toBe('cant_update_message');
    expect(await refusal(web.chat.delete({ channel, ts: theirs.ts }))).toBe('cant_delete_message');
    await web.chat.delete({ channel, ts });
    expect(await refusal(web.chat.update({ channel, ts, text: 'x' }))).toBe('message_not_found');
  });

  it('refuses blocks above the limits, and texts above the one on the whole message', async () => {
    const section = (words: string) => ({ type: 'section', text: { type: 'mrkdwn', text: words } });
    const tryBlocks = (blocks: unknown) => refusal(post(web, { channel: fake.channel, text: 't', blocks }));
    expect(await tryBlocks([section('x'.repeat(3001))])).toBe('invalid_blocks');
    expect(await tryBlocks([{ type: 'nope' }])).toBe('invalid_blocks');
    expect(await tryBlocks(Array.from({ length: 51 }, () => ({ type: 'divider' })))).toBe('invalid_blocks');
    expect(await tryBlocks(Array.from({ length: 5 }, () => section('x'.repeat(2800))))).toBe(
      'msg_blocks_too_long',
    );
    expect(await tryBlocks(Array.from({ length: 4 }, () => section('x'.repeat(2800))))).toBe('not refused');
    expect(await tryBlocks({ type: 'section' })).toBe('invalid_blocks_format');
    const metadata = await refusal(post(web, { channel: fake.channel, text: 't', metadata: '[' }));
    expect(metadata).toBe('invalid_arguments');
  });

  it('takes one message per second and channel, more after a silence when it is told to, and tiers of methods', async () => {
    fake.addChannel({ id: 'C0OTHER', name: 'other' });
    let at = 0;
    fake.now = () => at;
    const say = (channel = fake.channel) => refusal(post(web, { channel, text: 'x' }));
    expect([await say(), await say(), await say('C0OTHER')]).toEqual([
      'not refused',
      'retry after 1',
      'not refused',
    ]);
    at += 1000;
    expect(await say()).toBe('not refused');
    fake.pace.burst = 3;
    at += 10_000;
    expect([await say(), await say(), await say(), await say()]).toEqual([
      'not refused',
      'not refused',
      'not refused',
      'retry after 1',
    ]);
    fake.pace.enforcesTiers = true;
    const asked = await Promise.all(Array.from({ length: 21 }, () => refusal(web.users.list({}))));
    expect(asked.filter((answer) => answer === 'not refused')).toHaveLength(20);
    expect(asked.at(-1)).toBe('retry after 3');
  });

  it('finds what was said by time, with metadata when asked for, and answers of a thread in their thread', async () => {
    const { channel } = fake;
    const metadata = { event_type: 'review', event_payload: { id: 'r1' } };
    const root = await post(web, { channel, text: 'root', metadata });
    await post(web, { channel, text: 'second' });
    const reply = await fake.reply(fake.messages[0]!, 'an <answer>', alice);
    await post(web, { channel, text: 'aloud', thread_ts: reply.ts, reply_broadcast: true });
    const texts = (messages: { text?: string }[] | undefined) => messages?.map(({ text }) => text);
    const all = await web.conversations.history({ channel, include_all_metadata: true });
    expect(texts(all.messages)).toEqual(['aloud', 'second', 'root']);
    expect(all.messages?.at(-1)).toMatchObject({ metadata, reply_count: 2, bot_id: 'B0', app_id: 'A0FAKE' });
    const plain = await web.conversations.history({ channel, oldest: root.ts ?? '', limit: 1 });
    expect(texts(plain.messages)).toEqual(['aloud']);
    const next = await web.conversations.history({
      channel,
      oldest: root.ts ?? '',
      limit: 1,
      cursor: plain.response_metadata?.next_cursor ?? '',
    });
    expect(texts(next.messages)).toEqual(['second']);
    const thread = await web.conversations.replies({ channel, ts: root.ts ?? '' });
    expect(texts(thread.messages)).toEqual(['root', 'an &lt;answer&gt;', 'aloud']);
    expect(await refusal(web.conversations.replies({ channel, ts: '1.2' }))).toBe('thread_not_found');
    fake.scopes = ['groups:history'];
    expect(await refusal(web.conversations.history({ channel }))).toBe('missing_scope');
  });

  it('forgets a thread whose message is gone without a word, unless it has answers', async () => {
    const { channel } = fake;
    const root = await post(web, { channel, text: 'root' });
    await fake.reply(fake.messages[0]!, 'one', alice);
    await web.chat.delete({ channel, ts: root.ts ?? '' });
    const second = await post(web, { channel, text: 'two', thread_ts: root.ts });
    expect(second.message?.thread_ts).toBe(root.ts);
    const thread = await web.conversations.replies({ channel, ts: root.ts ?? '' });
    expect(thread.messages?.map((message) => message.text)).toEqual(['one', 'two']);
    const lost = await post(web, { channel, text: 'three', thread_ts: '1.000001' });
    expect(lost.message?.thread_ts).toBeUndefined();
  });

  it('shows people and channels, and addresses only to those with the scope for them', async () => {
    fake.addUser({ id: 'U0GONE', name: 'gone', email: 'gone@example.org', deleted: true });
    fake.addUser({ id: 'U0GUEST', name: 'guest', isUltraRestricted: true });
    fake.addChannel({ id: 'G0TEAM', name: 'team', isPrivate: true });
    const found = await web.users.lookupByEmail({ email: 'Alice@example.org' });
    expect(found.user).toMatchObject({ id: alice.id, profile: { email: 'alice@example.org' } });
    expect(await refusal(web.users.lookupByEmail({ email: 'gone@example.org' }))).toBe('users_not_found');
    expect((await web.users.info({ user: 'U0GUEST' })).user?.is_ultra_restricted).toBe(true);
    expect(await refusal(web.users.info({ user: 'U0NOBODY' }))).toBe('user_not_found');
    expect((await web.users.list({})).members?.map(({ id }) => id)).toEqual([
      'U0BOT',
      'U0ALICE',
      'U0GONE',
      'U0GUEST',
    ]);
    const channels = await web.conversations.list({ types: 'public_channel,private_channel' });
    expect(channels.channels?.map(({ name }) => name)).toEqual(['reviews', 'team']);
    expect((await web.conversations.info({ channel: 'G0TEAM' })).channel?.is_private).toBe(true);
    expect((await web.conversations.members({ channel: fake.channel })).members).toContain(alice.id);
    expect((await web.users.conversations({ types: 'private_channel' })).channels).toHaveLength(1);
    expect((await web.bots.info({ bot: 'B0' })).bot?.app_id).toBe('A0FAKE');
    fake.scopes = ['users:read'];
    expect((await web.users.info({ user: alice.id })).user?.profile?.email).toBeUndefined();
  });

  it('takes files in the three steps of the SDK, into a thread', async () => {
    const root = await post(web, { channel: fake.channel, text: 'report' });
    await web.files.uploadV2({
      channel_id: fake.channel,
      thread_ts: root.ts ?? '',
      initial_comment: 'the week',
      filename: 'week.pdf',
      file: Buffer.from('%PDF'),
    });
    const [file] = fake.workspace.files.values();
    expect(file).toMatchObject({ name: 'week.pdf', isComplete: true, content: Buffer.from('%PDF') });
    expect(fake.messages[1]).toMatchObject({ threadTs: root.ts, text: 'the week', files: [file?.id] });
  });

  it('plays what goes wrong as it was told: late, lost, refused', async () => {
    const say = () => refusal(post(web, { channel: fake.channel, text: 'x' }));
    fake.script(
      'chat.postMessage',
      { kind: 'lose' },
      { kind: 'rateLimited', retryAfter: 7 },
      { kind: 'error', error: 'fatal_error' },
      { kind: 'status', status: 503 },
      { kind: 'slow', ms: 30 },
    );
    expect(await say()).toBe('slack_webapi_request_error');
    expect(fake.messages).toHaveLength(1);
    expect([await say(), await say(), await say()]).toEqual([
      'retry after 7',
      'fatal_error',
      'slack_webapi_http_error',
    ]);
    expect(fake.messages).toHaveLength(1);
    const began = performance.now();
    expect(await say()).toBe('not refused');
    expect(performance.now() - began).toBeGreaterThan(25);
  });
});
