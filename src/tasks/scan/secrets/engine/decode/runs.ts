import type { Encoding, Layer } from './layer.js';
import { isHexDigit, pair, SEXTETS } from './units.js';

// Shorter ones hold no secret: 15 bytes.
const SHORTEST_BASE64 = 20;
const SHORTEST_HEX = 32;
// Lines of an encoded file have 64 or 76 characters; shorter ones next to one another are words.
const SHORTEST_LINE = 56;
// What a pattern may look for in front of a value that is encoded: the name that it is assigned to.
const CONTEXT_BEFORE = 64;
const CONTEXT_AFTER = 8;
// So much is looked at to tell text from anything else that base64 or hex may hold.
const TASTED_BYTES = 24;
// So much first: it tells most of what is no text.
const FIRST_TASTED = 6;
// Of them: an accent of Latin-1, an escape of a terminal.
const MOST_STRANGE = 2;
const MAX_SEPARATORS = 3;
const LONGEST_INDENT = 40;

const IN_RUN = new Uint8Array(256);
const IS_TEXT = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  IN_RUN[byte] = SEXTETS[byte] === 255 ? 0 : 1;
  IS_TEXT[byte] = byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte < 127) ? 1 : 0;
}
const IS_SEPARATOR = new Uint8Array(256);
for (const letter of '-_/+') IS_SEPARATOR[letter.charCodeAt(0)] = 1;

/** Finds the stretches of base64 and hex in `[from, to)` that hold text; one may reach on to `end`. */
export function findRuns(bytes: Buffer, from: number, to: number, end: number): Layer[] {
  const found: Layer[] = [];
  let low = from;
  // The end of the run that was looked at last: something may have been found in the middle of it.
  let knownStop = from;
  // Any run has a character at one of these places; the others need not be looked at.
  for (let at = from + SHORTEST_BASE64 - 1; at < to + SHORTEST_BASE64 - 1 && at < end;) {
    if (!mayBeInRun(bytes, at)) {
      at += SHORTEST_BASE64;
      continue;
    }
    let start = at;
    while (start > low && IN_RUN[bytes[start - 1]!] === 1) start--;
    let stop = Math.max(at + 1, knownStop);
    while (stop < end && IN_RUN[bytes[stop]!] === 1) stop++;
    knownStop = stop;
    if (stop - start < SHORTEST_BASE64 || start >= to) {
      at = stop + SHORTEST_BASE64;
      continue;
    }
    const layer = runOf(bytes, start, stop, from, end);
    if (layer !== undefined) found.push(layer);
    // A run may go on behind what was found in it.
    low = layer?.codedTo ?? stop;
    at = low + SHORTEST_BASE64;
  }
  return found;
}

/**
 * Whether a run may go by this place: the shortest one holds the ten places before it or the ten behind it. Every second of
 * them is looked at, without a branch: where words end cannot be foretold, and what is guessed wrong costs more than the
 * looking.
 */
function mayBeInRun(bytes: Buffer, at: number): boolean {
  if (at < 10 || at + 10 >= bytes.length) return IN_RUN[bytes[at]!] === 1;
  const before =
    IN_RUN[bytes[at - 2]!]! &
    IN_RUN[bytes[at - 4]!]! &
    IN_RUN[bytes[at - 6]!]! &
    IN_RUN[bytes[at - 8]!]! &
    IN_RUN[bytes[at - 10]!]!;
  const behind =
    IN_RUN[bytes[at + 2]!]! &
    IN_RUN[bytes[at + 4]!]! &
    IN_RUN[bytes[at + 6]!]! &
    IN_RUN[bytes[at + 8]!]! &
    IN_RUN[bytes[at + 10]!]!;
  return (IN_RUN[bytes[at]!]! & (before | behind)) === 1;
}

function runOf(bytes: Buffer, start: number, stop: number, from: number, end: number): Layer | undefined {
  const hex = stop - start < SHORTEST_HEX ? undefined : hexIn(bytes, start, stop);
  if (hex !== undefined) return layerOf('hex', hex.from, hex.to, from, end);
  const coded = base64In(bytes, start, stop, start === from);
  return coded < 0 ? undefined : layerOf('base64', coded, lastLine(bytes, start, stop, end), from, end);
}

function layerOf(encoding: Encoding, codedFrom: number, codedTo: number, low: number, high: number): Layer {
  return {
    encoding,
    from: Math.max(low, codedFrom - CONTEXT_BEFORE),
    to: Math.min(high, codedTo + CONTEXT_AFTER),
    codedFrom,
    codedTo,
  };
}

/** Where groups of four begin that hold text, or -1: where the run does, or behind a prefix that looks like a part of it. */
function base64In(bytes: Buffer, start: number, stop: number, isCut: boolean): number {
  const last = start + (isCut ? 3 : lettersOfEscape(bytes, start));
  for (let at = start; at <= last; at++) if (isBase64Text(bytes, at, stop)) return at;
  let separators = 0;
  const to = Math.min(stop - SHORTEST_BASE64, start + CONTEXT_BEFORE);
  for (let at = start; at < to && separators < MAX_SEPARATORS; at++) {
    if (IS_SEPARATOR[bytes[at]!] === 0) continue;
    if (isBase64Text(bytes, at + 1, stop)) return at + 1;
    separators++;
  }
  return -1;
}

