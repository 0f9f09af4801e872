import { decodeAround } from './decode/base64-fragments.js';
import { movedTo, placeOf, sourceSpan } from './decode/layer.js';
import type { Place } from './decode/layer.js';
import { BlockMemory } from './block-memory.js';
import type { Present } from './block-memory.js';
import type { CompiledRule, CompiledRules, EncodedRule } from './compile.js';
import { ANCHORED, ENCODED, WINDOW_BYTES } from './compile.js';
import type { Stretch } from './stretch.js';

/** A match of a rule. Positions count from the start of the object's text. */
export interface Match {
  readonly ruleIndex: number;
  readonly matchStart: number;
  readonly matchEnd: number;
  readonly start: number;
  readonly end: number;
  /** Set when the match is not written in clear; the positions are then those of the encoded characters. */
  readonly decoded?: DecodedPlaces;
}

/** Where the secret, and the whole match, can be decoded again. */
export interface DecodedPlaces {
  readonly secret: Place;
  readonly whole: Place;
}

/** Tells a watcher in another thread which rule is running; see the pool. */
export interface Probe {
  enter(ruleIndex: number): void;
}

// How much a clipped pattern sees before its start: enough for \b and for look at the line start.
const LOOK_BEHIND = 64;

/**
 * Runs the rules of one object over its stretches and remembers where each rule's last match ended.
 *
 * V8 cannot interrupt a pattern, so a rule that has used up its time is switched off after the fact: `expired`
 * names the rules that this object was not fully searched for.
 */
export class Matcher {
  readonly #lastEnd: Float64Array;
  readonly #active: Uint8Array;
  readonly #memory: BlockMemory;
  #tick = 0;
  readonly expired = new Set<number>();

  constructor(
    private readonly rules: CompiledRules,
    private readonly monotonicMs: () => number,
    private readonly ruleBudgetMs: number,
    private readonly probe: Probe | undefined,
    inactive: Iterable<number>,
    saved?: { readonly lastEnd: Float64Array; readonly expired: readonly number[] },
    expired: readonly number[] = [],
  ) {
    this.#lastEnd = saved?.lastEnd.slice() ?? new Float64Array(rules.all.length);
    this.#memory = BlockMemory.of(rules);
    this.#active = new Uint8Array(rules.all.length).fill(1);
    for (const index of inactive) this.#active[index] = 0;
    for (const index of [...(saved?.expired ?? []), ...expired]) this.#expire(index);
  }

  get lastEnds(): Float64Array {
    return this.#lastEnd.slice();
  }

