// A text is cut in so many stretches, when they are long enough to be worth it.
const LANES = 4;
const SHORTEST_LANE = 1024;

/**
 * A byte automaton that finds every place where one of many literals ends, upper and lower case alike.
 *
 * Aho-Corasick with its failure links folded into a full table: one look-up per byte whatever the number of
 * literals. Accepting states are numbered last, so the hot loop asks one comparison per byte.
 */
export class Prefilter {
  readonly #next: Uint16Array;
  readonly #firstAccepting: number;
  /** Literals that end in an accepting state, by state number less the first accepting one. */
  readonly #endings: readonly (readonly number[])[];

  readonly #longest: number;
  /** Hits of the second lane and those behind it. */
  readonly #lanes = Array.from({ length: LANES - 1 }, () => new Hits());
  /** By accepting state: the kinds of what ends there. */
  readonly #kinds: Uint8Array;

  /** @param kinds of each literal, as flags: what the hits are asked for. */
  constructor(literals: readonly string[], kinds: readonly number[] = []) {
    this.#longest = literals.reduce((most, { length }) => Math.max(most, length), 0);
    const trie = buildTrie(literals);
    const states = [...trie.endings.keys()];
    const [accepting, others] = [
      states.filter((s) => accepts(trie, s)),
      states.filter((s) => !accepts(trie, s)),
    ];
    // A power of two: of four states at once, any is accepting when all their bits together are.
    this.#firstAccepting = 2 ** Math.ceil(Math.log2(others.length));
    const rank = new Uint16Array(states.length);
    others.forEach((state, position) => (rank[state] = position));
    accepting.forEach((state, position) => (rank[state] = this.#firstAccepting + position));
    this.#endings = accepting.map((state) => trie.endings[state]!);
    this.#kinds = Uint8Array.from(this.#endings, (ending) =>
      ending.reduce((all, literal) => all | (kinds[literal] ?? 0), 0),
    );
    this.#next = new Uint16Array((this.#firstAccepting + accepting.length) * 256);
    for (const state of states)
      for (let byte = 0; byte < 256; byte++)
        this.#next[rank[state]! * 256 + byte] = rank[trie.next[state * 256 + lowerCase(byte)]!]!;
  }

  /** The state at the start of a text. It is always the root, as the root never accepts. */
  static readonly start = 0;

  /**
   * Runs over `bytes[from, to)` and notes in `hits` the position after each place where a literal ends, with its
   * state. Returns the state to continue from.
   */
  run(bytes: Uint8Array, from: number, to: number, state: number, hits: Hits): number {
    if (to - from < LANES * SHORTEST_LANE) return this.#runOne(bytes, from, to, state, hits);
    const length = (to - from) >> 2;
    const [first, second, third, fourth] = [from, from + length, from + 2 * length, from + 3 * length];
    const states = [
      state,
      this.#stateAt(bytes, second),
      this.#stateAt(bytes, third),
      this.#stateAt(bytes, fourth),
    ];
    this.#runFour(bytes, [first, second, third, fourth], length, states, hits);
    for (const lane of this.#lanes) hits.append(lane);
    return this.#runOne(bytes, fourth + length, to, states[3]!, hits);
  }

  /**
   * Four stretches of the text at a time: where each look-up waits for the one before it, a processor does the three
   * others meanwhile.
   */
  #runFour(bytes: Uint8Array, starts: readonly number[], length: number, states: number[], hits: Hits): void {
    const next = this.#next;
    const firstAccepting = this.#firstAccepting;
    const [lane1, lane2, lane3] = this.#lanes as [Hits, Hits, Hits];
    lane1.clear();
    lane2.clear();
    lane3.clear();
    const [from0, from1, from2, from3] = starts as [number, number, number, number];
    let [state0, state1, state2, state3] = states as [number, number, number, number];
    for (let i = 0; i < length; i++) {
      state0 = next[(state0 << 8) | bytes[from0 + i]!]!;
      state1 = next[(state1 << 8) | bytes[from1 + i]!]!;
      state2 = next[(state2 << 8) | bytes[from2 + i]!]!;
      state3 = next[(state3 << 8) | bytes[from3 + i]!]!;
      if ((state0 | state1 | state2 | state3) < firstAccepting) continue;
      if (state0 >= firstAccepting) hits.add(from0 + i + 1, state0);
      if (state1 >= firstAccepting) lane1.add(from1 + i + 1, state1);
      if (state2 >= firstAccepting) lane2.add(from2 + i + 1, state2);
      if (state3 >= firstAccepting) lane3.add(from3 + i + 1, state3);
    }
    states[3] = state3;
  }

  /** The state in the middle of a text: only as many bytes as the longest literal has can matter. */
  #stateAt(bytes: Uint8Array, at: number): number {
    const next = this.#next;
    let state: number = Prefilter.start;
    for (let i = Math.max(0, at - this.#longest); i < at; i++) state = next[(state << 8) | bytes[i]!]!;
    return state;
  }

  #runOne(bytes: Uint8Array, from: number, to: number, state: number, hits: Hits): number {
    const next = this.#next;
    const firstAccepting = this.#firstAccepting;
    for (let i = from; i < to; i++) {
      state = next[(state << 8) | bytes[i]!]!;
      if (state >= firstAccepting) hits.add(i + 1, state);
    }
    return state;
  }

  endings(state: number): readonly number[] {
    return this.#endings[state - this.#firstAccepting]!;
  }

  /** The kinds of all that ends in an accepting state. */
  kinds(state: number): number {
    return this.#kinds[state - this.#firstAccepting]!;
  }
}

/** Positions and states of one block's hits; grows to what the densest block needed and is used again. */
export class Hits {
  length = 0;
  positions = new Int32Array(1024);
  states = new Uint16Array(1024);

