import type { Arguments } from '../arguments.js';
import { named } from '../blocks.js';
import type { FakeChannel } from '../channels.js';
import { asSlackMessage, type FakeMessage } from '../messages.js';
import { Refusal, type Json } from '../refusal.js';
import { refuseBlocks, type Workspace } from '../workspace.js';
import type { Call, Methods } from './method.js';

/** chat.*: messages of the app. */
export const chat: Methods = {
  'chat.postMessage': { scope: 'chat:write', run: post },
  'chat.update': { scope: 'chat:write', tier: 3, run: update },
  'chat.delete': { scope: 'chat:write', tier: 3, run: remove },
  'chat.postEphemeral': { scope: 'chat:write', tier: 4, run: whisper },
  'chat.getPermalink': { run: permalink },
};

function post(call: Call): Json {
  const { workspace, args } = call;
  const channel = channelToPostIn(call);
  const words = wordsOf(args);
  const threadTs = threadRoot(workspace, channel, args.text('thread_ts'));
  workspace.pace.message(channel.id);
  const message = workspace.post(channel, {
    ...words,
    metadata: metadataOf(args),
    threadTs,
    isBroadcast: threadTs !== undefined && args.flag('reply_broadcast') ? true : undefined,
    parsesNames: args.flag('link_names') || args.text('parse') === 'full' ? true : undefined,
  });
  return {
    ok: true,
    channel: channel.id,
    ts: message.ts,
    message: asSlackMessage(message, workspace.appId, true),
  };
}

function update({ workspace, args }: Call): Json {
  const [channel, message] = own(workspace, args);
  const blocks = args.blocks();
  if (blocks !== undefined) {
    refuseBlocks(blocks);
    // Without blocks the old buttons stay, as with Slack.
    message.blocks = named(blocks);
  }
  const text = args.text('text');
  if (text === undefined && blocks === undefined) throw new Refusal('no_text');
  if (text === '' && message.blocks.length === 0) throw new Refusal('no_text');
  message.text = text ?? message.text;
  message.metadata = metadataOf(args) ?? message.metadata;
  message.updates += 1;
  message.edited = workspace.nextTs();
  workspace.onChange();
  workspace.onOwnMessage(message);
  const { ts } = message;
  const shown = asSlackMessage(message, workspace.appId, true);
  return { ok: true, channel: channel.id, ts, text: message.text, message: shown };
}

function remove({ workspace, args }: Call): Json {
  const [channel, message] = own(workspace, args, 'cant_delete_message');
  workspace.remove(message);
  return { ok: true, channel: channel.id, ts: message.ts };
}

function whisper(call: Call): Json {
  const { workspace, args } = call;
  const user = args.required('user');
  const channel = channelToPostIn(call);
  const person = workspace.users.get(user);
  if (person === undefined || person.deleted === true || !channel.members.has(user))
    throw new Refusal('user_not_in_channel');
  const { text, blocks } = wordsOf(args);
  const threadTs = args.text('thread_ts');
  const whispered = workspace.whisper({ user, channel: channel.id, text, blocks, threadTs });
  return { ok: true, message_ts: whispered.ts };
}

function permalink({ workspace, args, origin }: Call): Json {
  const channel = workspace.channelForApp(args.required('channel'));
  const ts = args.required('message_ts');
  if (workspace.find(channel.id, ts) === undefined) throw new Refusal('message_not_found');
  const link = `${origin}/archives/${channel.id}/p${ts.replace('.', '')}`;
  return { ok: true, channel: channel.id, permalink: link };
}

/** Where a message may go: a channel of the app, a public one with chat:write.public, or a person by id. */
function channelToPostIn({ workspace, args, hasScope }: Call): FakeChannel {
  const id = args.required('channel');
  const channel = /^[UW]/.test(id) ? directWith(workspace, id) : workspace.channelForApp(id);
  if (channel.archived) throw new Refusal('is_archived');
  if (channel.directWith !== undefined && !workspace.hasMessagesTab)
    throw new Refusal('messages_tab_disabled');
  if (!channel.botIsMember && !hasScope('chat:write.public')) throw new Refusal('not_in_channel');
  return channel;
}

function directWith(workspace: Workspace, userId: string): FakeChannel {
  const user = workspace.users.get(userId);
  if (user === undefined || user.deleted === true) throw new Refusal('channel_not_found');
  if (user.isBot === true) throw new Refusal('cannot_dm_bot');
  return workspace.directWith(userId);
}

/** A message that the app may change: one of its own, by the id of its channel and not of a person. */
function own(
  workspace: Workspace,
  args: Arguments,
  refusal = 'cant_update_message',
): [FakeChannel, FakeMessage] {
  const channel = workspace.channelForApp(args.required('channel'));
  if (channel.archived) throw new Refusal('is_archived');
  args.moment('ts');
  const message = workspace.find(channel.id, args.required('ts'));
  if (message === undefined) throw new Refusal('message_not_found');
  if (message.botId !== workspace.botId) throw new Refusal(refusal);
  return [channel, message];
}

function wordsOf(args: Arguments): { text: string; blocks: Json[] } {
  const blocks = args.blocks() ?? [];
  const text = args.text('text') ?? '';
  if (text === '' && blocks.length === 0) throw new Refusal('no_text');
  refuseBlocks(blocks);
  return { text, blocks };
}

function metadataOf(args: Arguments): Json | undefined {
  const metadata = args.object('metadata');
  if (metadata === undefined) return undefined;
  const payload = metadata['event_payload'];
  if (typeof metadata['event_type'] !== 'string' || typeof payload !== 'object' || payload === null)
    throw new Refusal('invalid_metadata_format');
  return metadata;
}

/**
 * The root of a thread; an answer to a reply goes to the thread of that reply. Slack refuses no thread that is gone:
 * the message then stands in the channel, and only the missing thread_ts of the answer says so.
 */
export function threadRoot(
  workspace: Workspace,
  channel: FakeChannel,
  ts: string | undefined,
): string | undefined {
  if (ts === undefined || ts === '') return undefined;
  const parent = workspace.find(channel.id, ts);
  return parent === undefined ? workspace.orphanedThread(channel.id, ts) : (parent.threadTs ?? parent.ts);
}
