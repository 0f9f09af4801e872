import { kindOf, type FakeChannel } from './channels.js';
import type { Events } from './events.js';
import { asSlackMessage, type FakeMessage } from './messages.js';
import type { FakeUser } from './people.js';
import type { Json } from './refusal.js';
import type { Tokens } from './tokens.js';
import type { Workspace } from './workspace.js';

/** What people write, and how the app hears of it. */
export class Talk {
  constructor(
    private readonly workspace: Workspace,
    private readonly events: Events,
    private readonly tokens: Tokens,
  ) {}

  async write(channelId: string, text: string, user: FakeUser, threadTs?: string): Promise<FakeMessage> {
    this.workspace.meet(user, channelId);
    const channel = this.workspace.channelOf(channelId);
    const message = this.workspace.write(channel, user.id, typed(text), threadTs);
    const parent = threadTs === undefined ? undefined : this.workspace.find(channelId, threadTs);
    await this.tell(channel, {
      ...this.shown(message),
      ...(parent === undefined ? {} : { parent_user_id: parent.user }),
      team: user.teamId ?? this.workspace.teamId,
      event_ts: message.ts,
    });
    return message;
  }

  async edit(message: FakeMessage, text: string): Promise<void> {
    const before = this.shown(message);
    message.text = typed(text);
    message.edited = this.workspace.nextTs();
    this.workspace.onChange();
    await this.changed(message, before);
  }

  async remove(message: FakeMessage): Promise<void> {
    this.workspace.remove(message);
    const ts = this.workspace.nextTs();
    await this.tell(this.workspace.channelOf(message.channel), {
      type: 'message',
      subtype: 'message_deleted',
      hidden: true,
      deleted_ts: message.ts,
      previous_message: this.shown(message),
      ts,
      event_ts: ts,
    });
  }

  /** Slack tells the app of its own messages as well; whoever takes them for a person's answers itself for ever. */
  async echo(message: FakeMessage): Promise<void> {
    if (message.edited !== undefined) return this.changed(message, this.shown(message));
    await this.tell(this.workspace.channelOf(message.channel), {
      ...this.shown(message),
      team: this.workspace.teamId,
      event_ts: message.ts,
    });
  }

  private async changed(message: FakeMessage, before: Json): Promise<void> {
    const ts = message.edited ?? message.ts;
    await this.tell(this.workspace.channelOf(message.channel), {
      type: 'message',
      subtype: 'message_changed',
      hidden: true,
      message: this.shown(message),
      previous_message: before,
      ts,
      event_ts: ts,
    });
  }

  /** Slack tells the app of messages only where it is, and where it may read. */
  private async tell(channel: FakeChannel, event: Json): Promise<void> {
    if (!channel.botIsMember || !this.tokens.scopes.includes(`${kindOf(channel)}:history`)) return;
    const kinds = { channels: 'channel', groups: 'group', im: 'im' } as const;
    await this.events.send({ ...event, channel: channel.id, channel_type: kinds[kindOf(channel)] });
  }

  private shown(message: FakeMessage): Json {
    return asSlackMessage(message, this.workspace.appId);
  }
}

/** What somebody types comes out of Slack escaped, so that it cannot pass for a mention. */
const typed = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
