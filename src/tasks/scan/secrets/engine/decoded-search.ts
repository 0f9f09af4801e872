import { EscapedValues } from './decode/escapes.js';
import { decodeInto, isTouched, movedTo, Output, placeOf, sourceSpan, spaceFor } from './decode/layer.js';
import type { Decoded, Layer, Place } from './decode/layer.js';
import { findRuns } from './decode/runs.js';
import { findWideText } from './decode/wide-text.js';
import { ANCHORED, KEYWORD, TRIGGER } from './compile.js';
import type { CompiledRules } from './compile.js';
import type { DecodedPlaces, Match, Matcher } from './matcher.js';
import { Hits, Prefilter } from './prefilter.js';
import { Stretch } from './stretch.js';

/** Encodings inside one another. */
export const MAX_DEPTH = 5;
// A block of 64 KB decodes to no more than itself a few times over, unless it was made to.
const MOST_DECODED_BYTES = 1024 * 1024;
// So much is decoded at a time. What many lines hold, a few hundred bytes each, is then run over in one go.
const BATCH_BYTES = 32 * 1024;

/** A match in what was decoded. Positions are those of the text that it was decoded from, as are the places. */
export interface DecodedMatch extends Match {
  readonly decoded: DecodedPlaces;
}

/** A block's bytes: `[from, to)`. What is encoded may begin at `back` and reach on to the end of what is in memory. */
export interface Within {
  readonly from: number;
  readonly to: number;
  readonly back: number;
}

/** What some layers of one text decode to, one behind the other. */
class Batch {
  readonly output = new Output();
  readonly hits = new Hits();
  readonly layers: Layer[] = [];
  readonly decoded: Decoded[] = [];

  /** Decodes layers from `next` on, as many as a batch holds but one at least; returns the first that is left. */
  fill(source: Buffer, layers: readonly Layer[], next: number): number {
    let last = next;
    let space = 0;
    do space += spaceFor(layers[last++]!);
    while (last < layers.length && space + spaceFor(layers[last]!) <= BATCH_BYTES);
    this.layers.length = 0;
    this.decoded.length = 0;
    this.output.begin(space);
    for (const layer of layers.slice(next, last)) {
      this.layers.push(layer);
      this.decoded.push(decodeInto(this.output, source, layer));
    }
    return last;
  }
}

/**
 * One a level: what a batch decodes is looked through, down to the deepest level, before the next one is decoded. All scans
 * of a thread share them, since none is ever in the middle of a block when another has its turn.
 */
const LEVELS = Array.from({ length: MAX_DEPTH }, () => new Batch());

/** Finds what in a block is written in base64, hex and the like, and searches what it says, to a depth of five. */
export class DecodedSearch {
  #leftBytes = 0;
  /** Some block had more to decode than is decoded. */
  isCutShort: boolean;

  constructor(
    private readonly rules: CompiledRules,
    private readonly matcher: Matcher,
    isCutShort = false,
  ) {
    this.isCutShort = isCutShort;
  }

