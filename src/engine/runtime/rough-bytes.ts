import type { Json } from '../model/json.js';

const measured = new WeakMap<object, number>();

/** About how much memory a JSON value takes, in bytes; remembered per object, because payloads never change. */
export function roughBytes(value: Json | undefined): number {
  if (typeof value === 'string') return 16 + value.length * 2;
  if (typeof value !== 'object' || value === null) return 8;
  const known = measured.get(value);
  if (known !== undefined) return known;
  let bytes = 48;
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) bytes += roughBytes(item);
  } else {
    for (const [key, item] of Object.entries(value)) bytes += 16 + key.length + roughBytes(item);
  }
  measured.set(value, bytes);
  return bytes;
}
