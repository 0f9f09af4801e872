import type { Json } from './refusal.js';

/** A message of the app, or of a person. */
export interface FakeMessage {
  readonly channel: string;
  readonly ts: string;
  text: string;
  blocks: Json[];
  metadata?: Json | undefined;
  /** Number of chat.update calls. */
  updates: number;
  /** Who wrote it; the app's own user for its messages. */
  readonly user?: string | undefined;
  /** Set for messages of the app. */
  readonly botId?: string | undefined;
  /** Root of the thread that it is a reply in. */
  readonly threadTs?: string | undefined;
  /** Shown in the channel too, although it is a reply. */
  readonly isBroadcast?: boolean | undefined;
  /** When it was last edited. */
  edited?: string | undefined;
  readonly files?: readonly string[] | undefined;
  /** Names in the text are linked as well (`link_names` or `parse=full`). */
  readonly parsesNames?: boolean | undefined;
}

/** A message that one person sees. */
export interface FakeWhisper {
  readonly user: string;
  readonly channel: string;
  readonly ts: string;
  text: string;
  blocks: Json[];
  readonly threadTs?: string | undefined;
}

/** Whether only one person sees it. */
export const isWhisper = (message: FakeMessage | FakeWhisper): message is FakeWhisper =>
  !('updates' in message);

/** The message as Slack hands it out. */
export function asSlackMessage(message: FakeMessage, appId: string, withMetadata = false): Json {
  return {
    type: 'message',
    ts: message.ts,
    text: message.text,
    user: message.user,
    ...(message.botId === undefined ? {} : { bot_id: message.botId, app_id: appId }),
    ...(message.blocks.length === 0 ? {} : { blocks: message.blocks }),
    ...(message.threadTs === undefined ? {} : { thread_ts: message.threadTs }),
    ...(message.isBroadcast === true ? { subtype: 'thread_broadcast' } : {}),
    ...(message.edited === undefined ? {} : { edited: { user: message.user, ts: message.edited } }),
    ...(message.files === undefined ? {} : { files: message.files.map((id) => ({ id })) }),
    ...(withMetadata && message.metadata !== undefined ? { metadata: message.metadata } : {}),
  };
}
