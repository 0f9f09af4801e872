import { randomBytes } from 'node:crypto';
import { named } from './blocks.js';
import { kindOf, type ChannelSeed, type FakeChannel } from './channels.js';
import { MAX_TEXT_OF_MESSAGE, shapeProblems, textLength } from './limits.js';
import type { FakeMessage, FakeWhisper } from './messages.js';
import { Pace } from './pace.js';
import type { FakeUser, UserChange, UserSeed } from './people.js';
import { Refusal, type Json } from './refusal.js';
import { Triggers } from './triggers.js';
import { Views } from './views.js';

/** Longest text of a message; what is longer is cut. */
const MAX_TEXT = 40_000;

/** A file that was uploaded. */
export interface FakeFile {
  readonly id: string;
  readonly name: string;
  readonly length: number;
  title: string;
  content: Buffer | undefined;
  isComplete: boolean;
}

/** What the app writes. */
export interface Draft {
  readonly text: string;
  readonly blocks: readonly Json[];
  readonly metadata?: Json | undefined;
  readonly threadTs?: string | undefined;
  readonly isBroadcast?: boolean | undefined;
  readonly files?: readonly string[] | undefined;
  readonly parsesNames?: boolean | undefined;
}

/** One workspace with one app in it: its people, channels, messages, modals and files. */
export class Workspace {
  readonly teamId = 'T0HOME';
  readonly teamName = 'Home';
  readonly appId = 'A0FAKE';
  readonly botUserId = 'U0BOT';
  readonly botId = 'B0';
  readonly users = new Map<string, UserSeed>();
  readonly channels = new Map<string, FakeChannel>();
  readonly messages: FakeMessage[] = [];
  readonly whispers: FakeWhisper[] = [];
  readonly files = new Map<string, FakeFile>();
  readonly views = new Views(this);
  readonly triggers = new Triggers();
  /** Clock of timestamps and pace. */
  now: () => number = Date.now;
  readonly pace = new Pace(() => this.now());
  /** Whether people may write to the app, and the app to people, in its Messages tab. */
  hasMessagesTab = true;
  /** Whether the app has a Home tab. */
  hasHomeTab = true;
  /** Told of every message that the app posts or changes. */
  onOwnMessage: (message: FakeMessage) => void = () => undefined;
  /** Told of every change, for a page that shows it. */
  onChange: () => void = () => undefined;

  private readonly index = new Map<string, FakeMessage>();
  private counter = 0;

  addChannel(seed: ChannelSeed): FakeChannel {
    const channel: FakeChannel = {
      id: seed.id,
      name: seed.name,
      isPrivate: seed.isPrivate ?? false,
      archived: seed.archived ?? false,
      botIsMember: seed.botIsMember ?? true,
      members: new Set(),
    };
    this.channels.set(seed.id, channel);
    this.onChange();
    return channel;
  }

  addUser(seed: UserSeed): UserSeed {
    this.users.set(seed.id, seed);
    const [first] = this.channels.keys();
    for (const id of seed.channels ?? (first === undefined ? [] : [first]))
      this.channels.get(id)?.members.add(seed.id);
    this.onChange();
    return seed;
  }

  changeUser(id: string, change: UserChange): UserSeed {
    const user = this.users.get(id);
    if (user === undefined) throw new Error(`there is no user ${id}`);
    const changed = { ...user, ...change };
    this.users.set(id, changed);
    this.onChange();
    return changed;
  }

  /** Somebody who acts is known from then on, and is in the channel where they act. */
  meet(user: FakeUser, channelId?: string): UserSeed {
    const known = this.users.get(user.id) ?? this.addUser({ ...user, isStranger: this.isForeign(user) });
    if (channelId !== undefined) this.channels.get(channelId)?.members.add(user.id);
    return known;
  }

  isForeign(user: FakeUser): boolean {
    return user.teamId !== undefined && user.teamId !== this.teamId;
  }

