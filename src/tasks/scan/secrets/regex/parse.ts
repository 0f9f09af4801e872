import { PatternError } from '../errors.js';
import {
  addAll,
  byteSet,
  emptySet,
  foldCase,
  negate,
  perlClasses,
  posixClasses,
  rangeSet,
} from './byte-set.js';
import type { ByteSet } from './byte-set.js';
import type { Assertion, Pattern } from './pattern.js';

interface Flags {
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
}

// RE2's own bounds: more repetitions or nesting than this is refused there too.
const MAX_REPEAT = 1000;
const MAX_DEPTH = 200;
const MAX_PATTERN_LENGTH = 20_000;

/**
 * Parses a pattern in Go's RE2 syntax.
 *
 * Throws PatternError for what RE2 refuses (look-around, back-references) and for what the engine cannot keep
 * (`(?U)`, Unicode classes, non-ASCII members of a class), never guessing at a meaning.
 */
export function parsePattern(source: string): Pattern {
  if (source.length > MAX_PATTERN_LENGTH)
    throw new PatternError(`longer than ${MAX_PATTERN_LENGTH} characters`, 0);
  return new Parser(source).parse();
}

class Parser {
  #at = 0;
  #depth = 0;
  #flags: Flags = { ignoreCase: false, multiline: false, dotAll: false };

  constructor(private readonly source: string) {}

  parse(): Pattern {
    const pattern = this.#alternation();
    if (this.#at < this.source.length) this.#fail('unmatched ")"');
    return pattern;
  }

  #fail(message: string, at = this.#at): never {
    throw new PatternError(message, at);
  }

  #peek(): string {
    return this.source.charAt(this.#at);
  }

