/** Where a byte stands: both count from 1. The column counts bytes of the text (code units in UTF-16). */
export interface LineColumn {
  readonly line: number;
  readonly column: number;
}

/** Counts the lines of a stream of which only a stretch is in memory. Positions are those of the whole stream. */
export class LineCounter {
  /** Everything before this position is counted. */
  #counted = 0;
  #newlines = 0;
  #lastNewline = -1;

  constructor(saved?: LineCounterState) {
    if (saved === undefined) return;
    this.#counted = saved.counted;
    this.#newlines = saved.newlines;
    this.#lastNewline = saved.lastNewline;
  }

  get state(): LineCounterState {
    return { counted: this.#counted, newlines: this.#newlines, lastNewline: this.#lastNewline };
  }

  /** Counts up to `position`; `bytes` holds the stream from `base` on. */
  advance(bytes: Buffer, base: number, position: number): void {
    const found = count(bytes, this.#counted - base, position - base);
    this.#newlines += found.newlines;
    if (found.last >= 0) this.#lastNewline = base + found.last;
    this.#counted = position;
  }

  /** The place of a position at or after the last one advanced to. */
  locate(bytes: Buffer, base: number, position: number): LineColumn {
    const found = count(bytes, this.#counted - base, position - base);
    const lineStart = (found.last >= 0 ? base + found.last : this.#lastNewline) + 1;
    return { line: this.#newlines + found.newlines + 1, column: position - lineStart + 1 };
  }

  /** Lines up to the last position advanced to; an unfinished last line counts. */
  get lines(): number {
    return this.#newlines + (this.#counted > this.#lastNewline + 1 ? 1 : 0);
  }
}

export interface LineCounterState {
  readonly counted: number;
  readonly newlines: number;
  readonly lastNewline: number;
}

function count(bytes: Buffer, from: number, to: number): { newlines: number; last: number } {
  let newlines = 0;
  let last = -1;
  for (let at = bytes.indexOf(10, from); at >= 0 && at < to; at = bytes.indexOf(10, at + 1)) {
    newlines++;
    last = at;
  }
  return { newlines, last };
}
