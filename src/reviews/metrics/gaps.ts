import type { Instant } from '../../clock.js';

/** A span of time [from, to). */
export interface Span {
  readonly from: Instant;
  readonly to: Instant;
}

/** The spans within `whole` that the intervals do not cover. Each interval is `length` long; they are in order. */
export function gapsBetween(whole: Span, starts: readonly Instant[], length: number): readonly Span[] {
  const gaps: Span[] = [];
  let at = whole.from;
  for (const start of starts) {
    if (start > at) gaps.push({ from: at, to: Math.min(start, whole.to) });
    at = Math.max(at, start + length);
  }
  if (at < whole.to) gaps.push({ from: at, to: whole.to });
  return gaps;
}
