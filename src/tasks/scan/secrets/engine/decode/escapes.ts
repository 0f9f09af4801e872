import type { Encoding, Layer } from './layer.js';
import type { Trigger } from './triggers.js';

// How far a value goes on to each side of a character that is written otherwise, when no blank or quote ends it.
const VALUE_BEFORE = 128;
const VALUE_AFTER = 16 * 1024;
// What a pattern may look for beside the value.
const CONTEXT_BEFORE = 48;
const CONTEXT_AFTER = 8;
// Longest of the triggers' own forms: `\\U0000002d`, `&hyphen;`.
const LONGEST_FORM = 10;

/** Blanks, quotes and angle brackets end a value. */
const ENDS_VALUE = new Uint8Array(256);
for (const letter of ' \t\r\n"\'`<>') ENDS_VALUE[letter.charCodeAt(0)] = 1;
ENDS_VALUE[0] = 1;

/** Collects the values around characters that are written otherwise, one encoding each; what meets is joined. */
export class EscapedValues {
  readonly layers: Layer[] = [];
  readonly #open = new Map<Encoding, { from: number; to: number; valueTo: number }>();

  /** @param begin where the text begins, which reaches on to `end`. */
  constructor(
    private readonly bytes: Buffer,
    private readonly begin: number,
    private readonly end: number,
  ) {}

  /** @param at where the trigger begins; in ascending order. */
  add(trigger: Trigger, at: number): void {
    const { bytes, begin, end } = this;
    const { encoding } = trigger;
    const last = this.#open.get(encoding);
    // Whatever stands in a value that is decoded anyway needs no look, but for what carries it on.
    if (last !== undefined && at + LONGEST_FORM < last.valueTo) return;
    if (!trigger.isReally(bytes, at, end)) return;
    const from = Math.max(begin, valueStart(bytes, begin, at) - CONTEXT_BEFORE);
    const valueTo = valueEnd(bytes, at + trigger.text.length, end);
    const to = Math.min(end, valueTo + CONTEXT_AFTER);
    if (last !== undefined && from <= last.to) {
      last.to = Math.max(last.to, to);
      last.valueTo = Math.max(last.valueTo, valueTo);
      return;
    }
    if (last !== undefined) this.#close(encoding, last.from, last.to);
    this.#open.set(encoding, { from, to, valueTo });
  }

  finish(): Layer[] {
    for (const [encoding, { from, to }] of this.#open) this.#close(encoding, from, to);
    return this.layers;
  }

  #close(encoding: Encoding, from: number, to: number): void {
    this.layers.push({ encoding, from, to, codedFrom: from, codedTo: to });
  }
}

function valueStart(bytes: Buffer, begin: number, at: number): number {
  let start = at;
  const least = Math.max(begin, at - VALUE_BEFORE);
  while (start > least && ENDS_VALUE[bytes[start - 1]!] === 0) start--;
  return start;
}

/** Behind the trigger, whose last character may itself be the end of a line that goes on. */
function valueEnd(bytes: Buffer, from: number, end: number): number {
  let stop = from;
  if (ENDS_VALUE[bytes[from - 1]!] === 1) while (stop < end && ENDS_VALUE[bytes[stop]!] === 1) stop++;
  const most = Math.min(end, stop + VALUE_AFTER);
  while (stop < most && ENDS_VALUE[bytes[stop]!] === 0) stop++;
  return stop;
}
