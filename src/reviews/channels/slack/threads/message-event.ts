import { z } from 'zod';
import { SlackId } from '../inbound/payloads.js';

/*
 * Messages that people write, change and remove, as far as threads are concerned. Of our own app's and other machines'
 * nothing is read, so that what we say can never come back to us as somebody's word.
 */

const ts = z.string().regex(/^\d{1,15}\.\d{1,10}$/);

const Written = z.looseObject({
  ts,
  thread_ts: ts.optional(),
  user: SlackId.optional(),
  text: z.string().max(40_000).default(''),
  bot_id: z.string().nullish(),
  app_id: z.string().nullish(),
  subtype: z.string().max(100).optional(),
  user_team: SlackId.optional(),
  team: SlackId.optional(),
  files: z.array(z.unknown()).max(100).optional(),
});

const Shape = z.looseObject({
  channel: SlackId,
  subtype: z.string().max(100).optional(),
  /** Of a change. */
  message: Written.optional(),
  /** Of a removal. */
  deleted_ts: ts.optional(),
});

/** Who wrote a message. */
interface Writer {
  readonly id: string;
  readonly team_id?: string;
}

/** What somebody did in a thread. */
export type ThreadAct =
  | {
      readonly kind: 'wrote' | 'changed';
      readonly channel: string;
      readonly root: string;
      readonly ts: string;
      readonly user: Writer;
      readonly text: string;
      readonly files: number;
    }
  /** Slack never says by whom. */
  | {
      readonly kind: 'removed';
      readonly channel: string;
      readonly ts: string;
    };

// A person's own message, whatever else is with it: shown in the channel as well, or with files.
const OF_PEOPLE = new Set([undefined, 'thread_broadcast', 'file_share']);

/** Reads a message event. @returns `undefined` for whatever is no person's act in a thread. */
export function threadAct(
  event: unknown,
  self: { readonly botUserId?: string | undefined },
): ThreadAct | undefined {
  const shape = Shape.safeParse(event);
  if (!shape.success) return undefined;
  const { channel, subtype, message, deleted_ts: deleted } = shape.data;
  if (subtype === 'message_deleted')
    return deleted === undefined ? undefined : { kind: 'removed', channel, ts: deleted };
  if (subtype === 'message_changed') {
    if (message === undefined) return undefined;
    // Slack tells so of a message whose replies were removed: then what is left says so.
    if (message.subtype === 'tombstone') return { kind: 'removed', channel, ts: message.ts };
    return OF_PEOPLE.has(message.subtype) ? writtenAct('changed', channel, message, self) : undefined;
  }
  if (!OF_PEOPLE.has(subtype)) return undefined;
  const written = Written.safeParse(event);
  return written.success ? writtenAct('wrote', channel, written.data, self) : undefined;
}

function writerOf(message: z.infer<typeof Written>): Writer | undefined {
  const { user } = message;
  const team = message.user_team ?? message.team;
  return user === undefined ? undefined : { id: user, ...(team !== undefined && { team_id: team }) };
}

function writtenAct(
  kind: 'wrote' | 'changed',
  channel: string,
  message: z.infer<typeof Written>,
  { botUserId }: { readonly botUserId?: string | undefined },
): ThreadAct | undefined {
  const { thread_ts: root, ts: at, text, files = [] } = message;
  const user = writerOf(message);
  const isMachine =
    isSet(message.bot_id) || isSet(message.app_id) || user === undefined || user.id === botUserId;
  if (isMachine || root === undefined || root === at) return undefined;
  return {
    kind,
    channel,
    root,
    ts: at,
    user,
    text,
    files: files.length,
  };
}

const isSet = (value: string | null | undefined): boolean =>
  value !== undefined && value !== null && value !== '';
