import { KEYWORD } from './compile.js';
import type { CompiledRules } from './compile.js';
import { Hits } from './prefilter.js';
import type { Stretch } from './stretch.js';

/**
 * What the search of one block notes. All scans of a thread with the same rules share it, since none is ever in the middle
 * of a block when another has its turn: a small object is scanned in less time than all this is allocated in.
 */
export class BlockMemory {
  readonly hits = new Hits();
  /** Time that each rule took. */
  readonly spentMs: Float64Array;
  /** Where each rule's last match ended in the decoded text that is being searched. */
  readonly decodedEnd: Float64Array;
  readonly inBlock: Present;
  readonly inDecoded: Present;

  constructor(rules: CompiledRules) {
    this.spentMs = new Float64Array(rules.all.length);
    this.decodedEnd = new Float64Array(rules.all.length);
    this.inBlock = new Present(rules);
    this.inDecoded = new Present(rules);
  }

  static #known = new WeakMap<CompiledRules, BlockMemory>();

  static of(rules: CompiledRules): BlockMemory {
    const known = this.#known.get(rules);
    if (known !== undefined) return known;
    const memory = new BlockMemory(rules);
    this.#known.set(rules, memory);
    return memory;
  }
}

/** Which keywords stand in a text. */
export class Present {
  readonly #is: Uint8Array;
  readonly #noted: number[] = [];

  constructor(private readonly rules: CompiledRules) {
    this.#is = new Uint8Array(rules.literals.length);
  }

  of({ hits, firstHit, lastHit }: Stretch): void {
    const { prefilter } = this.rules;
    for (const literal of this.#noted) this.#is[literal] = 0;
    this.#noted.length = 0;
    for (let i = firstHit; i < lastHit; i++) {
      const state = hits.states[i]!;
      if ((prefilter.kinds(state) & KEYWORD) === 0) continue;
      for (const literal of prefilter.endings(state)) {
        if (this.#is[literal] === 1) continue;
        this.#is[literal] = 1;
        this.#noted.push(literal);
      }
    }
  }

  any(literals: ReadonlySet<number>): boolean {
    for (const literal of literals) if (this.#is[literal] === 1) return true;
    return false;
  }
}
