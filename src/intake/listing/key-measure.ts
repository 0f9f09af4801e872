/** The keys between two others. */
export interface KeyRange {
  readonly from: string;
  readonly to: string;
}

// Eight places tell apart far more than a page's thousand keys.
const PLACES = 8;
const ENOUGH_KEYS = 15;

/**
 * How far apart keys of a range are: what follows their common beginning is read as a number, whose digits at each place
 * are the characters that were seen there. So nothing lies between `9` and `a`, and numbers, dates and hashes are spread
 * evenly. Only differences within one range mean something.
 */
export class KeyMeasure {
  private readonly skip: number;
  /** Characters seen at each place, in order. */
  private readonly digits: readonly string[];

  /** @param keys some of the range's; the more, the better. */
  constructor(
    private readonly range: KeyRange,
    keys: readonly string[],
  ) {
    this.skip = commonLength(range);
    // Keys that begin otherwise are written otherwise, but some are needed to learn from.
    const start = range.from.slice(0, this.skip);
    const alike = keys.filter((key) => key.startsWith(start));
    const seen = [...(alike.length < ENOUGH_KEYS ? keys : alike), range.from, range.to];
    this.digits = Array.from({ length: PLACES }, (_, i) =>
      filled([...new Set(seen.map((key) => key.charAt(this.skip + i)))].filter((char) => char !== '')),
    );
  }

  /** Between 0 and 1. */
  positionOf(key: string): number {
    let position = 0;
    let weight = 1;
    for (const [i, digits] of this.digits.entries()) {
      // Digit 0: the key ends here.
      const base = digits.length + 1;
      weight /= base;
      const char = key.charAt(this.skip + i);
      if (char !== '') position += weight * Math.min(base - 1, 1 + rankOf(char, digits));
    }
    return position;
  }

  /** A text about in the middle between a key of the range and its end; `undefined` when there is none. */
  middleFrom(from: string): string | undefined {
    const { to } = this.range;
    let rest = (this.positionOf(from) + this.positionOf(to)) / 2;
    let key = to.slice(0, this.skip);
    for (const digits of this.digits) {
      rest *= digits.length + 1;
      const digit = Math.min(digits.length, Math.floor(rest));
      if (digit === 0) break;
      key += digits.charAt(digit - 1);
      rest -= digit;
    }
    const middle = key.toWellFormed();
    return middle > from && middle < to ? middle : undefined;
  }
}

const CLASSES = [/^[0-9]$/, /^[a-z]$/, /^[A-Z]$/];

/**
 * The characters in order, with those of their kinds that lie between the first and the last: where 3 and 7 are used, 5 is
 * as well, and where 1 and a are, so is 8.
 */
function filled(chars: readonly string[]): string {
  const codes = chars.map((char) => char.charCodeAt(0));
  const all = new Set(chars);
  for (const kind of CLASSES.filter((one) => chars.some((char) => one.test(char)))) {
    for (let code = Math.min(...codes); code <= Math.min(Math.max(...codes), HIGHEST_LETTER); code += 1) {
      const char = String.fromCharCode(code);
      if (kind.test(char)) all.add(char);
    }
  }
  return [...all].sort().join('');
}

const HIGHEST_LETTER = 0x7a;

/** How many characters two keys begin with alike. */
export function commonLength({ from, to }: KeyRange): number {
  let length = 0;
  while (length < from.length && from.charAt(length) === to.charAt(length)) length += 1;
  return length;
}

/** How many of the digits are before this one. */
function rankOf(char: string, digits: string): number {
  let rank = 0;
  while (rank < digits.length && digits.charAt(rank) < char) rank += 1;
  return rank;
}
