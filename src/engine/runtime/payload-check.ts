import { InvalidInput, TooLarge, type FieldProblem } from '../../errors.js';
import { jsonBytes } from '../decider/json-size.js';
import type { Json } from '../model/json.js';

/** Of names and ids that clients choose. */
export const MAX_ID_LENGTH = 255;

const MAX_DEPTH = 64;
const MAX_PROBLEMS = 20;

const isStorable = (text: string): boolean => !text.includes('\u0000') && text.isWellFormed();

/** What cannot be stored or would not survive: NUL, lone surrogates, NaN and infinities, depth over 64. */
export function payloadProblems(value: Json, path: string): readonly FieldProblem[] {
  const problems: FieldProblem[] = [];
  look(value, [path], problems);
  return problems;
}

/** @param trail the keys down to the value: joined only for a problem, since a list may have millions of items. */
function look(value: Json, trail: (string | number)[], problems: FieldProblem[]): void {
  if (problems.length >= MAX_PROBLEMS) return;
  const tell = (message: string): unknown => problems.push({ path: trail.join('.'), message });
  if (typeof value === 'string') {
    if (!isStorable(value)) tell('must not contain NUL or lone surrogates');
    return;
  }
  if (typeof value === 'number') {
    // What came as JSON text was checked there (integers beyond 2^53); this is for workers' own objects.
    if (!Number.isFinite(value)) tell('is not a finite number');
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (trail.length > MAX_DEPTH) {
    tell(`is nested deeper than ${MAX_DEPTH} levels`);
    return;
  }
  const end = trail.length;
  if (Array.isArray(value)) {
    // An array's indexes serve as keys: `input.list.0`. Its own loop: entries() would make a pair of each item.
    for (let index = 0; index < value.length; index += 1) {
      trail[end] = index;
      look(value[index] as Json, trail, problems);
    }
  } else {
    for (const [key, item] of Object.entries(value)) {
      if (!isStorable(key)) tell('has a key with NUL or lone surrogates');
      trail[end] = key;
      look(item, trail, problems);
      trail.length = end;
    }
  }
  trail.length = end;
}

/** Throws InvalidInput naming the paths. */
export function checkStorable(value: Json, path: string): void {
  const problems = payloadProblems(value, path);
  const [first] = problems;
  if (first !== undefined) throw new InvalidInput(`${first.path}: ${first.message}`, problems);
}

/** Throws InvalidInput naming the paths, or TooLarge. */
export function checkPayload(value: Json, path: string, maxBytes: number): void {
  checkStorable(value, path);
  if (jsonBytes(value, maxBytes) > maxBytes) {
    throw new TooLarge(
      `${path} is larger than ${maxBytes / 1024} KB of JSON. Store it elsewhere and pass a reference.`,
    );
  }
}

/** Throws InvalidInput for text that PostgreSQL cannot store or that is too long. */
export function checkText(value: string | undefined, path: string, maxLength: number): void {
  if (value === undefined) return;
  if (!isStorable(value)) throw InvalidInput.field(path, 'must not contain NUL or lone surrogates');
  if (value.length > maxLength) throw InvalidInput.field(path, `has more than ${maxLength} characters`);
}

/** Text of an error or log line made storable. */
export const storableText = (text: string, maxLength: number): string =>
  text.slice(0, maxLength).toWellFormed().replaceAll('\u0000', '');