  /** Matches in what is encoded in a block. */
  search(text: Stretch, { from, to, back }: Within): DecodedMatch[] {
    this.#leftBytes = MOST_DECODED_BYTES;
    const found: DecodedMatch[] = [];
    const { bytes } = text;
    const layers = findRuns(bytes, back, to, text.to);
    findWideText(bytes, back, to, text.to, layers);
    this.#escaped(text, layers);
    this.#inside(
      bytes,
      layers.filter((layer) => layer.to > from),
      1,
      found,
    );
    return found;
  }

  #escaped({ bytes, from, to, hits, firstHit, lastHit }: Stretch, layers: Layer[]): void {
    const { prefilter, literals, firstTrigger } = this.rules;
    let values: EscapedValues | undefined;
    for (let i = firstHit; i < lastHit; i++) {
      const state = hits.states[i]!;
      if ((prefilter.kinds(state) & TRIGGER) === 0) continue;
      values ??= new EscapedValues(bytes, from, to);
      for (const index of prefilter.endings(state)) {
        if (index < firstTrigger) continue;
        const { trigger, text } = literals[index]!;
        if (trigger !== undefined) values.add(trigger, hits.positions[i]! - text.length);
      }
    }
    if (values !== undefined) layers.push(...values.finish());
  }

  /** Searches what layers of a text decode to, and what is encoded in that. */
  #inside(source: Buffer, layers: readonly Layer[], depth: number, found: DecodedMatch[]): void {
    const batch = LEVELS[depth - 1]!;
    const { hits, output } = batch;
    for (let next = 0; next < layers.length;) {
      next = batch.fill(source, layers, next);
      hits.clear();
      this.rules.prefilter.run(output.bytes, 0, output.length, Prefilter.start, hits);
      const holdsZeros = output.bytes.subarray(0, output.length).includes(0);
      let hit = 0;
      for (const [i, decoded] of batch.decoded.entries()) {
        const first = hit;
        while (hit < hits.length && hits.positions[hit]! <= decoded.to) hit++;
        const layer = batch.layers[i]!;
        if (!this.#mayDecode(layer)) continue;
        const text = new Stretch(output.bytes, decoded.from, decoded.to, decoded.from, hits, first, hit);
        this.#matches(layer, decoded, text, found);
        if (depth < MAX_DEPTH) this.#deeper(layer, decoded, text, holdsZeros, depth, found);
      }
    }
  }

  #mayDecode({ from, to }: Layer): boolean {
    const length = to - from;
    if (length > this.#leftBytes) {
      this.isCutShort = true;
      return false;
    }
    this.#leftBytes -= length;
    return true;
  }

  #matches(layer: Layer, decoded: Decoded, text: Stretch, found: DecodedMatch[]): void {
    if (!this.#concernsRules(text)) return;
    for (const match of this.matcher.matchDecoded(text))
      if (isTouched(decoded, match.matchStart, match.matchEnd)) found.push(carried(layer, decoded, match));
  }

  #concernsRules({ hits, firstHit, lastHit }: Stretch): boolean {
    const { prefilter, block, searchedAlways } = this.rules;
    if (searchedAlways.length > 0) return true;
    const kinds = block.length > 0 ? ANCHORED | KEYWORD : ANCHORED;
    for (let i = firstHit; i < lastHit; i++)
      if ((prefilter.kinds(hits.states[i]!) & kinds) !== 0) return true;
    return false;
  }

  #deeper(
    layer: Layer,
    decoded: Decoded,
    text: Stretch,
    holdsZeros: boolean,
    depth: number,
    found: DecodedMatch[],
  ): void {
    const { bytes, from, to } = text;
    const layers = findRuns(bytes, from, to, to);
    if (holdsZeros) findWideText(bytes, from, to, to, layers);
    this.#escaped(text, layers);
    if (layers.length === 0) return;
    const inside: DecodedMatch[] = [];
    // What stands there in the clear was looked at where it stood.
    const unseen = layers.filter((inner) => isTouched(decoded, inner.codedFrom, inner.codedTo));
    this.#inside(bytes, unseen, depth + 1, inside);
    for (const match of inside) found.push(carried(layer, decoded, match));
  }
}

/** The same match where positions count from `base` before the bytes. */
export function movedMatch(match: DecodedMatch, base: number): DecodedMatch {
  const { secret, whole } = match.decoded;
  return {
    ruleIndex: match.ruleIndex,
    start: match.start + base,
    end: match.end + base,
    matchStart: match.matchStart + base,
    matchEnd: match.matchEnd + base,
    decoded: {
      secret: movedTo(secret, secret.layer.from + base),
      whole: movedTo(whole, whole.layer.from + base),
    },
  };
}

/** Carries a match from the decoded text to the text that it was decoded from. */
function carried(layer: Layer, decoded: Decoded, match: Match): DecodedMatch {
  const { ruleIndex, start, end, matchStart, matchEnd } = match;
  const [from, to] = sourceSpan(layer, decoded, start, end);
  const [wholeFrom, wholeTo] = sourceSpan(layer, decoded, matchStart, matchEnd);
  const place = (first: number, last: number, inner: Place | undefined): Place =>
    inner === undefined
      ? placeOf(layer, decoded, first, last)
      : placeOf(layer, decoded, inner.layer.from, inner.layer.to, movedTo(inner, 0));
  return {
    ruleIndex,
    start: from,
    end: to,
    matchStart: wholeFrom,
    matchEnd: wholeTo,
    decoded: {
      secret: place(start, end, match.decoded?.secret),
      whole: place(matchStart, matchEnd, match.decoded?.whole),
    },
  };
}
