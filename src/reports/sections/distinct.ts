import { createHash } from 'node:crypto';

/** Below this the count is exact. */
export const COUNTED_EXACTLY = 20_000;
const HASH_BYTES = 6;
const HASHES = 2 ** (8 * HASH_BYTES);

/**
 * How many different texts there were, in bounded memory: of each the hash is kept while there are few, and then of every
 * second, of every fourth, … The same texts give the same count, in whatever order they come.
 */
export class DistinctCount {
  private readonly kept = new Set<number>();
  /** Only hashes below it are kept. */
  private limit = HASHES;

  add(text: string): void {
    const hash = createHash('sha256').update(text).digest().readUIntBE(0, HASH_BYTES);
    if (hash >= this.limit) return;
    this.kept.add(hash);
    while (this.kept.size > COUNTED_EXACTLY) {
      this.limit /= 2;
      for (const known of this.kept) if (known >= this.limit) this.kept.delete(known);
    }
  }

  get isEstimated(): boolean {
    return this.limit < HASHES;
  }

  get count(): number {
    return this.kept.size * (HASHES / this.limit);
  }
}
