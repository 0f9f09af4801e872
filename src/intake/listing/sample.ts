import { compareKeys } from '../../s3/key-order.js';
import { commonLength, KeyMeasure } from './key-measure.js';
import { addFound, NOTHING_FOUND, scaleFound, type Found } from './estimate.js';

/** One page somewhere in the listing: what comes after a key. */
export interface SampledPage {
  readonly entries: number;
  /** Some of its keys, in order; the last one is among them. */
  readonly keys: readonly string[];
  readonly isLast: boolean;
  readonly found: Found;
}

export interface SampleInput {
  readonly prefix: string;
  /** What is up to here is known. */
  readonly after: string;
  /** Pages that may be read. */
  readonly samples: number;
  readonly look: (after: string) => Promise<SampledPage>;
}

/** A part of the listing with the page at its beginning. */
interface Part {
  readonly from: string;
  readonly to: string;
  readonly page: SampledPage;
}

interface Stretch extends Part {
  /** About so many, by what was known when it was cut. */
  readonly entries: number;
}

/**
 * Says about how much comes after a key, from pages read here and there: the densest stretch is always split next, at its
 * middle, and each counts as dense all through as its first page is.
 */
export async function extrapolate(
  input: SampleInput,
): Promise<{ readonly found: Found; readonly seen: number }> {
  let seen = 0;
  const budget = { left: input.samples };
  const keys: string[] = [];
  const look = async (after: string): Promise<SampledPage> => {
    budget.left -= 1;
    const page = await input.look(after);
    seen += page.entries;
    keys.push(...page.keys);
    return page;
  };
  const to = await lastKey(input, Math.floor(input.samples / 2), look);
  if (to === undefined) return { found: NOTHING_FOUND, seen };
  const stretchOf = (from: string, end: string, page: SampledPage): Stretch => {
    const stretch = { from, to: end, page };
    return { ...stretch, entries: entriesOf(stretch, keys) };
  };
  let stretches = [stretchOf(input.after, to, await look(input.after))];
  const split = new Set<Stretch>();
  while (budget.left > 0) {
    const stretch = largest(stretches.filter((one) => !split.has(one) && !isWhole(one)));
    if (stretch === undefined) break;
    const middle = cutOf(stretch, keys);
    // Its keys lie so close that no text between them tells halves apart.
    if (middle === undefined) split.add(stretch);
    else {
      const second = await look(middle);
      const halves = [stretchOf(stretch.from, middle, stretch.page), stretchOf(middle, stretch.to, second)];
      stretches = stretches.flatMap((one) => (one === stretch ? halves : [one]));
    }
  }
  const found = stretches
    .map((stretch) => {
      const entries = entriesOf(stretch, keys);
      // Nothing to go by: what was seen there is what is told.
      return scaleFound(stretch.page.found, Number.isFinite(entries) ? entries : stretch.page.entries);
    })
    .reduce(addFound, NOTHING_FOUND);
  return { found, seen };
}

const lastOf = (page: SampledPage): string | undefined => page.keys.at(-1);

/** All keys teach how keys are written: those of the stretch itself would show only what was seen of it already. */
const measureOf = ({ from, to }: Part, keys: readonly string[]): KeyMeasure =>
  new KeyMeasure({ from, to }, keys);

// A page that is a smaller part of its stretch than this says nothing of it.
const TRUSTED_PAGES = 200;
const STEPS_UP = 2;

/** Where a stretch is cut in two: in its middle, or where the folder ends in which its page lies. */
function cutOf(stretch: Stretch, keys: readonly string[]): string | undefined {
  const { from, to, page } = stretch;
  const last = lastOf(page) ?? from;
  if (stretch.entries > TRUSTED_PAGES * Math.max(1, page.entries)) {
    const inPage = commonLength({ from: page.keys[0] ?? from, to: last });
    const length = Math.max(commonLength({ from, to }) + 1, inPage - STEPS_UP);
    const end = `${last.slice(0, length)}${HIGHEST}`.toWellFormed();
    if (length <= inPage && compareKeys(end, last) > 0 && compareKeys(end, to) < 0) return end;
  }
  return measureOf(stretch, keys).middleFrom(last);
}

/** How many entries a stretch has, if it is as dense all through as where it begins. */
function entriesOf(stretch: Part, keys: readonly string[]): number {
  const { from, to, page } = stretch;
  if (isWhole(stretch)) return page.entries;
  const measure = measureOf(stretch, keys);
  const begin = measure.positionOf(from);
  const part = measure.positionOf(lastOf(page) ?? from) - begin;
  const whole = measure.positionOf(to) - begin;
  return part <= 0 ? Infinity : Math.max(page.entries, (page.entries * whole) / part);
}

function isWhole({ to, page }: Part): boolean {
  const last = lastOf(page);
  return page.isLast || last === undefined || compareKeys(last, to) >= 0;
}

const largest = (stretches: readonly Stretch[]): Stretch | undefined =>
  stretches.reduce<Stretch | undefined>(
    (best, one) => (best === undefined || one.entries > best.entries ? one : best),
    undefined,
  );

const HIGHEST = '\u{10ffff}';
// Keys are mostly ASCII; what is beyond it is found a page at a time.
const HIGHEST_ASCII = 0x7f;

/**
 * A key near the end of the listing, found by looking behind ever longer beginnings of keys, and among the characters of
 * one place by halves. `undefined` when nothing comes after `after`.
 */
async function lastKey(
  { prefix, after }: Pick<SampleInput, 'prefix' | 'after'>,
  looks: number,
  look: (after: string) => Promise<SampledPage>,
): Promise<string | undefined> {
  let key = after;
  const search = { left: looks, isFound: false };
  const lastBehind = async (text: string): Promise<string | undefined> => {
    search.left -= 1;
    const page = await look(text.toWellFormed());
    const last = lastOf(page);
    search.isFound ||= page.isLast && last !== undefined;
    return last;
  };
  for (let length = prefix.length + 1; search.left > 0 && length <= key.length && !search.isFound;) {
    const next = await lastBehind(`${key.slice(0, length)}${HIGHEST}`);
    if (next === undefined) {
      length += 1;
      continue;
    }
    key = next;
    const start = key.slice(0, length - 1);
    let high = HIGHEST_ASCII;
    while (search.left > 0 && !search.isFound && high - key.charCodeAt(length - 1) > 1) {
      const middle = Math.floor((key.charCodeAt(length - 1) + high) / 2);
      const further = await lastBehind(start + String.fromCharCode(middle));
      if (further?.startsWith(start) === true) key = further;
      else high = middle;
    }
  }
  return key === after ? undefined : key;
}
