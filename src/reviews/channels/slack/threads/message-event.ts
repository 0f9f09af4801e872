import { z } from 'zod';

/*
 * Messages that people write, change and remove, as far as threads are concerned. Of our own app's and other machines'
 * nothing is read, so that what we say can never come back to us as somebody's word.
 */

const id = z.string().min(1).max(100);
const ts = z.string().regex(/^\d{1,15}\.\d{1,10}$/);

const Written = z.looseObject({
  ts,
  thread_ts: ts.optional(),
  user: id.optional(),
  text: z.string().max(40_000).default(''),
  bot_id: z.string().nullish(),
  app_id: z.string().nullish(),
  subtype: z.string().max(100).optional(),
  user_team: id.optional(),
  team: id.optional(),
  files: z.array(z.unknown()).max(100).optional(),
});

const Shape = z.looseObject({
  channel: id,
  subtype: z.string().max(100).optional(),
  /** Of a change. */
  message: Written.optional(),
  /** Of a removal. */
  deleted_ts: ts.optional(),
  previous_message: Written.optional(),
});

/** What somebody did in a thread. */
export type ThreadAct =
  | {
      readonly kind: 'wrote' | 'changed';
      readonly channel: string;
      readonly root: string;
      readonly ts: string;
      readonly user: { readonly id: string; readonly team_id?: string };
      readonly text: string;
      readonly files: number;
    }
  | { readonly kind: 'removed'; readonly channel: string; readonly ts: string };

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
  if (subtype === 'message_changed')
    return message === undefined ? undefined : changedAct(channel, message, self);
  if (!OF_PEOPLE.has(subtype)) return undefined;
  const written = Written.safeParse(event);
  return written.success ? writtenAct('wrote', channel, written.data, self) : undefined;
}

/** Slack also tells so of a message whose replies were removed: then what is left says so. */
function changedAct(
  channel: string,
  message: z.infer<typeof Written>,
  self: { readonly botUserId?: string | undefined },
): ThreadAct | undefined {
  if (message.subtype === 'tombstone') return { kind: 'removed', channel, ts: message.ts };
  return OF_PEOPLE.has(message.subtype) ? writtenAct('changed', channel, message, self) : undefined;
}

function writtenAct(
  kind: 'wrote' | 'changed',
  channel: string,
  message: z.infer<typeof Written>,
  { botUserId }: { readonly botUserId?: string | undefined },
): ThreadAct | undefined {
  const { user, thread_ts: root, ts: at, text, files = [] } = message;
  const isMachine =
    isSet(message.bot_id) || isSet(message.app_id) || user === undefined || user === botUserId;
  if (isMachine || root === undefined || root === at) return undefined;
  const team = message.user_team ?? message.team;
  return {
    kind,
    channel,
    root,
    ts: at,
    user: { id: user, ...(team === undefined ? {} : { team_id: team }) },
    text,
    files: files.length,
  };
}

const isSet = (value: string | null | undefined): boolean =>
  value !== undefined && value !== null && value !== '';
