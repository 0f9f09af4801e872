import { jsonBytes } from '../decider/json-size.js';
import type { JsonObject } from '../model/json.js';
import { roughBytes } from '../runtime/rough-bytes.js';
import { refOf } from './placeholder.js';

/** What one answer to a reader or a worker may unfold to, wherever its values come from. */
export const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

// Measuring text takes as long as sending it; what is small is estimated.
const EASY_BYTES = 64 * 1024;

/** About how many bytes a value has in an answer. */
export function answerBytes(value: JsonObject): number {
  const ref = refOf(value);
  if (ref !== undefined) return ref.bytes;
  const bytes = roughBytes(value);
  return bytes <= EASY_BYTES ? bytes : jsonBytes(value, MAX_ANSWER_BYTES);
}
