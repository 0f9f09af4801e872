import { addAll, emptySet } from './byte-set.js';
import type { ByteSet } from './byte-set.js';
import type { Pattern } from './pattern.js';

/**
 * The bytes that a match may have at each of its first places, up to the length of the shortest match: what has another one
 * there is no match. Much cheaper to ask than the pattern itself.
 *
 * @param most places that are looked at, 30 at most.
 */
export function openingOf(pattern: Pattern, most: number): readonly ByteSet[] {
  const places = Array.from({ length: most }, emptySet);
  const ends = advance(pattern, 1, places);
  const shortest = ends === 0 ? most : Math.min(most, 31 - Math.clz32(ends & -ends));
  return places.slice(0, shortest);
}

/**
 * Adds what a part of a pattern may match to the places where it may stand. Sets of places are flags.
 *
 * @returns where it may end; what ends behind the last place is left out.
 */
function advance(pattern: Pattern, starts: number, places: readonly ByteSet[]): number {
  switch (pattern.kind) {
    case 'set':
      for (const [place, set] of places.entries())
        if (((starts >> place) & 1) === 1) addAll(set, pattern.set);
      return (starts << 1) & ((1 << places.length) - 1);
    case 'assertion':
      return starts;
    case 'concat':
      return pattern.items.reduce((at, item) => advance(item, at, places), starts);
    case 'alternate':
      return pattern.branches.reduce((ends, branch) => ends | advance(branch, starts, places), 0);
    case 'capture':
      return advance(pattern.inner, starts, places);
  }
  return advanceAgain(pattern, starts, places);
}

function advanceAgain(
  { inner, min, max }: Extract<Pattern, { kind: 'repeat' }>,
  starts: number,
  places: readonly ByteSet[],
): number {
  let at = starts;
  let ends = min === 0 ? starts : 0;
  for (let times = 1; times <= max && at !== 0; times++) {
    const before = at;
    at = advance(inner, at, places);
    // From here on each time ends where the one before did: there may be a thousand of a thousand of them.
    if (at === before) return ends | at;
    if (times < min) continue;
    if ((ends | at) === ends) break;
    ends |= at;
  }
  return ends;
}
