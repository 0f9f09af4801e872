import { InvalidInput } from '../errors.js';

/** Deeper documents are refused: no honest payload needs it, and recursive readers must not overflow. */
const MAX_DEPTH = 64;

// Strings are skipped as a whole, so that digits inside them do not count.
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * Parses a JSON body into what PostgreSQL can keep without a change.
 *
 * @throws InvalidInput naming the path: malformed text, NUL or lone surrogates in strings, integers beyond 2^53 (which
 * JavaScript would silently round), nesting beyond 64.
 */
export function parseJsonBody(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw InvalidInput.field('body', `not valid JSON: ${(error as Error).message}`, { cause: error });
  }
  for (const [token] of text.matchAll(TOKENS)) {
    if (/^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token))) {
      throw InvalidInput.field(
        'body',
        `the integer ${token.slice(0, 40)} is beyond 2^53 and would be rounded; send it as a string`,
      );
    }
  }
  checkStorable(value, 'body', 0);
  return value;
}

function checkStorable(value: unknown, path: string, depth: number): void {
  if (typeof value === 'string') return checkText(value, path);
  if (value === null || typeof value !== 'object') return;
  if (depth >= MAX_DEPTH) throw InvalidInput.field(path, `nested deeper than ${MAX_DEPTH} levels`);
  if (Array.isArray(value))
    return value.forEach((item, index) => checkStorable(item, `${path}[${index}]`, depth + 1));
  for (const [key, item] of Object.entries(value)) {
    checkText(key, path);
    if (key === '__proto__') throw InvalidInput.field(path, 'the name __proto__ is not allowed');
    checkStorable(item, `${path}.${key}`, depth + 1);
  }
}

function checkText(text: string, path: string): void {
  if (text.includes('\u0000')) throw InvalidInput.field(path, 'must not contain the NUL character');
  if (!text.isWellFormed()) throw InvalidInput.field(path, 'must not contain lone surrogates');
}
