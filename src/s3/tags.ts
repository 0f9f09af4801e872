import { TagsFull } from './storage-error.js';

/** An object's tags by key. */
export type Tags = Readonly<Record<string, string>>;

const MAX_TAGS = 10;

/**
 * The whole new tag set, because S3 replaces all at once. Tags of others stay as they are.
 *
 * @throws TagsFull when ours do not fit.
 */
export function merged(present: Tags, ours: Tags): Tags {
  const result = { ...present, ...ours };
  if (Object.keys(result).length > MAX_TAGS) throw new TagsFull(Object.keys(present).length);
  return result;
}

/** Tags of ours in the order of their weight, and the names under which we may have written before. */
export interface OwnTags {
  readonly ours: readonly (readonly [key: string, value: string])[];
  readonly stale: readonly string[];
}

/** The whole new tag set, and what of ours found no room. */
export interface PlacedTags {
  readonly all: Tags;
  readonly written: Tags;
  readonly left: readonly string[];
}

/**
 * Puts our tags beside those of others, which stay as they are. What we wrote under other names makes room first; then
 * ours go in by their weight, as many as fit.
 *
 * @throws TagsFull when not even the first one fits
 */
export function placed(present: Tags, { ours, stale }: OwnTags): PlacedTags {
  const names = new Set([...stale, ...ours.map(([key]) => key)]);
  const others = Object.fromEntries(Object.entries(present).filter(([key]) => !names.has(key)));
  const room = MAX_TAGS - Object.keys(others).length;
  if (room < 1 && ours.length > 0) throw new TagsFull(Object.keys(others).length);
  const written = Object.fromEntries(ours.slice(0, room));
  return { all: { ...others, ...written }, written, left: ours.slice(room).map(([key]) => key) };
}

/** What is left after taking back what we wrote; a value that somebody changed since is not ours to remove. */
export function without(present: Tags, ours: Tags): Tags {
  return Object.fromEntries(Object.entries(present).filter(([key, value]) => ours[key] !== value));
}
