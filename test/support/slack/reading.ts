import { pieces, type Piece } from './mrkdwn.js';
import type { Json } from './refusal.js';

/** Anything that people read: a message, a whisper, a modal, a Home tab. */
export interface Readable {
  readonly text?: unknown;
  readonly blocks?: unknown;
  readonly parsesNames?: boolean | undefined;
}

/**
 * Everybody and everything that Slack would mention in what the app wrote: people, channels, groups, @here and their
 * like. Empty for a message in which nothing does.
 */
export function mentionsIn(shown: Readable): string[] {
  return [
    ...everyPiece(shown).flatMap((piece) => (piece.kind === 'mention' ? [piece.of] : [])),
    ...richElements(shown.blocks).flatMap((element) => {
      const mention = MENTIONING[String(element['type'])];
      return mention === undefined ? [] : [`${mention.mark}${String(element[mention.field])}`];
    }),
    ...(shown.parsesNames === true ? (String(shown.text).match(/(?<!\w)@\w+/g) ?? []) : []),
  ];
}

/** Every address that Slack would make a link of in texts. Buttons with an address are no part of it. */
export function linksIn(shown: Readable): string[] {
  return [
    ...everyPiece(shown).flatMap((piece) => (piece.kind === 'link' ? [piece.url] : [])),
    ...richElements(shown.blocks)
      .filter((element) => element['type'] === 'link')
      .map((element) => String(element['url'])),
    ...objectsIn(shown.blocks)
      .filter((block) => block['type'] === 'markdown')
      .flatMap((block) =>
        [...String(block['text']).matchAll(/\]\(\s*([^)\s]+)/g)].map((match) => match[1] ?? ''),
      ),
  ];
}

const MENTIONING: Readonly<Record<string, { mark: string; field: string }>> = {
  user: { mark: '@', field: 'user_id' },
  usergroup: { mark: '!subteam^', field: 'usergroup_id' },
  channel: { mark: '#', field: 'channel_id' },
  broadcast: { mark: '!', field: 'range' },
  team: { mark: '@', field: 'team_id' },
};

function everyPiece(shown: Readable): Piece[] {
  const objects = objectsIn(shown.blocks);
  // Beside blocks the text is only a notification, in which addresses stay text.
  const verbatim = objects.length > 0;
  const own = typeof shown.text === 'string' ? pieces(shown.text, { verbatim }) : [];
  const inBlocks = objects
    .filter(({ type }) => type === 'mrkdwn' || type === 'markdown')
    .flatMap((object) => pieces(String(object['text']), { verbatim: object['verbatim'] === true }));
  return [...own, ...inBlocks].flatMap(flat);
}

const flat = (piece: Piece): Piece[] => ('inner' in piece ? piece.inner.flatMap(flat) : [piece]);

/** Every text in Slack's own format, however deep it stands. */
export const mrkdwnIn = (shown: unknown): Json[] => objectsIn(shown).filter(({ type }) => type === 'mrkdwn');

/** Every object in the blocks that has a type, however deep. */
function objectsIn(value: unknown): Json[] {
  if (Array.isArray(value)) return value.flatMap(objectsIn);
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap(objectsIn);
  return 'type' in value ? [value, ...inner] : inner;
}

const richElements = (blocks: unknown): Json[] =>
  objectsIn(blocks)
    .filter(({ type }) => type === 'rich_text')
    .flatMap((block) => objectsIn(block['elements']));
