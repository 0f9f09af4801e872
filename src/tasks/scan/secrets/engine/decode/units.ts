import type { Encoding, Output } from './layer.js';

type Decoder = (source: Buffer, from: number, to: number, out: Output) => void;

const NOT_HEX = 255;
const HEX = table(NOT_HEX, '0123456789abcdef', '0123456789ABCDEF');
const NOT_BASE64 = 255;
/** Both alphabets of RFC 4648. */
export const SEXTETS = table(
  NOT_BASE64,
  'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
  `${' '.repeat(62)}-_`,
);
const NOT_ASCII = 0xff;

function table(missing: number, ...alphabets: readonly string[]): Uint8Array {
  const values = new Uint8Array(256).fill(missing);
  for (const alphabet of alphabets)
    for (const [value, letter] of alphabet.split('').entries())
      if (letter !== ' ') values[letter.charCodeAt(0)] = value;
  return values;
}

/** Decodes `[from, to)` of the source. What is not written in the encoding is passed on as it stands. */
export function decodeUnits(encoding: Encoding, source: Buffer, from: number, to: number, out: Output): void {
  DECODERS[encoding](source, from, to, out);
}

const DECODERS: Readonly<Record<Encoding, Decoder>> = {
  base64(source, from, to, out) {
    let bits = 0;
    let count = 0;
    let start = from;
    for (let at = from; at < to; at++) {
      const sextet = SEXTETS[source[at]!]!;
      if (sextet === NOT_BASE64) continue;
      if (count === 0) start = at;
      bits = (bits << 6) | sextet;
      if (++count < 4) continue;
      out.add((bits >> 16) & 255, start);
      out.add((bits >> 8) & 255, start);
      out.add(bits & 255, start);
      bits = 0;
      count = 0;
    }
    if (count > 1) out.add((bits >> (6 * count - 8)) & 255, start);
    if (count > 2) out.add((bits >> 2) & 255, start);
  },
  hex(source, from, to, out) {
    for (let at = from; at + 1 < to; at += 2) out.add(HEX[source[at]!]! * 16 + HEX[source[at + 1]!]!, at);
  },
  percent(source, from, to, out) {
    const { bytes, starts } = out;
    let { length } = out;
    for (let at = from; at < to; at++) {
      const letter = source[at]!;
      starts[length] = at;
      const byte = letter === 0x25 ? pair(source, at + 1, to) : undefined;
      bytes[length++] = byte ?? letter;
      if (byte !== undefined) at += 2;
    }
    out.length = length;
  },
  escape: matching(
    /\\u\{0{0,4}([0-9a-f]{1,6})\}|\\u([0-9a-f]{4})|\\U([0-9a-f]{8})|\\x([0-9a-f]{2})|\bU\+0{0,4}([0-9a-f]{4})|\\([0-3][0-7]{2})/gi,
    (_, ...[braces, unit, long, byte, plus, octal]) =>
      octal === undefined
        ? Number.parseInt(braces ?? unit ?? long ?? byte ?? plus ?? '', 16)
        : Number.parseInt(octal, 8),
  ),
  html: matching(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,8}));/gi, (whole, decimal, hex, name) => {
    if (decimal !== undefined) return Number(decimal);
    if (hex !== undefined) return Number.parseInt(hex, 16);
    return NAMED.get(name ?? '') ?? whole;
  }),
  'quoted-printable'(source, from, to, out) {
    for (let at = from; at < to;) {
      const isMark = source[at] === 0x3d;
      const lineEnd = isMark ? softBreak(source, at + 1, to) : undefined;
      if (lineEnd !== undefined) {
        at = lineEnd;
        continue;
      }
      const byte = isMark ? pair(source, at + 1, to) : undefined;
      out.add(byte ?? source[at]!, at);
      at += byte === undefined ? 1 : 3;
    }
  },
  'utf-16le': wide(2, 0),
  'utf-16be': wide(2, 1),
  'utf-32le': wide(4, 0),
  'utf-32be': wide(4, 3),
};

export const isHexDigit = (byte: number): boolean => HEX[byte] !== NOT_HEX;

/** The byte that two hexadecimal digits at `at` stand for. */
export function pair(source: Uint8Array, at: number, to: number): number | undefined {
  if (at + 1 >= to) return undefined;
  const high = HEX[source[at]!]!;
  const low = HEX[source[at + 1]!]!;
  return high === NOT_HEX || low === NOT_HEX ? undefined : high * 16 + low;
}

/** The start of the next line, when nothing but blanks stands before it. */
export function softBreak(source: Uint8Array, from: number, to: number): number | undefined {
  let at = from;
  while (at < to && (source[at] === 0x20 || source[at] === 0x09)) at++;
  if (at < to && source[at] === 0x0d) at++;
  return at < to && source[at] === 0x0a ? at + 1 : undefined;
}

/** Entities that stand for characters of tokens, and for what stands around them. */
const NAMED: ReadonlyMap<string, number> = new Map(
  Object.entries({
    amp: '&',
    quot: '"',
    apos: "'",
    lt: '<',
    gt: '>',
    nbsp: ' ',
    Tab: '\t',
    NewLine: '\n',
    equals: '=',
    colon: ':',
    semi: ';',
    comma: ',',
    period: '.',
    sol: '/',
    bsol: '\\',
    plus: '+',
    dash: '-',
    hyphen: '-',
    lowbar: '_',
    num: '#',
    percnt: '%',
    dollar: '$',
    commat: '@',
    excl: '!',
    ast: '*',
  }).map(([name, character]) => [name, character.charCodeAt(0)]),
);

type Meaning = (whole: string, ...groups: (string | undefined)[]) => number | string;

/** An encoding of single characters, each written as the pattern says; the meaning is a code point or what stood there. */
function matching(pattern: RegExp, meaning: Meaning): Decoder {
  return (source, from, to, out) => {
    const text = source.toString('latin1', from, to);
    let done = 0;
    for (const match of text.matchAll(pattern)) {
      for (; done < match.index; done++) out.add(text.charCodeAt(done), from + done);
      const [whole, ...groups] = match;
      const means = meaning(whole, ...groups);
      if (typeof means === 'string') continue;
      for (const byte of utf8(means)) out.add(byte, from + match.index);
      done = match.index + whole.length;
    }
    for (; done < text.length; done++) out.add(text.charCodeAt(done), from + done);
  };
}

/** A code point in the bytes of UTF-8; half of a surrogate pair is no character of a secret. */
function utf8(codePoint: number): Iterable<number> {
  if (codePoint < 0x80) return [codePoint];
  return codePoint > 0x10_ff_ff ? [NOT_ASCII] : Buffer.from(String.fromCodePoint(codePoint), 'utf8');
}

function wide(bytes: number, low: number): Decoder {
  return (source, from, to, out) => {
    for (let at = from; at + bytes <= to; at += bytes) {
      let others = 0;
      for (let i = 0; i < bytes; i++) if (i !== low) others |= source[at + i]!;
      const byte = source[at + low]!;
      out.add(others === 0 && byte < 128 ? byte : NOT_ASCII, at);
    }
  };
}
