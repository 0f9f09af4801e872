/*
 * Object names, member paths and rule titles come from whoever uploaded the object. Everything that shows them to a
 * person goes through here, so that a name stays a name: no markup, no link, no mention, no hidden direction change.
 */

// Invisible or misleading: controls, line separators, zero-width and bidirectional marks, fillers, variation
// selectors, interlinear marks and non-characters, tags.
const HIDDEN =
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]|\u034f|\u115f|\u1160|\u17b4|\u17b5|[\u180b-\u180f]|\u3164|[\ufe00-\ufe0f]|\uffa0|[\u{e0100}-\u{e01ef}]/gu;

/**
 * One line in which every character can be seen: hidden ones become `\u{…}`. At most `max` code points long, cut in
 * the middle so that the start and the extension stay.
 */
export function visible(text: string, max: number): string {
  const shown = text
    .toWellFormed()
    .replace(HIDDEN, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
  const points = Array.from(shown);
  if (points.length <= max) return shown;
  const tail = Math.floor((max - 1) / 3);
  const head = max - 1 - tail;
  return `${points.slice(0, head).join('')}…${tail === 0 ? '' : points.slice(-tail).join('')}`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for an HTML element or a quoted attribute. */
export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

/** The same name in a form that no mail reader turns into a link: `evil[.]example`, `https[:]//…`, `a[@]b`. */
export const defanged = (text: string): string =>
  text
    .replaceAll('://', '[:]//')
    .replaceAll('@', '[@]')
    // Before a letter only: no top-level domain starts with a digit, and version numbers stay readable.
    .replace(/\.(?=\p{L})/gu, '[.]');

/** A size for people: `12.3 MB`. */
export function sizeText(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ''}`;
}

/** A time for people: `850 ms`, `4.2 s`, `3 min 10 s`, `2 h 5 min`, `9 d 4 h`. */
export function durationText(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.max(0, Math.round(milliseconds))} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  if (seconds < 2 * 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

/** Lines of what somebody wrote; every character can be seen. */
export const visibleLines = (text: string): string[] =>
  text
    .split(/\r\n|[\r\n]/)
    .slice(0, 100)
    .map((line) => visible(line, 2_000));
