import { members } from './byte-set.js';
import type { ByteSet } from './byte-set.js';
import type { Pattern } from './pattern.js';

/** The longest text that a pattern can match, in bytes; Infinity when it has no bound. */
export function maxLength(pattern: Pattern): number {
  switch (pattern.kind) {
    case 'set':
      return 1;
    case 'assertion':
      return 0;
    case 'concat':
      return pattern.items.reduce((sum, item) => sum + maxLength(item), 0);
    case 'alternate':
      return Math.max(...pattern.branches.map(maxLength));
    case 'capture':
      return maxLength(pattern.inner);
  }
  const inner = maxLength(pattern.inner);
  return inner === 0 || pattern.max === 0 ? 0 : inner * pattern.max;
}

/** The shortest text that a pattern can match, in bytes. */
export function minLength(pattern: Pattern): number {
  switch (pattern.kind) {
    case 'set':
      return 1;
    case 'assertion':
      return 0;
    case 'concat':
      return pattern.items.reduce((sum, item) => sum + minLength(item), 0);
    case 'alternate':
      return Math.min(...pattern.branches.map(minLength));
    case 'capture':
      return minLength(pattern.inner);
  }
  return minLength(pattern.inner) * pattern.min;
}

/** How many captures a pattern has: the highest number that `secretGroup` may name. */
export function countCaptures(pattern: Pattern): number {
  switch (pattern.kind) {
    case 'set':
    case 'assertion':
      return 0;
    case 'concat':
      return pattern.items.reduce((sum, item) => sum + countCaptures(item), 0);
    case 'alternate':
      return pattern.branches.reduce((sum, item) => sum + countCaptures(item), 0);
    case 'capture':
      return 1 + countCaptures(pattern.inner);
  }
  return countCaptures(pattern.inner);
}

/** A beginning that a match can have. `open` when the node matches exactly this and more may follow. */
interface Beginning {
  readonly text: string;
  readonly open: boolean;
}

// 64 strings cover every alternation of names in practice; a larger set means the pattern has no telling beginning.
const MAX_BEGINNINGS = 64;
// A class of at most this many letters (case folded) is spelled out, as in gh[pousr]_.
const MAX_SPELLED_CLASS = 6;
const MAX_BEGINNING_LENGTH = 16;

/**
 * The literal beginnings of which every match has one, ASCII lower case, none a prefix of another.
 * Undefined when some match begins with fewer than two known bytes.
 */
export function literalBeginnings(pattern: Pattern): readonly string[] | undefined {
  return shortest(beginnings(pattern, true));
}

/** The same in the case in which they are written; undefined for a pattern that takes either case. */
export function exactBeginnings(pattern: Pattern): readonly string[] | undefined {
  return shortest(beginnings(pattern, false));
}

function shortest(found: readonly Beginning[]): readonly string[] | undefined {
  const texts = [...new Set(found.map((beginning) => beginning.text))];
  if (texts.length > MAX_BEGINNINGS || texts.some((text) => text.length < 2)) return undefined;
  return texts.filter((text) => !texts.some((other) => other !== text && text.startsWith(other)));
}

const unknown: readonly Beginning[] = [{ text: '', open: false }];
const nothing: readonly Beginning[] = [{ text: '', open: true }];

function beginnings(pattern: Pattern, fold: boolean): readonly Beginning[] {
  switch (pattern.kind) {
    case 'set':
      return ofSet(pattern.set, fold);
    case 'assertion':
      return nothing;
    case 'concat':
      return sequence(pattern.items, fold);
    case 'alternate': {
      const all = pattern.branches.flatMap((branch) => beginnings(branch, fold));
      return all.length > MAX_BEGINNINGS ? unknown : all;
    }
    case 'capture':
      return beginnings(pattern.inner, fold);
  }
  return ofRepeat(pattern, fold);
}

