import { isUtf8 } from 'node:buffer';
import { InvalidInput } from '../errors.js';

/** Deeper documents are refused: no honest payload needs it, and recursive readers must not overflow. */
const MAX_DEPTH = 64;

/**
 * A body's bytes as text.
 *
 * @throws InvalidInput for bytes that are not UTF-8: replacing them would silently name another object.
 */
export function textOf(body: Buffer): string {
  if (!isUtf8(body)) throw InvalidInput.field('body', 'must be UTF-8');
  return body.toString('utf8');
}

/**
 * Parses a JSON body into what PostgreSQL can keep without a change.
 *
 * @throws InvalidInput naming the path: malformed text, NUL or lone surrogates in strings, integers beyond 2^53 (which
 * JavaScript would silently round) and numbers beyond its range, nesting beyond 64.
 */
export function parseJsonBody(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw InvalidInput.field('body', `not valid JSON: ${(error as Error).message}`, { cause: error });
  }
  checkNumbers(text);
  const fault = faultIn(value, 0);
  if (fault !== undefined) throw InvalidInput.field(`body${fault.path}`, fault.message);
  return value;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const isNumberStart = (code: number): boolean => code === 0x2d || (code >= 0x30 && code <= 0x39);
// Digits, sign, point and exponent.
const isNumberPart = (code: number): boolean =>
  isNumberStart(code) || code === 0x2b || code === 0x2e || code === 0x45 || code === 0x65;

/** Character by character: a regular expression would run out of stack on a string of some megabytes. */
function checkNumbers(text: string): void {
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = afterString(text, at + 1);
    else if (isNumberStart(code)) {
      const start = at;
      while (at < text.length && isNumberPart(text.charCodeAt(at))) at += 1;
      checkNumber(text.slice(start, at));
    } else at += 1;
  }
}

function afterString(text: string, start: number): number {
  let at = start;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at + 1;
}

function checkNumber(token: string): void {
  const value = Number(token);
  const isRounded = /^-?\d+$/.test(token) && !Number.isSafeInteger(value);
  if (isRounded || !Number.isFinite(value)) {
    const what = isRounded ? 'integer' : 'number';
    throw InvalidInput.field(
      'body',
      `the ${what} ${token.slice(0, 40)} is beyond ${isRounded ? '2^53 and would be rounded' : 'what can be kept'}; send it as a string`,
    );
  }
}

interface Fault {
  /** From the value that was asked about: `.a[0]`. */
  readonly path: string;
  readonly message: string;
}

/** The first thing that cannot be kept. Paths are only put together on the way back, when there is a fault to name. */
function faultIn(value: unknown, depth: number): Fault | undefined {
  if (typeof value === 'string') return faultInText(value);
  if (value === null || typeof value !== 'object') return undefined;
  if (depth >= MAX_DEPTH) return { path: '', message: `nested deeper than ${MAX_DEPTH} levels` };
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const fault = faultIn(value[index], depth + 1);
      if (fault !== undefined) return { ...fault, path: `[${index}]${fault.path}` };
    }
    return undefined;
  }
  for (const [key, item] of Object.entries(value)) {
    const fault = faultInText(key);
    if (fault !== undefined) return fault;
    if (key === '__proto__') return { path: '', message: 'the name __proto__ is not allowed' };
    const below = faultIn(item, depth + 1);
    if (below !== undefined) return { ...below, path: `.${key}${below.path}` };
  }
  return undefined;
}

function faultInText(text: string): Fault | undefined {
  if (text.includes('\u0000')) return { path: '', message: 'must not contain the NUL character' };
  if (!text.isWellFormed()) return { path: '', message: 'must not contain lone surrogates' };
  return undefined;
}
