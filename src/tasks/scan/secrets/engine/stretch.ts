import type { Hits } from './prefilter.js';

/**
 * A text in memory, the bytes `[from, to)`, with the prefilter's hits in it: what rules are run on. Hits count as the bytes
 * do, matches from `base` on, which is where the text begins.
 */
export class Stretch {
  #text: string | undefined;

  constructor(
    readonly bytes: Buffer,
    readonly from: number,
    readonly to: number,
    readonly base: number,
    readonly hits: Hits,
    readonly firstHit = 0,
    readonly lastHit = hits.length,
  ) {}

  /** For patterns; most texts are never shown to one. */
  get text(): string {
    return (this.#text ??= this.bytes.toString('latin1', this.from, this.to));
  }
}
