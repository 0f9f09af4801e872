import { decodeLayer } from './layer.js';
import type { Decoded, Layer } from './layer.js';

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

/** What was decoded around a literal, which stands `literalAt` bytes into it. */
export interface Around {
  readonly layer: Layer;
  readonly decoded: Decoded;
  readonly literalAt: number;
}

/** Decodes the base64 text around a fragment that begins at `at`; undefined when the letters' case differs. */
export function decodeAround(text: string, at: number, fragment: Base64Literal): Around | undefined {
  if (!text.startsWith(fragment.text, at)) return undefined;
  const group = at - firstCharacter(fragment.phase);
  if (group < 0) return undefined;
  let before = 0;
  while (before < GROUPS_BEFORE && isBase64(text, group - 4 * (before + 1), 4)) before++;
  const from = group - 4 * before;
  const run = /^[A-Za-z0-9+/_-]*/.exec(text.slice(from, from + MAX_ENCODED))?.[0] ?? '';
  const layer: Layer = { encoding: 'base64', from: 0, to: run.length, codedFrom: 0, codedTo: run.length };
  const decoded = decodeLayer(Buffer.from(run, 'latin1'), layer);
  return { ...standingAt(from, layer, decoded), literalAt: 3 * before + fragment.phase };
}

/** The same with positions of the text that the run was taken from. */
const standingAt = (from: number, layer: Layer, decoded: Decoded) => ({
  layer: { ...layer, from, to: layer.to + from, codedFrom: from, codedTo: layer.codedTo + from },
  decoded: { ...decoded, starts: decoded.starts.subarray(0, decoded.to + 1).map((start) => start + from) },
});

const isBase64 = (text: string, from: number, length: number): boolean =>
  from >= 0 && /^[A-Za-z0-9+/_-]{4}$/.test(text.slice(from, from + length));
