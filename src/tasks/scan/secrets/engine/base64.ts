/**
 * Where a secret stands inside base64 text: `skip` bytes into what the four-character groups from `from` on
 * decode to. Positions count from the start of the object's text.
 */
export interface Base64Place {
  readonly from: number;
  readonly skip: number;
  readonly length: number;
}

/** What a literal looks like in base64 when it begins `phase` bytes after a three-byte border. */
export interface Base64Literal {
  readonly text: string;
  readonly phase: number;
}

// A fragment of fewer characters stands in any longer base64 text by chance.
const SHORTEST_FRAGMENT = 4;
// How much is decoded: the longest key in armour, and no more than a block can see beyond its end.
const MAX_ENCODED = 16 * 1024;
// Groups decoded before the literal, so that a pattern sees what precedes it.
const GROUPS_BEFORE = 4;

/** The three looks of a literal in base64, without the characters that its neighbours have a part in. */
export function base64Literals(literal: string): readonly Base64Literal[] {
  return [0, 1, 2]
    .map((phase) => {
      const encoded = Buffer.from('\0'.repeat(phase) + literal, 'latin1').toString('base64');
      const from = firstCharacter(phase);
      const to = Math.floor(((phase + literal.length) * 8) / 6);
      return { text: encoded.slice(from, to), phase };
    })
    .filter(({ text }) => text.length >= SHORTEST_FRAGMENT);
}

/** Which character of its group is the first that a byte of this phase fills alone. */
const firstCharacter = (phase: number): number => Math.ceil((phase * 8) / 6);

/** Text that was decoded around a literal: it begins at `from`, the literal stands `literalAt` bytes into it. */
export interface Decoded {
  readonly text: string;
  readonly from: number;
  readonly literalAt: number;
}

/** Decodes the base64 text around a fragment that begins at `at`; undefined when the letters' case differs. */
export function decodeAround(text: string, at: number, fragment: Base64Literal): Decoded | undefined {
  if (!text.startsWith(fragment.text, at)) return undefined;
  const group = at - firstCharacter(fragment.phase);
  if (group < 0) return undefined;
  let before = 0;
  while (before < GROUPS_BEFORE && isBase64(text, group - 4 * (before + 1), 4)) before++;
  const from = group - 4 * before;
  const run = /^[A-Za-z0-9+/_-]*/.exec(text.slice(from, from + MAX_ENCODED))?.[0] ?? '';
  return {
    text: Buffer.from(run, 'base64').toString('latin1'),
    from,
    literalAt: 3 * before + fragment.phase,
  };
}

const isBase64 = (text: string, from: number, length: number): boolean =>
  from >= 0 && /^[A-Za-z0-9+/_-]{4}$/.test(text.slice(from, from + length));

/** The characters of the encoded text that hold any bit of a stretch of decoded bytes. */
export function encodedSpan({ from, skip, length }: Base64Place): {
  readonly start: number;
  readonly end: number;
} {
  return { start: from + Math.floor((skip * 8) / 6), end: from + Math.ceil(((skip + length) * 8) / 6) };
}

/** The secret at a place; `bytes` holds the text from `base` on. */
export function decodeAt(bytes: Buffer, base: number, place: Base64Place): string {
  const from = place.from - base;
  const encoded = bytes.toString('latin1', from, from + 4 * Math.ceil((place.skip + place.length) / 3));
  return Buffer.from(encoded, 'base64').toString('latin1', place.skip, place.skip + place.length);
}
