const SHOWN_CHARACTERS = 200;
// Half a secret is none that anybody would find and mask, so that no word is shown in part.
const CUT_AT_END = /[\w+=~-]+$/;
const CUT_AT_START = /^[\w+=~-]+/;

/**
 * A member's name as it may be shown: never used as a path. Control, bidirectional and invisible characters become
 * `\u{…}`, so that no name can look like another one or break a line; a name's `!` stays, the path is for people.
 */
export function shownName(raw: string): string {
  const safe = raw
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`)
    .trim();
  if (safe === '') return '(no name)';
  const characters = Array.from(safe);
  if (characters.length <= SHOWN_CHARACTERS) return safe;
  const half = SHOWN_CHARACTERS / 2;
  const [head, tail] = [characters.slice(0, half).join(''), characters.slice(-half).join('')];
  return `${head.replace(CUT_AT_END, '')}…${tail.replace(CUT_AT_START, '')}`;
}

/** The last part of an object's key, as the first part of its members' paths. */
export function shownKey(key: string): string {
  const parts = key.split('/').filter(Boolean);
  return shownName(parts.at(-1) ?? key);
}
