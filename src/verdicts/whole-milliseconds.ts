import type { Clock, Instant } from '../clock.js';

/** Now, as bigint columns hold it: the clock itself counts fractions of a millisecond. */
export const wholeMilliseconds = (clock: Clock): Instant => Math.floor(clock.now());
