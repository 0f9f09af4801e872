import * as fc from 'fast-check';

/*
 * For long runs: PROPERTY_RUNS multiplies how many cases each property tries, PROPERTY_SEED repeats a run.
 */
const factor = Number(process.env['PROPERTY_RUNS'] ?? 1);
const seed = process.env['PROPERTY_SEED'];
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) });

/** How many cases a property tries that by default tries `count`. */
export const runs = (count: number): number => Math.max(1, Math.round(count * factor));

/** For one property; a long run takes its time. */
export const TIME_LIMIT_MS = 30_000 * Math.max(1, factor);
