import { EscapedValues } from './decode/escapes.js';
import { decodeLayer, isTouched, movedTo, Output, placeOf, sourceSpan } from './decode/layer.js';
import type { Decoded, Layer, Place } from './decode/layer.js';
import { findRuns } from './decode/runs.js';
import { findWideText } from './decode/wide-text.js';
import type { CompiledRules } from './compile.js';
import type { DecodedPlaces, Match, Matcher } from './matcher.js';
import { Hits, Prefilter } from './prefilter.js';

/** Encodings inside one another. */
export const MAX_DEPTH = 5;
// A block of 64 KB decodes to no more than itself a few times over, unless it was made to.
const MOST_DECODED_BYTES = 1024 * 1024;

/** A match in what was decoded. Positions are those of the text that it was decoded from, as are the places. */
export interface DecodedMatch extends Match {
  readonly decoded: DecodedPlaces;
}

/** A block's bytes: `[from, to)`. What is encoded may begin at `back` and reach on to `end`. */
export interface Within {
  readonly from: number;
  readonly to: number;
  readonly back: number;
  readonly end: number;
}

/**
 * One a level: what a level decodes is looked through before its neighbour is decoded. All scans of a thread share them,
 * since none is ever in the middle of a block when another has its turn.
 */
const LEVELS = Array.from({ length: MAX_DEPTH }, () => ({ hits: new Hits(), output: new Output() }));

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

  /**
   * Matches in what is encoded in a block.
   *
   * @param hits of the prefilter in the block.
   */
  search(bytes: Buffer, hits: Hits, { from, to, back, end }: Within): DecodedMatch[] {
    this.#leftBytes = MOST_DECODED_BYTES;
    const found: DecodedMatch[] = [];
    for (const layer of this.#layers(bytes, hits, back, to, end))
      if (layer.to > from) this.#inside(bytes, layer, 1, found);
    return found;
  }

  #layers(bytes: Buffer, hits: Hits, from: number, to: number, end: number): Layer[] {
    const layers = findRuns(bytes, from, to, end);
    findWideText(bytes, from, to, end, layers);
    if (hits.holdTriggers) layers.push(...this.#escaped(bytes, hits, end));
    return layers;
  }

  #escaped(bytes: Buffer, hits: Hits, end: number): Layer[] {
    const { prefilter, literals, firstTrigger } = this.rules;
    const values = new EscapedValues(bytes, end);
    for (let i = 0; i < hits.length; i++) {
      for (const index of prefilter.endings(hits.states[i]!)) {
        if (index < firstTrigger) continue;
        const { trigger, text } = literals[index]!;
        if (trigger !== undefined) values.add(trigger, hits.positions[i]! - text.length);
      }
    }
    return values.finish();
  }

  #inside(source: Buffer, layer: Layer, depth: number, found: DecodedMatch[]): void {
    const length = layer.to - layer.from;
    if (length > this.#leftBytes) {
      this.isCutShort = true;
      return;
    }
    this.#leftBytes -= length;
    const { hits, output } = LEVELS[depth - 1]!;
    const decoded = decodeLayer(source, layer, output);
    hits.clear();
    this.rules.prefilter.run(decoded.bytes, 0, decoded.length, Prefilter.start, hits);
    for (const match of this.matcher.matchDecoded(decoded, hits))
      if (isTouched(decoded, match.matchStart, match.matchEnd)) found.push(carried(layer, decoded, match));
    if (depth < MAX_DEPTH) this.#deeper(layer, decoded, hits, depth, found);
  }

  #deeper(layer: Layer, decoded: Decoded, hits: Hits, depth: number, found: DecodedMatch[]): void {
    const { bytes, length } = decoded;
    const inside: DecodedMatch[] = [];
    for (const inner of this.#layers(bytes, hits, 0, length, length)) {
      // What stands there in the clear was looked at where it stood.
      if (isTouched(decoded, inner.codedFrom, inner.codedTo)) this.#inside(bytes, inner, depth + 1, inside);
    }
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
