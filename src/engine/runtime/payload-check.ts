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
  look(value, path, 0, problems);
  return problems;
}

function look(value: Json, path: string, depth: number, problems: FieldProblem[]): void {
  if (problems.length >= MAX_PROBLEMS) return;
  if (typeof value === 'string') {
    if (!isStorable(value)) problems.push({ path, message: 'must not contain NUL or lone surrogates' });
  } else if (typeof value === 'number') {
    // What came as JSON text was checked there (integers beyond 2^53); this is for workers' own objects.
    if (!Number.isFinite(value)) problems.push({ path, message: 'is not a finite number' });
  } else if (typeof value === 'object' && value !== null) {
    if (depth >= MAX_DEPTH) {
      problems.push({ path, message: `is nested deeper than ${MAX_DEPTH} levels` });
      return;
    }
    // An array's indexes serve as keys: `input.list.0`.
    for (const [key, item] of Object.entries<Json>(value)) {
      if (!isStorable(key)) {
        problems.push({ path, message: 'has a key with NUL or lone surrogates' });
      }
      look(item, `${path}.${key}`, depth + 1, problems);
    }
  }
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