  #expire(index: number): void {
    this.#active[index] = 0;
    this.expired.add(index);
  }

  /** Begins a block, which is searched as it stands and then where it is encoded. */
  begin(block: Stretch): void {
    this.#memory.spentMs.fill(0);
    this.#memory.decodedEnd.fill(0);
    this.#memory.inBlock.of(block);
  }

  /** Finds the matches whose keyword stands in the block of positions `[blockStart, blockEnd)`. */
  matchBlock(stretch: Stretch, blockStart: number, blockEnd: number): Match[] {
    const found: Match[] = [];
    const { inBlock } = this.#memory;
    this.#tick = this.monotonicMs();
    this.#atHits(stretch, inBlock, this.#lastEnd, found, ANCHORED | ENCODED);
    for (const rule of this.#blockRules(inBlock)) {
      this.#searchBlock(rule, stretch, blockStart, blockEnd, found);
      this.#ran(rule.index);
    }
    this.probe?.enter(-1);
    return found;
  }

  /** Finds the matches in a text that was decoded out of the block. */
  matchDecoded(stretch: Stretch): Match[] {
    const { inDecoded, decodedEnd: lastEnd } = this.#memory;
    inDecoded.of(stretch);
    const found: Match[] = [];
    this.#tick = this.monotonicMs();
    this.#atHits(stretch, inDecoded, lastEnd, found, ANCHORED);
    for (const rule of this.#blockRules(inDecoded)) {
      this.#searchAll(rule, stretch, lastEnd, found);
      this.#ran(rule.index);
    }
    this.probe?.enter(-1);
    if (found.length > 0) lastEnd.fill(0);
    return found;
  }

  /** Adds the time since the last call to the rule's account for this block. */
  #ran(index: number): void {
    const now = this.monotonicMs();
    const spentMs = this.#memory.spentMs[index]! + now - this.#tick;
    this.#memory.spentMs[index] = spentMs;
    this.#tick = now;
    if (spentMs > this.ruleBudgetMs) this.#expire(index);
  }

  #atHits(stretch: Stretch, present: Present, lastEnd: Float64Array, found: Match[], kinds: number): void {
    const { prefilter, literals } = this.rules;
    const { hits, firstHit, lastHit } = stretch;
    for (let i = firstHit; i < lastHit; i++) {
      const state = hits.states[i]!;
      if ((prefilter.kinds(state) & kinds) === 0) continue;
      const end = hits.positions[i]! - stretch.from;
      for (const literalIndex of prefilter.endings(state)) {
        const literal = literals[literalIndex]!;
        const at = end - literal.text.length;
        if (at < 0) continue;
        for (const rule of literal.anchored) {
          if (this.#active[rule.index] === 0 || stretch.base + at < lastEnd[rule.index]!) continue;
          // A keyword may stand beside what is encoded.
          if (
            rule.keywords.size > 0 &&
            !present.any(rule.keywords) &&
            !this.#memory.inBlock.any(rule.keywords)
          )
            continue;
          const start = firstStart(rule, stretch, at, lastEnd);
          if (start < 0) continue;
          this.probe?.enter(rule.index);
          const match = this.#matchNear(rule, stretch, start, at, lastEnd);
          this.#ran(rule.index);
          if (match !== undefined) found.push(match);
        }
        if ((kinds & ENCODED) === 0) continue;
        for (const encoded of literal.encoded) {
          if (this.#active[encoded.rule.index] === 0) continue;
          this.probe?.enter(encoded.rule.index);
          const match = this.#matchEncoded(encoded, stretch, at, lastEnd);
          this.#ran(encoded.rule.index);
          if (match !== undefined) found.push(match);
        }
      }
    }
  }

  /** The rules that are searched through a whole text that holds these literals. */
  *#blockRules(present: Present): Generator<CompiledRule> {
    for (const rule of this.rules.block) {
      if (this.#active[rule.index] === 0) continue;
      if (rule.rule.keywords.length > 0 && !present.any(rule.keywords)) continue;
      this.probe?.enter(rule.index);
      yield rule;
    }
  }

  /** Tries every start from `first` on from which the literal at `at` can be reached. */
  #matchNear(
    rule: CompiledRule,
    stretch: Stretch,
    first: number,
    at: number,
    lastEnd: Float64Array,
  ): Match | undefined {
    for (let start = first; start <= at - rule.minOffset; start++) {
      const match = this.#matchAt(rule, stretch, start, lastEnd);
      if (match !== undefined) return match;
    }
    return undefined;
  }

  #matchAt(rule: CompiledRule, stretch: Stretch, at: number, lastEnd: Float64Array): Match | undefined {
    const { text, base } = stretch;
    let shown = text;
    let cut = 0;
    if (rule.clipped) {
      cut = Math.max(0, at - LOOK_BEHIND);
      shown = text.slice(cut, at + rule.windowBytes);
    }
    rule.regex.lastIndex = at - cut;
    if (!rule.regex.test(shown)) return undefined;
    const match = precisely(rule, shown, at - cut, base + cut);
    // Not the end of the match: what only delimits one secret may delimit the next.
    if (match !== undefined) lastEnd[rule.index] = match.end;
    return match === undefined ? undefined : withPrefix(rule, match, text, base);
  }

  /** Tries a rule on what base64 text around the hit decodes to, one level deep. */
  #matchEncoded(
    { rule, fragment }: EncodedRule,
    { text, base }: Stretch,
    at: number,
    lastEnd: Float64Array,
  ): Match | undefined {
    const around = decodeAround(text, at, fragment);
    if (around === undefined) return undefined;
    const { layer, decoded, literalAt } = around;
    const clear = decoded.bytes.toString('latin1', decoded.from, decoded.to);
    rule.regex.lastIndex = literalAt;
    if (!rule.regex.test(clear)) return undefined;
    const match = precisely(rule, clear, literalAt, 0);
    if (match === undefined) return undefined;
    const [from, to] = sourceSpan(layer, decoded, match.start, match.end);
    if (base + from < lastEnd[rule.index]!) return undefined;
    lastEnd[rule.index] = base + to;
    const place = placeOf(layer, decoded, match.start, match.end);
    const secret = movedTo(place, base + place.layer.from);
    return {
      ruleIndex: rule.index,
      matchStart: base + from,
      matchEnd: base + to,
      start: base + from,
      end: base + to,
      decoded: { secret, whole: secret },
    };
  }

  #searchBlock(rule: CompiledRule, { text, base }: Stretch, from: number, to: number, found: Match[]): void {
    const start = Math.max(0, from - WINDOW_BYTES - base, this.#lastEnd[rule.index]! - base);
    const cut = Math.max(0, start - LOOK_BEHIND);
    const shown = text.slice(cut, to + 2 * WINDOW_BYTES - base);
    rule.regex.lastIndex = start - cut;
    for (;;) {
      const result = rule.regex.exec(shown);
      if (result === null || base + cut + result.index >= to + WINDOW_BYTES) return;
      const match = precisely(rule, shown, result.index, base + cut);
      if (match !== undefined) {
        this.#lastEnd[rule.index] = match.matchEnd;
        found.push(match);
      }
      if (result[0] === '') rule.regex.lastIndex++;
    }
  }

  #searchAll(rule: CompiledRule, { text, base }: Stretch, lastEnd: Float64Array, found: Match[]): void {
    rule.regex.lastIndex = 0;
    for (let result = rule.regex.exec(text); result !== null; result = rule.regex.exec(text)) {
      const match = precisely(rule, text, result.index, base);
      if (match !== undefined && match.start >= lastEnd[rule.index]!) {
        lastEnd[rule.index] = match.matchEnd;
        found.push(match);
      }
      if (result[0] === '') rule.regex.lastIndex++;
    }
  }
}

