/**
 * A set of bytes, one flag for each. Patterns are matched against latin1 text, where a character is a byte,
 * so 256 flags say all there is to say about a class.
 */
export type ByteSet = Uint8Array;

export const emptySet = (): ByteSet => new Uint8Array(256);

export function rangeSet(...ranges: readonly (readonly [number, number])[]): ByteSet {
  const set = emptySet();
  for (const [from, to] of ranges) set.fill(1, from, to + 1);
  return set;
}

export const byteSet = (byte: number): ByteSet => rangeSet([byte, byte]);

export function addAll(target: ByteSet, other: ByteSet): void {
  for (let i = 0; i < 256; i++) if (other[i] === 1) target[i] = 1;
}

export function negate(set: ByteSet): ByteSet {
  return set.map((flag) => 1 - flag);
}

/** Adds the other case of every ASCII letter in the set, in place. */
export function foldCase(set: ByteSet): ByteSet {
  for (let upper = 65; upper <= 90; upper++) {
    const lower = upper + 32;
    if (set[upper] === 1 || set[lower] === 1) set[upper] = set[lower] = 1;
  }
  return set;
}

export function members(set: ByteSet): number[] {
  const found: number[] = [];
  for (let i = 0; i < 256; i++) if (set[i] === 1) found.push(i);
  return found;
}

const code = (char: string): number => char.charCodeAt(0);
const digit = rangeSet([code('0'), code('9')]);
const word = rangeSet(
  [code('0'), code('9')],
  [code('A'), code('Z')],
  [code('a'), code('z')],
  [code('_'), code('_')],
);
// Go's \s has no vertical tab, unlike JavaScript's.
const space = rangeSet([9, 10], [12, 13], [32, 32]);

/** Perl classes as RE2 defines them: ASCII only. */
export const perlClasses: Readonly<Record<string, ByteSet>> = {
  d: digit,
  D: negate(digit),
  w: word,
  W: negate(word),
  s: space,
  S: negate(space),
};

/** POSIX classes, as written between `[:` and `:]`. */
export const posixClasses: Readonly<Record<string, ByteSet>> = {
  alnum: rangeSet([48, 57], [65, 90], [97, 122]),
  alpha: rangeSet([65, 90], [97, 122]),
  ascii: rangeSet([0, 127]),
  blank: rangeSet([9, 9], [32, 32]),
  cntrl: rangeSet([0, 31], [127, 127]),
  digit,
  graph: rangeSet([33, 126]),
  lower: rangeSet([97, 122]),
  print: rangeSet([32, 126]),
  punct: rangeSet([33, 47], [58, 64], [91, 96], [123, 126]),
  space: rangeSet([9, 13], [32, 32]),
  upper: rangeSet([65, 90]),
  word,
  xdigit: rangeSet([48, 57], [65, 70], [97, 102]),
};
