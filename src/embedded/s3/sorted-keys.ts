/**
 * Compares by Unicode code points, which is the order of the UTF-8 bytes and S3's order of listing.
 * JavaScript's own order puts U+1F600 before U+FFFD.
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Puts surrogates, which stand for what is above U+FFFF, after all other units. */
const rank = (unit: number): number =>
  unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit;

/**
 * A sorted map from key to value: quick to read in order from any place.
 *
 * Writes only note what changed; the next ordered read sorts. A nearly sorted array sorts in about linear
 * time, so 10,000 writes between two listings cost one sort, and one write costs about a millisecond.
 */
export class SortedKeys<V> {
  private readonly values = new Map<string, V>();
  /** In order when `isSorted`; else with new keys at the end, some perhaps twice, and deleted ones still there. */
  private keys: string[] = [];
  private isSorted = true;

  get size(): number {
    return this.values.size;
  }

  get(key: string): V | undefined {
    return this.values.get(key);
  }

  set(key: string, value: V): void {
    if (!this.values.has(key)) this.add(key);
    this.values.set(key, value);
  }

  delete(key: string): void {
    if (this.values.delete(key)) this.isSorted = false;
  }

  /** The index of the first key that is not before `key`. */
  indexOf(key: string): number {
    this.sort();
    let low = 0;
    let high = this.keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(this.keys[middle] ?? '', key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The index of the first key after all those that begin with `prefix`, looking from `from` on. */
  indexAfterPrefix(prefix: string, from: number): number {
    this.sort();
    let low = from;
    let high = this.keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const key = this.keys[middle] ?? '';
      if (key.startsWith(prefix) || compareKeys(key, prefix) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  at(index: number): { readonly key: string; readonly value: V } | undefined {
    this.sort();
    const key = this.keys[index];
    const value = key === undefined ? undefined : this.values.get(key);
    return key === undefined || value === undefined ? undefined : { key, value };
  }

  *entries(): Generator<{ readonly key: string; readonly value: V }> {
    for (const [key, value] of this.values) yield { key, value };
  }

  private add(key: string): void {
    const last = this.keys.at(-1);
    this.keys.push(key);
    this.isSorted &&= last === undefined || compareKeys(last, key) < 0;
  }

  private sort(): void {
    if (this.isSorted) return;
    const sorted = this.keys.filter((key) => this.values.has(key)).sort(compareKeys);
    this.keys = sorted.filter((key, i) => i === 0 || key !== sorted[i - 1]);
    this.isSorted = true;
  }
}