/** How many characters of a run may belong to what is written otherwise before it: `\\n`, `%20`. */
function lettersOfEscape(bytes: Buffer, start: number): number {
  const before = start > 0 ? bytes[start - 1] : 0;
  return before === 0x5c ? 1 : before === 0x25 ? 2 : 0;
}

/** The end of the run, with the lines that follow when it is one line of an encoded file. */
function lastLine(bytes: Buffer, start: number, stop: number, end: number): number {
  let lineStart = start;
  let last = stop;
  while (last - lineStart >= SHORTEST_LINE) {
    let next = last;
    if (bytes[next] === 0x0d) next++;
    if (bytes[next] !== 0x0a) break;
    next++;
    const indented = next;
    while (next < end && next - indented < LONGEST_INDENT && (bytes[next] === 0x20 || bytes[next] === 0x09))
      next++;
    lineStart = next;
    while (next < end && IN_RUN[bytes[next]!] === 1) next++;
    if (next === lineStart) break;
    last = next;
  }
  for (let padding = 0; padding < 2 && bytes[last] === 0x3d && last < end; padding++) last++;
  return last;
}

/** The first stretch of digits in a run that is long enough and says something; a name may stand before it. */
function hexIn(bytes: Buffer, start: number, stop: number): { from: number; to: number } | undefined {
  for (let at = start + SHORTEST_HEX - 1; at < stop;) {
    if (!isHexDigit(bytes[at]!)) {
      at += SHORTEST_HEX;
      continue;
    }
    let from = at;
    while (from > start && isHexDigit(bytes[from - 1]!)) from--;
    let to = at + 1;
    while (to < stop && isHexDigit(bytes[to]!)) to++;
    // One digit too many may be the end of the name.
    for (let first = from; first <= from + 1 && to - first >= SHORTEST_HEX; first++)
      if (isHexText(bytes, first, to)) return { from: first, to: to - ((to - first) % 2) };
    at = to + SHORTEST_HEX;
  }
  return undefined;
}

/** The first bytes of what a run decodes to. */
const taste = new Uint8Array(TASTED_BYTES);

function isHexText(bytes: Buffer, from: number, to: number): boolean {
  const count = Math.min(TASTED_BYTES, (to - from) >> 1);
  for (let i = 0; i < count; i++) {
    if (i === FIRST_TASTED && !isText(i)) return false;
    taste[i] = pair(bytes, from + 2 * i, to)!;
  }
  return isText(count);
}

function isBase64Text(bytes: Buffer, from: number, to: number): boolean {
  const most = Math.min(TASTED_BYTES, Math.floor(((to - from) * 3) / 4));
  const count = most - (most % 3);
  for (let i = 0, at = from; i < count; i += 3, at += 4) {
    if (i === FIRST_TASTED && !isText(i)) return false;
    const bits =
      (SEXTETS[bytes[at]!]! << 18) |
      (SEXTETS[bytes[at + 1]!]! << 12) |
      (SEXTETS[bytes[at + 2]!]! << 6) |
      SEXTETS[bytes[at + 3]!]!;
    taste[i] = (bits >> 16) & 255;
    taste[i + 1] = (bits >> 8) & 255;
    taste[i + 2] = bits & 255;
  }
  return isText(count);
}

/**
 * Whether the first bytes are text: in UTF-8, or with zeros between, as PowerShell's encoded commands are. What is text is
 * so from its first byte on.
 */
function isText(count: number): boolean {
  if (isUtf8(count) || isMostlyText(count)) return true;
  if (taste[0] !== 0 && taste[1] !== 0) return false;
  return isWide(count, 2, 0) || isWide(count, 2, 1) || isWide(count, 4, 0) || isWide(count, 4, 3);
}

/** Whether these bytes are UTF-8; they may begin in the middle of a character, where a block does. */
function isUtf8(count: number): boolean {
  let first = 0;
  while (first < 3 && (taste[first]! & 0xc0) === 0x80) first++;
  for (let i = first; i < count;) {
    const byte = taste[i++]!;
    let more = 0;
    if (byte >= 0xc2 && byte < 0xf5) more = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    else if (IS_TEXT[byte] === 0) return false;
    for (; more > 0 && i < count; more--) if ((taste[i++]! & 0xc0) !== 0x80) return false;
  }
  return true;
}

/** In another character set, or with a control character in it. */
function isMostlyText(count: number): boolean {
  let letters = 0;
  for (let i = 0; i < count; i++) letters += IS_TEXT[taste[i]!]!;
  return count - letters <= MOST_STRANGE;
}

function isWide(count: number, width: number, low: number): boolean {
  for (let i = 0; i < count; i++)
    if (i % width === low ? IS_TEXT[taste[i]!] === 0 : taste[i] !== 0) return false;
  return true;
}