/** The first start that looks like a match from which the literal at `at` can be reached; -1 when there is none. */
function firstStart(rule: CompiledRule, stretch: Stretch, at: number, lastEnd: Float64Array): number {
  const earliest = Math.max(0, lastEnd[rule.index]! - stretch.base, at - rule.maxOffset);
  for (let start = earliest; start <= at - rule.minOffset; start++)
    if (looksLike(rule, stretch, start)) return start;
  return -1;
}

function looksLike({ opening }: CompiledRule, { bytes, from, to }: Stretch, at: number): boolean {
  const start = from + at;
  if (start + opening.length > to) return false;
  for (let i = 0; i < opening.length; i++) if (opening[i]![bytes[start + i]!] === 0) return false;
  return true;
}

/** Where the secret itself stands in a match: the group that the rule names, else the first one that took part. */
function precisely(rule: CompiledRule, text: string, at: number, base: number): Match | undefined {
  rule.located.lastIndex = at;
  const spans = rule.located.exec(text)?.indices;
  if (spans === undefined) return undefined;
  const group = rule.rule.secretGroup;
  const wanted = group > 0 ? spans[group] : (spans.slice(1).find((span) => filled(span)) ?? spans[0]);
  if (!filled(wanted)) return undefined;
  const [matchStart, matchEnd] = spans[0]!;
  return {
    ruleIndex: rule.index,
    matchStart: base + matchStart,
    matchEnd: base + matchEnd,
    start: base + wanted[0],
    end: base + wanted[1],
  };
}

// Captures that took no part have no span, whatever the type library says.
const filled = (span: readonly [number, number] | undefined): span is readonly [number, number] =>
  span !== undefined && span[1] > span[0];

function withPrefix(rule: CompiledRule, match: Match, text: string, base: number): Match {
  if (rule.prefix === undefined) return match;
  let at = match.matchStart - base;
  for (let left = rule.maxPrefix; left > 0 && at > 0 && rule.prefix[text.charCodeAt(at - 1)] === 1; left--)
    at--;
  return { ...match, matchStart: base + at };
}
