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

/** What is left after taking back what we wrote; a value that somebody changed since is not ours to remove. */
export function without(present: Tags, ours: Tags): Tags {
  return Object.fromEntries(Object.entries(present).filter(([key, value]) => ours[key] !== value));
}

/** Keeps to the characters that S3 allows in a tag's value: others become `_`. At most 256. */
export function tagValue(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N} +\-=._:/@]/gu, '_').slice(0, 256);
}
