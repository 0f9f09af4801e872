import type { Json, JsonObject } from '../model/json.js';
import { MAX_PAYLOAD_BYTES } from '../model/payload-limits.js';
import { isWithin } from './json-size.js';
import { NESTED, parsePath } from './paths.js';
import type { KeyPart, Path } from './paths.js';

/*
 * `${…}` in a definition. Only the definition's own text is expanded. What an expression finds is data: it is put in
 * place as it is and never looked at for further expressions, whoever wrote it. Whoever fills in late-bound secrets must
 * therefore go by the step's inputParameters: the same text in a task's input may be data.
 */

/** What expressions can see. */
export interface Scope {
  /**
   * `workflow`, or a task's reference name; `undefined` when nothing of that name has run. `keys` are the first ones
   * that will be looked for inside, as far as they are written out.
   */
  read(root: string, keys: readonly string[]): JsonObject | undefined;
  /** The id of the task whose input is being built: `${CPEWF_TASK_ID}`. */
  readonly taskId?: string | undefined;
}

/** A definition's value with its expressions understood; applied to a scope it gives the value to use. */
export type Template = (scope: Scope) => Json;
export type ObjectTemplate = (scope: Scope) => JsonObject;

/** Thrown when a value outgrows its bound; the task or workflow fails with this message. */
export class ExpressionTooLarge extends Error {
  constructor(maxBytes = MAX_PAYLOAD_BYTES) {
    super(`The value is larger than ${maxBytes / 1024} KB or nested too deeply`);
  }
}

/** One `${…}` as found in a definition. */
export interface Reference {
  /** With its braces. */
  readonly source: string;
  /** `workflow`, `CPEWF_TASK_ID` or a task's reference name; `undefined` when the path cannot be used. */
  readonly root: string | undefined;
  /** The first key after the root when it is written out. */
  readonly field: string | undefined;
  readonly problem: string | undefined;
}

interface Expression extends Reference {
  readonly path: Path | undefined;
  /** Blank, as in `${}`: stands for the empty text. */
  readonly blank: boolean;
  /** `${workflow.secrets.X}`: stays as text, and is filled in when the task is handed out. */
  readonly lateBound: boolean;
  readonly nested: readonly Expression[];
}

type Piece = string | Expression;

const MAX_NESTING = 8;
// A list of a million matches is an accident; the bound stops `[*][*][*]` over a large input.
const MAX_MATCHES = 1_000_000;

/** Understands a definition's value once; the result may be applied many times. */
export function compileTemplate(value: Json): Template {
  return compile(value) ?? (() => value);
}

/** The same for an object, which stays one. */
export function compileObject(value: JsonObject): ObjectTemplate {
  return compileEntries(value) ?? (() => value);
}

/** Everything that a definition's value refers to, in the order of its text. */
export function referencesIn(text: string): readonly Reference[] {
  const found: Reference[] = [];
  const visit = (expression: Expression): void => {
    found.push(expression);
    expression.nested.forEach(visit);
  };
  for (const piece of parsePieces(text, 0, 0).pieces) if (typeof piece !== 'string') visit(piece);
  return found;
}

/** `undefined` when nothing in the value needs a scope. */
function compile(value: Json): Template | undefined {
  if (typeof value === 'string') return compileText(value);
  if (Array.isArray(value)) {
    const items = (value as readonly Json[]).map((item) => ({ item, template: compile(item) }));
    if (items.every(({ template }) => template === undefined)) return undefined;
    return (scope) => items.map(({ item, template }) => (template ? template(scope) : item));
  }
  return isObject(value) ? compileEntries(value) : undefined;
}

function compileEntries(value: JsonObject): ObjectTemplate | undefined {
  const entries = Object.entries(value).map(([key, item]) => ({ key, item, template: compile(item) }));
  if (entries.every(({ template }) => template === undefined)) return undefined;
  // fromEntries defines own properties, also for "__proto__".
  return (scope) =>
    Object.fromEntries(entries.map(({ key, item, template }) => [key, template ? template(scope) : item]));
}

function compileText(text: string): Template | undefined {
  if (!text.includes('${')) return undefined;
  const { pieces } = parsePieces(text, 0, 0);
  const only = pieces[0];
  if (pieces.length === 1 && only !== undefined && typeof only !== 'string') {
    return (scope) => evaluate(only, scope) ?? null;
  }
  return (scope) => {
    let out = '';
    for (const piece of pieces) {
      out += typeof piece === 'string' ? piece : asText(evaluate(piece, scope));
      if (out.length > MAX_PAYLOAD_BYTES) throw new ExpressionTooLarge();
    }
    return out;
  };
}

