import type { SortedKeys } from './sorted-keys.js';

/** A key, or all keys up to a delimiter rolled into one. */
export type Listed<V> =
  | { readonly kind: 'key'; readonly key: string; readonly value: V }
  | { readonly kind: 'prefix'; readonly prefix: string };

/** Where a listing goes on: at a key, after a key, or after all keys with a prefix. */
export type ListStart =
  { readonly at: string } | { readonly after: string } | { readonly afterPrefix: string };

export interface Walk<V> {
  readonly prefix: string;
  /** '' for none. */
  readonly delimiter: string;
  readonly start: ListStart;
  readonly isListed: (value: V) => boolean;
}

/** Walks a bucket's keys in S3's order. The bucket must not change while it runs. */
export function* walkKeys<V>(keys: SortedKeys<V>, walk: Walk<V>): Generator<Listed<V>> {
  const { prefix, delimiter } = walk;
  let i = Math.max(keys.indexOf(prefix), startIndex(keys, walk.start));
  for (;;) {
    const entry = keys.at(i);
    if (entry === undefined || !entry.key.startsWith(prefix)) return;
    const { key, value } = entry;
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    if (!walk.isListed(value)) {
      i += 1;
    } else if (end < 0) {
      yield { kind: 'key', key, value };
      i += 1;
    } else {
      const common = key.slice(0, end + delimiter.length);
      yield { kind: 'prefix', prefix: common };
      i = keys.indexAfterPrefix(common, i);
    }
  }
}

function startIndex<V>(keys: SortedKeys<V>, start: ListStart): number {
  if ('at' in start) return keys.indexOf(start.at);
  if ('after' in start) {
    const index = keys.indexOf(start.after);
    return keys.at(index)?.key === start.after ? index + 1 : index;
  }
  return keys.indexAfterPrefix(start.afterPrefix, keys.indexOf(start.afterPrefix));
}

/** The first `limit` of a sequence, and whether there are more. */
export function takePage<T>(
  sequence: Iterable<T>,
  limit: number,
): { readonly page: readonly T[]; readonly isTruncated: boolean } {
  const page: T[] = [];
  // S3 answers max-keys=0 with nothing, and does not call that truncated.
  if (limit === 0) return { page, isTruncated: false };
  for (const each of sequence) {
    if (page.length === limit) return { page, isTruncated: true };
    page.push(each);
  }
  return { page, isTruncated: false };
}
