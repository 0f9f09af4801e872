import { createHash } from 'node:crypto';

// What auditors take of a control that works each time anew: 15 % of its population, 25 of them at least, 60 at most.
const SHARE_PERCENT = 15;
const AT_LEAST = 25;
const AT_MOST = 60;

/** How many of a population are drawn where nobody says otherwise; all of it where there are fewer than 25. */
export function usualSize(population: number): number {
  const share = Math.ceil((population * SHARE_PERCENT) / 100);
  return Math.min(population, Math.max(AT_LEAST, Math.min(AT_MOST, share)));
}

/** One of a population, and the part of it that it belongs to, as its outcome or its queue. */
export interface Member {
  readonly id: string;
  readonly stratum: string;
}

/** A part of a population and what was drawn from it. */
export interface DrawnStratum {
  readonly stratum: string;
  readonly population: number;
  readonly ids: readonly string[];
}

/**
 * Draws a sample that anybody draws again with `sha256sum`: the members whose SHA-256 of seed, line feed and id come first.
 *
 * The order of the population is of no matter, and a larger sample of the same seed holds the smaller one.
 *
 * @param size all of the population where it is larger; {@link usualSize} where left out.
 */
export function drawSample(ids: Iterable<string>, seed: string, size?: number): string[] {
  const population = [...new Set(ids)];
  return firstOf(population, seed, size ?? usualSize(population.length));
}

/**
 * The same with every stratum in it, as large as its share of the population, and one member at least where the size
 * suffices for that. Strata are in the order of their names.
 */
export function drawStratified(members: Iterable<Member>, seed: string, size?: number): DrawnStratum[] {
  const strata = new Map<string, Set<string>>();
  for (const { id, stratum } of members) {
    const ids = strata.get(stratum) ?? new Set();
    strata.set(stratum, ids.add(id));
  }
  const counts = [...strata].map(([stratum, ids]) => ({ stratum, population: ids.size })).sort(byName);
  const population = counts.reduce((sum, one) => sum + one.population, 0);
  const shares = sharesOf(
    counts.map((one) => one.population),
    Math.min(population, size ?? usualSize(population)),
  );
  return counts.map((one, index) => ({
    ...one,
    ids: firstOf([...(strata.get(one.stratum) ?? [])], seed, shares[index] ?? 0),
  }));
}

function firstOf(ids: readonly string[], seed: string, size: number): string[] {
  const scored = ids.map((id) => ({ id, score: scoreOf(seed, id) }));
  scored.sort((a, b) => compare(a.score, b.score));
  return scored.slice(0, size).map(({ id }) => id);
}

const scoreOf = (seed: string, id: string): string =>
  createHash('sha256').update(`${seed}\n${id}`).digest('hex');

/**
 * Shares of `size` by largest remainders over what is left when each had its one; none is larger than its stratum. Where
 * the size does not suffice for one each, the largest strata have one.
 */
function sharesOf(populations: readonly number[], size: number): number[] {
  const order = populations.map((_, index) => index);
  const largest = order.toSorted((a, b) => (populations[b] ?? 0) - (populations[a] ?? 0) || a - b);
  const shares = populations.map(() => 0);
  for (const index of largest.slice(0, size)) shares[index] = 1;
  const rest = size - Math.min(size, populations.length);
  const beyond = populations.reduce((sum, one) => sum + one - 1, 0);
  if (rest <= 0 || beyond <= 0) return shares;
  const remainders = populations.map((one) => (rest * (one - 1)) % beyond);
  populations.forEach((one, index) => {
    shares[index] = 1 + Math.floor((rest * (one - 1)) / beyond);
  });
  let left = size - shares.reduce((sum, one) => sum + one, 0);
  const byRemainder = order.toSorted((a, b) => (remainders[b] ?? 0) - (remainders[a] ?? 0) || a - b);
  for (const index of byRemainder) {
    if (left === 0) break;
    shares[index] = (shares[index] ?? 0) + 1;
    left -= 1;
  }
  return shares;
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
const byName = (a: { readonly stratum: string }, b: { readonly stratum: string }): number =>
  compare(a.stratum, b.stratum);
