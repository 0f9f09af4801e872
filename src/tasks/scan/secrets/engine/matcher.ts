import { decodeAround, encodedSpan } from './base64.js';
import type { Base64Place } from './base64.js';
import type { CompiledRule, CompiledRules, EncodedRule } from './compile.js';
import { WINDOW_BYTES } from './compile.js';
import type { Hits } from './prefilter.js';

/** A match of a rule. Positions count from the start of the object's text. */
export interface Match {
  readonly ruleIndex: number;
  readonly matchStart: number;
  readonly matchEnd: number;
  readonly start: number;
  readonly end: number;
  /** Set when the secret is written in base64; start and end are then those of the encoded characters. */
  readonly base64?: Base64Place;
}

/** The stretch of text in memory: `text` holds it from position `base` on. */
export interface Stretch {
  readonly text: string;
  readonly base: number;
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
  readonly #spentMs: Float64Array;
  readonly #active: Uint8Array;
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
    this.#spentMs = new Float64Array(rules.all.length);
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

  /** Finds the matches whose keyword stands in the block of positions `[blockStart, blockEnd)`. */
  matchBlock(stretch: Stretch, hits: Hits, blockStart: number, blockEnd: number): Match[] {
    const found: Match[] = [];
    const { prefilter, literals } = this.rules;
    const present = this.#present(hits);
    this.#spentMs.fill(0);
    let tick = this.monotonicMs();
    const ran = (index: number): void => {
      const now = this.monotonicMs();
      const spentMs = this.#spentMs[index]! + now - tick;
      this.#spentMs[index] = spentMs;
      tick = now;
      if (spentMs > this.ruleBudgetMs) this.#expire(index);
    };
    for (let i = 0; i < hits.length; i++) {
      const end = hits.positions[i]!;
      for (const literalIndex of prefilter.endings(hits.states[i]!)) {
        const literal = literals[literalIndex]!;
        for (const rule of literal.anchored) {
          const at = end - literal.text.length;
          if (this.#active[rule.index] === 0 || stretch.base + at < this.#lastEnd[rule.index]!) continue;
          if (rule.keywords.size > 0 && !holdsAny(present, rule.keywords)) continue;
          this.probe?.enter(rule.index);
          const match = this.#matchNear(rule, stretch, at);
          ran(rule.index);
          if (match !== undefined) found.push(match);
        }
        for (const encoded of literal.encoded) {
          const at = end - literal.text.length;
          if (this.#active[encoded.rule.index] === 0) continue;
          this.probe?.enter(encoded.rule.index);
          const match = this.#matchEncoded(encoded, stretch, at);
          ran(encoded.rule.index);
          if (match !== undefined) found.push(match);
        }
      }
    }
    for (const rule of this.rules.block) {
      if (
        this.#active[rule.index] === 0 ||
        (rule.rule.keywords.length > 0 && !holdsAny(present, rule.keywords))
      )
        continue;
      this.probe?.enter(rule.index);
      this.#searchBlock(rule, stretch, blockStart, blockEnd, found);
      ran(rule.index);
    }
    this.probe?.enter(-1);
    return found;
  }

  /** Which literals stand in the block; only built when a rule asks for more than its own beginning. */
  #present(hits: Hits): Uint8Array {
    const present = new Uint8Array(this.rules.literals.length);
    if (!this.rules.asksForKeywords) return present;
    for (let i = 0; i < hits.length; i++)
      for (const literal of this.rules.prefilter.endings(hits.states[i]!)) present[literal] = 1;
    return present;
  }

  /** Tries every start from which the literal at `at` can be reached, the earliest first. */
  #matchNear(rule: CompiledRule, stretch: Stretch, at: number): Match | undefined {
    const earliest = Math.max(0, this.#lastEnd[rule.index]! - stretch.base, at - rule.maxOffset);
    for (let start = earliest; start <= at - rule.minOffset; start++) {
      const match = this.#matchAt(rule, stretch, start);
      if (match !== undefined) return match;
    }
    return undefined;
  }

  #matchAt(rule: CompiledRule, { text, base }: Stretch, at: number): Match | undefined {
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
    if (match !== undefined) this.#lastEnd[rule.index] = match.end;
    return match === undefined ? undefined : withPrefix(rule, match, text, base);
  }

  /** Tries a rule on what base64 text around the hit decodes to, one level deep. */
  #matchEncoded({ rule, fragment }: EncodedRule, { text, base }: Stretch, at: number): Match | undefined {
    const decoded = decodeAround(text, at, fragment);
    if (decoded === undefined) return undefined;
    rule.regex.lastIndex = decoded.literalAt;
    if (!rule.regex.test(decoded.text)) return undefined;
    const match = precisely(rule, decoded.text, decoded.literalAt, 0);
    if (match === undefined) return undefined;
    const base64 = { from: base + decoded.from, skip: match.start, length: match.end - match.start };
    const span = encodedSpan(base64);
    if (span.start < this.#lastEnd[rule.index]!) return undefined;
    this.#lastEnd[rule.index] = span.end;
    return { ruleIndex: rule.index, matchStart: span.start, matchEnd: span.end, ...span, base64 };
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
}

function holdsAny(present: Uint8Array, keywords: ReadonlySet<number>): boolean {
  for (const keyword of keywords) if (present[keyword] === 1) return true;
  return false;
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