function ofSet(set: ByteSet, fold: boolean): readonly Beginning[] {
  const letters = new Set(members(set).map((byte) => (fold && byte >= 65 && byte <= 90 ? byte + 32 : byte)));
  if (letters.size > MAX_SPELLED_CLASS) return unknown;
  return [...letters].map((byte) => ({ text: String.fromCharCode(byte), open: true }));
}

function ofRepeat(pattern: Extract<Pattern, { kind: 'repeat' }>, fold: boolean): readonly Beginning[] {
  const times = Math.min(pattern.min, MAX_BEGINNING_LENGTH);
  const required = sequence(
    Array.from({ length: times }, () => pattern.inner),
    fold,
  );
  if (pattern.min === pattern.max && times === pattern.min) return required;
  if (pattern.min === 0 && pattern.max === 1) return [...nothing, ...beginnings(pattern.inner, fold)];
  return required.map(({ text }) => ({ text, open: false }));
}

function sequence(items: readonly Pattern[], fold: boolean): readonly Beginning[] {
  let found = nothing;
  for (const item of items) {
    if (found.every(({ open, text }) => !open || text.length >= MAX_BEGINNING_LENGTH)) break;
    const next = beginnings(item, fold);
    if (found.length * next.length > MAX_BEGINNINGS) return found.map(({ text }) => ({ text, open: false }));
    found = found.flatMap((left) =>
      left.open && left.text.length < MAX_BEGINNING_LENGTH
        ? next.map((right) => ({ text: left.text + right.text, open: right.open }))
        : [left],
    );
  }
  return found;
}

/** Literals of which one stands in every match, between `minOffset` and `maxOffset` bytes after its start. */
export interface Anchor {
  readonly literals: readonly string[];
  readonly minOffset: number;
  readonly maxOffset: number;
}

// Each possible offset costs one try per hit; longer runs than 128 bytes are no token's beginning.
const MAX_OFFSETS = 8;
const MAX_OFFSET = 128;

/**
 * Finds the first place in a pattern where literals must stand at a known distance from the start, as in
 * `[0-9a-f]{32}-us[0-9]` or `[0-9]{8,10}:AA`. Undefined when there is none.
 */
export function findAnchor(pattern: Pattern): Anchor | undefined {
  const items = flatten(pattern);
  let minOffset = 0;
  let maxOffset = 0;
  for (let i = 0; i < items.length; i++) {
    const literals = literalBeginnings({ kind: 'concat', items: items.slice(i) });
    if (literals !== undefined) return { literals, minOffset, maxOffset };
    minOffset += minLength(items[i]!);
    maxOffset += maxLength(items[i]!);
    if (maxOffset > MAX_OFFSET || maxOffset - minOffset >= MAX_OFFSETS) return undefined;
  }
  return undefined;
}

/** The pattern as one sequence; only for measuring, since captures are opened up. */
function flatten(pattern: Pattern): readonly Pattern[] {
  if (pattern.kind === 'concat') return pattern.items.flatMap(flatten);
  return pattern.kind === 'capture' ? flatten(pattern.inner) : [pattern];
}

/** A pattern of the form `[class]{0,n}rest`, which most gitleaks rules for assignments have. */
export interface SplitPrefix {
  readonly prefix: ByteSet;
  readonly maxPrefix: number;
  readonly rest: Pattern;
}

/**
 * Takes a leading optional run such as `[\w.-]{0,50}?` off a pattern. The rest can then be tried exactly where its
 * literal stands, and the run is found again by walking back; this is most of the engine's speed on such rules.
 */
export function splitOptionalPrefix(pattern: Pattern): SplitPrefix | undefined {
  if (pattern.kind !== 'concat') return undefined;
  const [first, ...others] = pattern.items;
  if (first?.kind === 'concat' && first.items.length > 0)
    return splitOptionalPrefix({ kind: 'concat', items: [...first.items, ...others] });
  if (first?.kind !== 'repeat' || first.min !== 0 || first.max > 256 || first.inner.kind !== 'set')
    return undefined;
  return { prefix: first.inner.set, maxPrefix: first.max, rest: { kind: 'concat', items: others } };
}