  #take(text: string): boolean {
    if (!this.source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #alternation(): Pattern {
    const branches = [this.#sequence()];
    while (this.#take('|')) branches.push(this.#sequence());
    return branches.length === 1 ? branches[0]! : { kind: 'alternate', branches };
  }

  #sequence(): Pattern {
    const items: Pattern[] = [];
    while (this.#at < this.source.length && this.#peek() !== '|' && this.#peek() !== ')') {
      const start = this.#at;
      const parsed = this.#atom();
      if (parsed.length === 0) continue;
      items.push(...parsed.slice(0, -1), this.#quantified(parsed.at(-1)!, start));
    }
    return items.length === 1 ? items[0]! : { kind: 'concat', items };
  }

  #quantified(inner: Pattern, start: number): Pattern {
    const bounds = this.#quantifier();
    if (bounds === undefined) return inner;
    if (inner.kind === 'assertion') this.#fail('a quantifier after an assertion is not supported', start);
    const lazy = this.#take('?');
    const again = this.#at;
    if (this.#quantifier() !== undefined) this.#fail('two quantifiers in a row', again);
    return { kind: 'repeat', inner, min: bounds[0], max: bounds[1], lazy };
  }

  #quantifier(): readonly [number, number] | undefined {
    if (this.#take('*')) return [0, Infinity];
    if (this.#take('+')) return [1, Infinity];
    if (this.#take('?')) return [0, 1];
    const counted = /^\{(\d{1,9})(,?)(\d{0,9})\}/.exec(this.source.slice(this.#at, this.#at + 24));
    if (counted === null) return undefined;
    const min = Number(counted[1]);
    const max = counted[2] === '' ? min : counted[3] === '' ? Infinity : Number(counted[3]);
    if (min > MAX_REPEAT || (max !== Infinity && max > MAX_REPEAT))
      this.#fail(`a repeat count is above ${MAX_REPEAT}`);
    if (max < min) this.#fail('a repeat ends below its start');
    this.#at += counted[0].length;
    return [min, max];
  }

  /** Usually one node; none for a flag group such as `(?i)`, several for a quoted or multi-byte literal. */
  #atom(): Pattern[] {
    const char = this.#peek();
    switch (char) {
      case '(':
        return this.#group();
      case '[':
        return [{ kind: 'set', set: this.#class() }];
      case '.':
        this.#at++;
        return [{ kind: 'set', set: this.#flags.dotAll ? rangeSet([0, 255]) : negate(byteSet(10)) }];
      case '^':
        this.#at++;
        return [assertion(this.#flags.multiline ? 'lineStart' : 'textStart')];
      case '$':
        this.#at++;
        return [assertion(this.#flags.multiline ? 'lineEnd' : 'textEnd')];
      case '\\':
        return this.#escape();
      case '*':
      case '+':
      case '?':
        return this.#fail(`"${char}" has nothing to repeat`);
      default:
        return this.#literal(this.#character());
    }
  }

  #character(): string {
    const char = String.fromCodePoint(this.source.codePointAt(this.#at)!);
    this.#at += char.length;
    return char;
  }

  /** A character as the bytes that it has in UTF-8; a quantifier must then see them as one. */
  #literal(char: string): Pattern[] {
    const items = [...Buffer.from(char, 'utf8')].map((byte) => this.#setOf(byteSet(byte)));
    return items.length === 1 ? items : [{ kind: 'concat', items }];
  }

  #setOf(set: ByteSet): Pattern {
    return { kind: 'set', set: this.#flags.ignoreCase ? foldCase(set) : set };
  }

  #group(): Pattern[] {
    const open = this.#at++;
    if (++this.#depth > MAX_DEPTH) this.#fail(`groups nested deeper than ${MAX_DEPTH}`, open);
    const outer = this.#flags;
    let name: string | undefined;
    let captures = true;
    if (this.#peek() === '?') {
      const named = /^\?P?<([A-Za-z_]\w*)>/.exec(this.source.slice(this.#at, this.#at + 80));
      if (named !== null) {
        name = named[1];
        this.#at += named[0].length;
      } else {
        captures = false;
        if (this.#flagGroup(open)) {
          this.#depth--;
          return [];
        }
      }
    }
    const inner = this.#alternation();
    if (!this.#take(')')) this.#fail('a "(" is never closed', open);
    this.#flags = outer;
    this.#depth--;
    return [captures ? { kind: 'capture', name, inner } : inner];
  }

  /** Reads `?i-s:` or `?i)`. True when the group is closed, its flags then hold for the rest of the enclosing one. */
  #flagGroup(open: number): boolean {
    if (/^\?(<?[=!]|>|\()/.test(this.source.slice(this.#at, this.#at + 4)))
      this.#fail('look-around, atomic and conditional groups do not exist in RE2', open);
    this.#at++;
    let on = true;
    for (;;) {
      const char = this.#peek();
      this.#at++;
      if (char === ':' || char === ')') return char === ')';
      if (char === '-' && on) on = false;
      else if (char === 'i') this.#flags = { ...this.#flags, ignoreCase: on };
      else if (char === 'm') this.#flags = { ...this.#flags, multiline: on };
      else if (char === 's') this.#flags = { ...this.#flags, dotAll: on };
      else if (char === 'U')
        this.#fail('the flag U (ungreedy) is not supported: write the lazy quantifiers out', open);
      else this.#fail(`unknown group or flag "(?${char}"`, open);
    }
  }

  #escape(): Pattern[] {
    const start = this.#at++;
    const char = this.#peek();
    const known = assertions[char];
    if (known !== undefined) {
      this.#at++;
      return [assertion(known)];
    }
    if (char === 'Q') return this.#quoted();
    const perl = perlClasses[char];
    if (perl !== undefined) {
      this.#at++;
      return [{ kind: 'set', set: perl }];
    }
    const value = this.#escapedCodePoint(start);
    return this.#literal(String.fromCodePoint(value));
  }

  #quoted(): Pattern[] {
    this.#at++;
    const end = this.source.indexOf('\\E', this.#at);
    const text = this.source.slice(this.#at, end < 0 ? undefined : end);
    this.#at = end < 0 ? this.source.length : end + 2;
    return Array.from(text).flatMap((char) => this.#literal(char));
  }

  /** The code point of an escape that stands for one character; `#at` is on the letter after the backslash. */
  #escapedCodePoint(start: number): number {
    const rest = this.source.slice(this.#at, this.#at + 12);
    const hex = /^x(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2}))/.exec(rest);
    if (hex !== null) {
      this.#at += hex[0].length;
      const value = Number.parseInt((hex[1] ?? hex[2])!, 16);
      return value <= 0x10ffff ? value : this.#fail('no such code point', start);
    }
    const octal = /^(0[0-7]{0,2}|[1-7][0-7]{2})/.exec(rest);
    if (octal !== null) {
      this.#at += octal[0].length;
      return Number.parseInt(octal[0], 8);
    }
    if (rest === '') this.#fail('ends with a backslash', start);
    const char = rest.charAt(0);
    const control = controls[char];
    if (control === undefined) {
      if (/[1-9]/.test(char)) this.#fail('back-references do not exist in RE2', start);
      if (char === 'p' || char === 'P')
        this.#fail('Unicode classes (\\p) are not supported: text is matched as bytes', start);
      if (/[A-Za-z]/.test(char)) this.#fail(`unknown escape "\\${char}"`, start);
    }
    const literal = this.#character();
    return control ?? literal.codePointAt(0)!;
  }

  #class(): ByteSet {
    const open = this.#at++;
    const negated = this.#take('^');
    const set = emptySet();
    let first = true;
    while (first || this.#peek() !== ']') {
      if (this.#at >= this.source.length) this.#fail('a "[" is never closed', open);
      first = false;
      const group = this.#classGroup();
      if (group !== undefined) {
        addAll(set, group);
        continue;
      }
      const from = this.#classByte();
      let to = from;
      if (
        this.#peek() === '-' &&
        this.source.charAt(this.#at + 1) !== ']' &&
        this.#at + 1 < this.source.length
      ) {
        this.#at++;
        to = this.#classByte();
      }
      if (to < from) this.#fail('a range in a class ends below its start', open);
      addAll(set, rangeSet([from, to]));
    }
    this.#at++;
    if (this.#flags.ignoreCase) foldCase(set);
    return negated ? negate(set) : set;
  }

  /** A `[:posix:]` or `\d`-like group inside a class. */
  #classGroup(): ByteSet | undefined {
    const rest = this.source.slice(this.#at, this.#at + 16);
    const posix = /^\[:(\^?)([a-z]+):\]/.exec(rest);
    if (posix !== null) {
      const known = posixClasses[posix[2]!] ?? this.#fail(`unknown class "[:${posix[2]!}:]"`);
      this.#at += posix[0].length;
      return posix[1] === '^' ? negate(known) : known;
    }
    const perl = rest.startsWith('\\') ? perlClasses[rest.charAt(1)] : undefined;
    if (perl !== undefined) this.#at += 2;
    return perl;
  }

  #classByte(): number {
    const start = this.#at;
    let value: number;
    if (this.#take('\\')) value = this.#escapedCodePoint(start);
    else value = this.#character().codePointAt(0)!;
    if (value > 127 && !(value <= 255 && this.source.charAt(start) === '\\'))
      this.#fail('a class may hold only ASCII characters or \\x80-\\xff: text is matched as bytes', start);
    return value;
  }
}

const assertion = (kind: Assertion): Pattern => ({ kind: 'assertion', assertion: kind });

const assertions: Readonly<Record<string, Assertion>> = {
  A: 'textStart',
  z: 'textEnd',
  b: 'wordBoundary',
  B: 'noWordBoundary',
};

const controls: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };
