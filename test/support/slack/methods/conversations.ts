import { page } from '../arguments.js';
import { asSlackChannel, kindOf, type FakeChannel } from '../channels.js';
import { asSlackMessage, type FakeMessage } from '../messages.js';
import { Refusal, type Json } from '../refusal.js';
import type { Call, Methods } from './method.js';

/** conversations.*: the channels, and what was said in them. */
export const conversations: Methods = {
  'conversations.history': { tier: 3, run: history },
  'conversations.replies': { tier: 3, run: replies },
  'conversations.list': { tier: 2, run: list },
  'conversations.info': { tier: 3, run: info },
  'conversations.members': { tier: 4, run: members },
  'conversations.join': { scope: 'channels:join', tier: 3, run: join },
  'conversations.open': { scope: 'im:write', tier: 3, run: open },
  'users.conversations': { tier: 3, run: ofUser },
};

/** Names of the kinds in the argument `types`. */
const KINDS = { public_channel: 'channels', private_channel: 'groups', im: 'im', mpim: 'mpim' } as const;

function history(call: Call): Json {
  const { workspace } = call;
  const channel = readable(call);
  const isInside = between(call);
  const found = workspace.messages
    .filter((message) => message.channel === channel.id && isInside(message))
    .filter((message) => message.threadTs === undefined || message.isBroadcast === true)
    .toReversed();
  return pageOfMessages(call, found);
}

function replies(call: Call): Json {
  const { workspace, args } = call;
  const channel = readable(call);
  args.moment('ts');
  const ts = args.required('ts');
  const asked = workspace.find(channel.id, ts);
  const root = asked === undefined ? workspace.orphanedThread(channel.id, ts) : (asked.threadTs ?? ts);
  if (root === undefined) throw new Refusal('thread_not_found');
  const isInside = between(call);
  const thread = workspace.messages.filter(
    (message) =>
      message.channel === channel.id &&
      (message.ts === root || (message.threadTs === root && isInside(message))),
  );
  return pageOfMessages(call, thread);
}

/** Which moments are asked for; the borders belong to it only when `inclusive`. */
function between({ args }: Call): (message: FakeMessage) => boolean {
  const oldest = args.moment('oldest') ?? 0;
  const latest = args.moment('latest') ?? Number.POSITIVE_INFINITY;
  const inclusive = args.flag('inclusive');
  return ({ ts }) => {
    const at = Number(ts);
    return inclusive ? at >= oldest && at <= latest : at > oldest && at < latest;
  };
}

function pageOfMessages({ workspace, args }: Call, found: readonly FakeMessage[]): Json {
  const { items, metadata, hasMore } = page(found, args);
  const withMetadata = args.flag('include_all_metadata');
  return {
    ok: true,
    messages: items.map((message) => ({
      ...asSlackMessage(message, workspace.appId, withMetadata),
      ...threadFacts(workspace.messages, message),
    })),
    has_more: hasMore,
    response_metadata: metadata,
  };
}

function threadFacts(all: readonly FakeMessage[], root: FakeMessage): Json {
  if (root.threadTs !== undefined) return {};
  const thread = all.filter(({ channel, threadTs }) => channel === root.channel && threadTs === root.ts);
  const last = thread.at(-1);
  if (last === undefined) return {};
  const users = [...new Set(thread.map(({ user }) => user))];
  return {
    thread_ts: root.ts,
    reply_count: thread.length,
    reply_users: users,
    reply_users_count: users.length,
    latest_reply: last.ts,
  };
}

function list(call: Call): Json {
  const { workspace, args } = call;
  const kinds = kindsIn(call);
  const noArchived = args.flag('exclude_archived');
  const found = [...workspace.channels.values()].filter(
    (channel) =>
      kinds.includes(kindOf(channel)) &&
      (!channel.isPrivate || channel.botIsMember) &&
      !(noArchived && channel.archived),
  );
  const { items, metadata } = page(found, args);
  return { ok: true, channels: items.map(asSlackChannel), response_metadata: metadata };
}

function ofUser(call: Call): Json {
  const { workspace, args } = call;
  const kinds = kindsIn(call);
  const user = args.text('user');
  if (user !== undefined && !workspace.users.has(user)) throw new Refusal('user_not_found');
  const found = [...workspace.channels.values()].filter(
    (channel) =>
      kinds.includes(kindOf(channel)) &&
      channel.botIsMember &&
      (user === undefined || channel.members.has(user)),
  );
  const { items, metadata } = page(found, args);
  return { ok: true, channels: items.map(asSlackChannel), response_metadata: metadata };
}

function kindsIn({ args, needScope }: Call): string[] {
  const types = (args.text('types') ?? 'public_channel').split(',').map((type) => type.trim());
  return types.map((type) => {
    const kind = KINDS[type as keyof typeof KINDS] as string | undefined;
    if (kind === undefined) throw new Refusal('invalid_types');
    needScope(`${kind}:read`);
    return kind;
  });
}

function info(call: Call): Json {
  const channel = call.workspace.channelForApp(call.args.required('channel'));
  call.needScope(`${kindOf(channel)}:read`);
  return { ok: true, channel: asSlackChannel(channel) };
}

function members(call: Call): Json {
  const channel = call.workspace.channelForApp(call.args.required('channel'));
  call.needScope(`${kindOf(channel)}:read`);
  const all = [...(channel.botIsMember ? [call.workspace.botUserId] : []), ...channel.members];
  const { items, metadata } = page(all, call.args);
  return { ok: true, members: items, response_metadata: metadata };
}

function join({ workspace, args }: Call): Json {
  const channel = workspace.channelForApp(args.required('channel'));
  if (kindOf(channel) !== 'channels') throw new Refusal('method_not_supported_for_channel_type');
  if (channel.archived) throw new Refusal('is_archived');
  channel.botIsMember = true;
  workspace.onChange();
  return { ok: true, channel: asSlackChannel(channel) };
}

function open({ workspace, args }: Call): Json {
  const known = args.text('channel');
  if (known !== undefined) {
    const channel = workspace.channelForApp(known);
    if (channel.directWith === undefined) throw new Refusal('invalid_channel');
    return { ok: true, channel: { id: channel.id } };
  }
  const users = args.required('users').split(',');
  const [id = ''] = users;
  if (users.length > 1) throw new Refusal('method_not_supported_for_channel_type');
  const user = workspace.users.get(id);
  if (user === undefined) throw new Refusal('user_not_found');
  if (user.deleted === true) throw new Refusal('user_disabled');
  if (user.isBot === true) throw new Refusal('cannot_dm_bot');
  const isNew = ![...workspace.channels.values()].some(({ directWith }) => directWith === id);
  const channel = workspace.directWith(id);
  const opened = args.flag('return_im') ? asSlackChannel(channel) : { id: channel.id };
  return { ok: true, ...(isNew ? {} : { no_op: true, already_open: true }), channel: opened };
}

/** A channel whose messages the app may read: its kind has a scope of its own, and the app must be in it. */
function readable(call: Call): FakeChannel {
  const channel = call.workspace.channelForApp(call.args.required('channel'));
  call.needScope(`${kindOf(channel)}:history`);
  if (!channel.botIsMember) throw new Refusal('not_in_channel');
  return channel;
}
