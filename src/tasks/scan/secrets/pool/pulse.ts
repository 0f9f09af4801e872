import type { Probe } from '../engine/matcher.js';

const RULE_BITS = 12;
const RULE_MASK = (1 << RULE_BITS) - 1;
const BEAT_MASK = (1 << (31 - RULE_BITS)) - 1;

/**
 * Shared memory in which a worker says which scan it works on and which rule it has just begun.
 *
 * A pattern that runs away can send no message, so its victim is read from here: a beat that stands still while a
 * scan is being worked on is a rule that does not come back.
 */
export class Pulse implements Probe {
  readonly #view: Int32Array<SharedArrayBuffer>;
  #beat = 0;

  constructor(readonly memory: SharedArrayBuffer = new SharedArrayBuffer(8)) {
    this.#view = new Int32Array(memory);
  }

  /** The worker begins to work on a scan, or on none (0). */
  work(scanId: number): void {
    this.enter(-1);
    Atomics.store(this.#view, 1, scanId);
  }

  enter(ruleIndex: number): void {
    this.#beat = (this.#beat + 1) & BEAT_MASK;
    Atomics.store(this.#view, 0, (this.#beat << RULE_BITS) | (ruleIndex + 1));
  }

  /** What the worker was last seen doing; `beat` changes with everything that it begins. */
  read(): { readonly beat: number; readonly scanId: number; readonly ruleIndex: number } {
    const beat = Atomics.load(this.#view, 0);
    return { beat, scanId: Atomics.load(this.#view, 1), ruleIndex: (beat & RULE_MASK) - 1 };
  }
}