/** One pass; an expression that is never closed is plain text. */
function parsePieces(
  text: string,
  start: number,
  depth: number,
): { readonly pieces: Piece[]; readonly end: number; readonly closed: boolean } {
  const pieces: Piece[] = [];
  let literal = '';
  let quote: string | undefined;
  const flush = (): void => {
    if (literal !== '') pieces.push(literal);
    literal = '';
  };
  let i = start;
  while (i < text.length) {
    const char = text[i]!;
    if (char === '$' && text.startsWith('$${', i)) {
      literal += '${';
      i += 3;
    } else if (char === '$' && text[i + 1] === '{' && depth < MAX_NESTING) {
      const inner = parsePieces(text, i + 2, depth + 1);
      if (inner.closed) {
        flush();
        pieces.push(expressionOf(inner.pieces, text.slice(i, inner.end)));
      } else {
        literal += '${';
        flush();
        pieces.push(...inner.pieces);
      }
      i = inner.end;
    } else if (depth > 0 && char === '}' && quote === undefined) {
      flush();
      return { pieces, end: i + 1, closed: true };
    } else {
      if (depth > 0 && quote === undefined && (char === "'" || char === '"') && text[i - 1] === '[')
        quote = char;
      else if (char === quote) quote = undefined;
      literal += char;
      i += 1;
    }
  }
  flush();
  return { pieces: mergeTexts(pieces), end: i, closed: false };
}

function mergeTexts(pieces: readonly Piece[]): Piece[] {
  const merged: Piece[] = [];
  for (const piece of pieces) {
    const last = merged.at(-1);
    if (typeof piece === 'string' && typeof last === 'string') merged[merged.length - 1] = last + piece;
    else merged.push(piece);
  }
  return merged;
}

function expressionOf(pieces: readonly Piece[], source: string): Expression {
  const nested = pieces.filter((piece) => typeof piece !== 'string');
  const pathText = pieces.map((piece) => (typeof piece === 'string' ? piece : NESTED)).join('');
  const isOdd = pieces.some((piece) => typeof piece === 'string' && piece.includes(NESTED));
  const blank = nested.length === 0 && pathText.trim() === '';
  const path = isOdd ? 'control characters are not allowed' : parsePath(pathText.trim());
  if (typeof path === 'string') {
    const problem = blank ? undefined : path;
    return {
      source,
      root: undefined,
      field: undefined,
      problem,
      path: undefined,
      blank,
      lateBound: false,
      nested,
    };
  }
  const first = path.segments[0];
  const field = first?.kind === 'key' && first.parts.length === 1 ? first.parts[0] : undefined;
  const lateBound = nested.length === 0 && path.root === 'workflow' && field === 'secrets';
  return {
    source,
    root: path.root,
    field: typeof field === 'string' ? field : undefined,
    problem: undefined,
    path,
    blank,
    lateBound,
    nested,
  };
}

function evaluate(expression: Expression, scope: Scope): Json | undefined {
  if (expression.blank) return '';
  if (expression.lateBound) return expression.source;
  const { path, nested } = expression;
  if (path === undefined) return undefined;
  if (path.root === 'CPEWF_TASK_ID' && path.segments.length === 0) return scope.taskId;

  const key = (parts: readonly KeyPart[]): string =>
    parts.map((part) => (typeof part === 'string' ? part : asText(evaluate(nested[part]!, scope)))).join('');
  let current: readonly Json[] = [];
  const root = scope.read(path.root, literalKeys(path));
  if (root !== undefined) current = [root];
  let isList = false;
  for (const segment of path.segments) {
    if (segment.kind === 'each') {
      isList = true;
      current = current.flatMap(children);
      if (current.length > MAX_MATCHES) throw new ExpressionTooLarge();
    } else if (segment.kind === 'length') {
      if (isList) return current.length;
      current = definedOnly([lengthOf(current[0])]);
    } else if (segment.kind === 'key') {
      const name = key(segment.parts);
      current = definedOnly(current.map((value) => property(value, name)));
    } else {
      const index =
        segment.kind === 'index' ? segment.index : Number(asText(evaluate(nested[segment.part]!, scope)));
      current = definedOnly(current.map((value) => element(value, index)));
    }
  }
  return isList ? current : current[0];
}

/** A path never has more than two of them that matter: a task's field, and a key inside it. */
const keysOf = new WeakMap<Path, readonly string[]>();

function literalKeys(path: Path): readonly string[] {
  let keys = keysOf.get(path);
  if (keys === undefined) {
    const found: string[] = [];
    for (const segment of path.segments.slice(0, 2)) {
      const [part] = segment.kind === 'key' && segment.parts.length === 1 ? segment.parts : [];
      if (typeof part !== 'string') break;
      found.push(part);
    }
    keysOf.set(path, (keys = found));
  }
  return keys;
}

const definedOnly = (values: readonly (Json | undefined)[]): Json[] =>
  values.filter((value) => value !== undefined);

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Own properties only: `constructor` and `__proto__` find what the data says, never what JavaScript says. */
function property(value: Json, name: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function element(value: Json, index: number): Json | undefined {
  return Array.isArray(value) && Number.isInteger(index) ? (value as readonly Json[]).at(index) : undefined;
}

function children(value: Json): readonly Json[] {
  if (Array.isArray(value)) return value as readonly Json[];
  return isObject(value) ? Object.values(value) : [];
}

function lengthOf(value: Json | undefined): number | undefined {
  if (Array.isArray(value)) return value.length;
  return isObject(value) ? Object.keys(value).length : undefined;
}

/**
 * How a value reads inside a longer text, and how SWITCH compares it: text as it is, everything else as JSON,
 * nothing as "null".
 */
export function asText(value: Json | undefined): string {
  if (typeof value === 'string') return value;
  if (value === undefined) return 'null';
  if (!isWithin(value, MAX_PAYLOAD_BYTES)) throw new ExpressionTooLarge();
  return JSON.stringify(value);
}
