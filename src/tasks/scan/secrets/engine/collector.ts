import type { Confidence } from '../rules/rule.js';
import type { SecretFinding } from '../finding.js';

/** A finding with what the collector needs to weigh it against others. Positions are those of the scanned text. */
export interface Collected {
  readonly finding: SecretFinding;
  readonly ruleIndex: number;
  readonly generic: boolean;
  readonly isDecoded: boolean;
  readonly start: number;
  readonly end: number;
}

export interface CollectorState {
  readonly kept: Readonly<Record<Confidence, readonly Collected[]>>;
  readonly overflow: Readonly<Record<Confidence, number>>;
}

const order: readonly Confidence[] = ['high', 'medium', 'low'];

/**
 * Keeps a bounded number of findings of each confidence, so that a thousand decoys cannot push a certain one out.
 */
export class Collector {
  readonly #kept: Record<Confidence, Collected[]>;
  readonly #overflow: Record<Confidence, number>;

  constructor(
    private readonly limit: number,
    saved?: CollectorState,
  ) {
    this.#kept = {
      high: [...(saved?.kept.high ?? [])],
      medium: [...(saved?.kept.medium ?? [])],
      low: [...(saved?.kept.low ?? [])],
    };
    this.#overflow = { ...(saved?.overflow ?? { high: 0, medium: 0, low: 0 }) };
  }

  get state(): CollectorState {
    return { kept: this.#kept, overflow: this.#overflow };
  }

  add(collected: Collected): void {
    const list = this.#kept[collected.finding.confidence];
    if (list.length < this.limit) list.push(collected);
    else this.#overflow[collected.finding.confidence]++;
  }

  /** What is reported: generic findings yield to specific ones on the same bytes, the most certain are kept. */
  finish(): { findings: SecretFinding[]; counts: Record<Confidence, number>; truncated: boolean } {
    const settled = settle(order.flatMap((confidence) => this.#kept[confidence]));
    const counts = { ...this.#overflow };
    for (const { finding } of settled) counts[finding.confidence]++;
    const chosen = order
      .flatMap((confidence) => settled.filter(({ finding }) => finding.confidence === confidence))
      .slice(0, this.limit);
    chosen.sort((a, b) => a.start - b.start || a.ruleIndex - b.ruleIndex);
    const total = counts.high + counts.medium + counts.low;
    return { findings: chosen.map(({ finding }) => finding), counts, truncated: total > chosen.length };
  }
}

/**
 * Drops generic findings that a specific one, or an earlier generic rule, overlaps, and what a rule found in a text that
 * was decoded when it found the same place already: in clear, or decoded in another way.
 */
function settle(all: readonly Collected[]): Collected[] {
  const sorted = foundOnce(all).sort(
    (a, b) => Number(a.generic) - Number(b.generic) || a.ruleIndex - b.ruleIndex || a.start - b.start,
  );
  const kept: Collected[] = [];
  for (const one of sorted) {
    if (one.generic && kept.some((other) => other.start < one.end && one.start < other.end)) continue;
    kept.push(one);
  }
  return kept;
}

function foundOnce(all: readonly Collected[]): Collected[] {
  const inOrder = [...all].sort(
    (a, b) => a.ruleIndex - b.ruleIndex || a.start - b.start || Number(a.isDecoded) - Number(b.isDecoded),
  );
  const clear = inOrder.filter(({ isDecoded }) => !isDecoded);
  const kept: Collected[] = [...clear];
  let next = 0;
  let last: Collected | undefined;
  for (const one of inOrder) {
    if (!one.isDecoded) continue;
    const isBehind = (other: Collected): boolean =>
      other.ruleIndex < one.ruleIndex || (other.ruleIndex === one.ruleIndex && other.end <= one.start);
    while (next < clear.length && isBehind(clear[next]!)) next++;
    const inClear = clear[next];
    const isKnown =
      (inClear !== undefined && inClear.ruleIndex === one.ruleIndex && inClear.start < one.end) ||
      (last !== undefined && !isBehind(last));
    if (isKnown) continue;
    kept.push(one);
    last = one;
  }
  return kept;
}
