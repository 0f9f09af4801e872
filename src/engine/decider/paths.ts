/*
 * The part of JSONPath that `${…}` may hold: `root.key['other key'][0][*].length()`. A key or index may itself come
 * from a nested expression; it is then one key or one index, whatever it contains.
 */

/** A fixed text, or the number of the nested expression that supplies it. */
export type KeyPart = string | number;

export type Segment =
  | { readonly kind: 'key'; readonly parts: readonly KeyPart[] }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'dynamicIndex'; readonly part: number }
  | { readonly kind: 'each' }
  | { readonly kind: 'length' };

export interface Path {
  readonly root: string;
  readonly segments: readonly Segment[];
}

/** Stands for a nested expression in a path's text; cannot be typed, since control characters are refused. */
export const NESTED = '\u0001';

const MAX_SEGMENTS = 100;

/** The path, or one sentence on why it cannot be used. */
export function parsePath(text: string): Path | string {
  return new PathParser(text.startsWith('$.') ? text.slice(2) : text).parse();
}

class PathParser {
  private at = 0;
  private nested = 0;
  private readonly segments: Segment[] = [];

  constructor(private readonly text: string) {}

  parse(): Path | string {
    const root = this.takeName().trim();
    if (root === '') return 'the expression names nothing';
    if (root.includes(NESTED)) return 'the first name of an expression must be written out';
    while (this.at < this.text.length) {
      const problem = this.text[this.at] === '.' ? this.dot() : this.bracket();
      if (problem !== undefined) return problem;
      if (this.segments.length > MAX_SEGMENTS) return `a path may have at most ${MAX_SEGMENTS} steps`;
    }
    return { root, segments: this.segments };
  }

  private dot(): string | undefined {
    this.at += 1;
    if (this.text[this.at] === '.') return '".." (search at any depth) is not supported yet';
    const name = this.takeName().trim();
    if (name === '*') this.segments.push({ kind: 'each' });
    else if (name === 'length()') this.segments.push({ kind: 'length' });
    else if (/^\w+\(.*\)$/.test(name)) return `the JSONPath function ${name} is not supported yet`;
    else if (name === '') return 'a name is missing after "."';
    else this.segments.push({ kind: 'key', parts: this.keyParts(name) });
    return undefined;
  }

  private bracket(): string | undefined {
    const quote = this.text[this.at + 1];
    if (quote === "'" || quote === '"') return this.quotedKey(quote);
    const end = this.text.indexOf(']', this.at);
    if (end < 0) return '"]" is missing';
    const inside = this.text.slice(this.at + 1, end).trim();
    this.at = end + 1;
    if (inside.startsWith('?') || inside.startsWith('(')) return 'JSONPath filters are not supported yet';
    if (inside === '*') this.segments.push({ kind: 'each' });
    else if (inside === NESTED) this.segments.push({ kind: 'dynamicIndex', part: this.nested++ });
    else if (/^-?\d{1,9}$/.test(inside)) this.segments.push({ kind: 'index', index: Number(inside) });
    else return `"[${inside.replaceAll(NESTED, '${…}')}]" is not an index, "*" or a quoted name`;
    return undefined;
  }

  private quotedKey(quote: string): string | undefined {
    let key = '';
    let i = this.at + 2;
    while (i < this.text.length && this.text[i] !== quote) {
      if (this.text[i] === '\\') i += 1;
      key += this.text[i] ?? '';
      i += 1;
    }
    if (this.text[i + 1] === ',') return 'several names in one bracket are not supported yet';
    if (this.text[i + 1] !== ']') return `"${quote}]" is missing`;
    this.at = i + 2;
    this.segments.push({ kind: 'key', parts: this.keyParts(key) });
    return undefined;
  }

  private takeName(): string {
    const start = this.at;
    while (this.at < this.text.length && this.text[this.at] !== '.' && this.text[this.at] !== '[')
      this.at += 1;
    return this.text.slice(start, this.at);
  }

  private keyParts(key: string): KeyPart[] {
    const parts: KeyPart[] = [];
    key.split(NESTED).forEach((piece, i) => {
      if (i > 0) parts.push(this.nested++);
      if (piece !== '') parts.push(piece);
    });
    return parts;
  }
}