  clear(): void {
    this.length = 0;
  }

  add(position: number, state: number): void {
    if (this.length === this.positions.length) this.#grow();
    this.positions[this.length] = position;
    this.states[this.length++] = state;
  }

  /** Adds hits that stand behind all of these. */
  append(more: Hits): void {
    for (let i = 0; i < more.length; i++) this.add(more.positions[i]!, more.states[i]!);
  }

  #grow(): void {
    const positions = new Int32Array(this.positions.length * 2);
    positions.set(this.positions);
    this.positions = positions;
    const states = new Uint16Array(this.states.length * 2);
    states.set(this.states);
    this.states = states;
  }
}

interface Trie {
  readonly next: Uint16Array;
  readonly endings: number[][];
}

const accepts = (trie: Trie, state: number): boolean => trie.endings[state]!.length > 0;
const lowerCase = (byte: number): number => (byte >= 65 && byte <= 90 ? byte + 32 : byte);

// State numbers are 16 bits wide, and some are left out; 1,000 rules of 20 letters stay far below.
const MAX_STATES = 32_000;

function buildTrie(literals: readonly string[]): Trie {
  const children: Map<number, number>[] = [new Map()];
  const endings: number[][] = [[]];
  literals.forEach((literal, index) => {
    let state = 0;
    for (const byte of Buffer.from(literal, 'latin1')) {
      let child = children[state]!.get(lowerCase(byte));
      if (child === undefined) {
        child = children.length;
        if (child > MAX_STATES)
          throw new RangeError('too many different keywords for one set of secret rules');
        children.push(new Map());
        endings.push([]);
        children[state]!.set(lowerCase(byte), child);
      }
      state = child;
    }
    if (state !== 0) endings[state]!.push(index);
  });
  return { next: foldFailures(children, endings), endings };
}

function foldFailures(children: readonly Map<number, number>[], endings: number[][]): Uint16Array {
  const next = new Uint16Array(children.length * 256);
  const failure = new Uint16Array(children.length);
  const queue: number[] = [];
  for (const [byte, child] of children[0]!) {
    next[byte] = child;
    queue.push(child);
  }
  for (let head = 0; head < queue.length; head++) {
    const state = queue[head]!;
    const fallback = failure[state]!;
    // A literal that ends inside a longer one ends here too.
    endings[state]!.push(...endings[fallback]!);
    next.copyWithin(state * 256, fallback * 256, fallback * 256 + 256);
    for (const [byte, child] of children[state]!) {
      failure[child] = next[fallback * 256 + byte]!;
      next[state * 256 + byte] = child;
      queue.push(child);
    }
  }
  return next;
}