  /** The conversation of the app with somebody. */
  directWith(userId: string): FakeChannel {
    for (const channel of this.channels.values()) if (channel.directWith === userId) return channel;
    const channel: FakeChannel = {
      id: `D${userId.slice(1)}`,
      name: userId,
      isPrivate: true,
      archived: false,
      botIsMember: true,
      directWith: userId,
      members: new Set([userId]),
    };
    this.channels.set(channel.id, channel);
    return channel;
  }

  /** A channel that a test names. */
  channelOf(id: string): FakeChannel {
    const channel = this.channels.get(id);
    if (channel === undefined) throw new Error(`there is no channel ${id}`);
    return channel;
  }

  /** The channel as the app sees it: a private one without the app does not exist for it. */
  channelForApp(id: string): FakeChannel {
    const channel = this.channels.get(id);
    if (channel === undefined || (kindOf(channel) === 'groups' && !channel.botIsMember))
      throw new Refusal('channel_not_found');
    return channel;
  }

  find(channel: string, ts: string): FakeMessage | undefined {
    return this.index.get(`${channel}/${ts}`);
  }

  /** The thread of a message that was deleted: it lives on as long as it has answers. */
  orphanedThread(channel: string, ts: string): string | undefined {
    return this.messages.some((reply) => reply.channel === channel && reply.threadTs === ts) ? ts : undefined;
  }

  nextTs(): string {
    this.counter += 1;
    return `${Math.floor(this.now() / 1000)}.${String(this.counter).padStart(6, '0')}`;
  }

  /** A message of the app. */
  post(channel: FakeChannel, draft: Draft): FakeMessage {
    const message = this.add(channel, draft, { user: this.botUserId, botId: this.botId });
    this.onOwnMessage(message);
    return message;
  }

  /** A message of a person. */
  write(channel: FakeChannel, user: string, text: string, threadTs?: string): FakeMessage {
    return this.add(channel, { text, blocks: [], threadTs }, { user });
  }

  whisper(to: {
    user: string;
    channel: string;
    text: string;
    blocks: readonly Json[];
    threadTs?: string | undefined;
  }): FakeWhisper {
    const whisper = { ...to, blocks: named(to.blocks), ts: this.nextTs() };
    this.whispers.push(whisper);
    this.onChange();
    return whisper;
  }

  remove(message: FakeMessage): void {
    this.index.delete(`${message.channel}/${message.ts}`);
    this.messages.splice(this.messages.indexOf(message), 1);
    this.onChange();
  }

  removeWhisper(whisper: FakeWhisper): void {
    this.whispers.splice(this.whispers.indexOf(whisper), 1);
    this.onChange();
  }

  addFile(name: string, length: number): FakeFile {
    const id = `F${randomBytes(5).toString('hex').toUpperCase()}`;
    const file = { id, name, length, title: name, content: undefined, isComplete: false };
    this.files.set(id, file);
    return file;
  }

  private add(channel: FakeChannel, draft: Draft, by: { user: string; botId?: string }): FakeMessage {
    const message: FakeMessage = {
      channel: channel.id,
      ts: this.nextTs(),
      text: draft.text.slice(0, MAX_TEXT),
      blocks: named(draft.blocks),
      metadata: draft.metadata,
      updates: 0,
      ...by,
      threadTs: draft.threadTs,
      isBroadcast: draft.isBroadcast,
      files: draft.files,
      parsesNames: draft.parsesNames,
    };
    this.messages.push(message);
    this.index.set(`${message.channel}/${message.ts}`, message);
    this.onChange();
    return message;
  }
}

/** @throws Refusal when Slack would not take the blocks for a message. */
export function refuseBlocks(blocks: readonly Json[]): void {
  const problems = shapeProblems(blocks, 'message');
  if (problems.length > 0) throw Refusal.because('invalid_blocks', problems);
  if (textLength(blocks) > MAX_TEXT_OF_MESSAGE) throw new Refusal('msg_blocks_too_long');
}
