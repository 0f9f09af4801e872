import type { Json } from '../model/json.js';
import { isPlaceholder } from '../payloads/placeholder.js';

const PLACEHOLDER_BYTES = 400;

/** About how much memory a JSON value takes, in bytes. Reads all of it: ask once per payload and keep the answer. */
export function roughBytes(value: Json | undefined): number {
  if (typeof value === 'string') return 16 + value.length * 2;
  if (typeof value !== 'object' || value === null) return 8;
  if (isPlaceholder(value)) return PLACEHOLDER_BYTES;
  let bytes = 48;
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) bytes += roughBytes(item);
    return bytes;
  }
  const object = value as Readonly<Record<string, Json>>;
  for (const key in object) bytes += 16 + key.length + roughBytes(object[key]);
  return bytes;
}
