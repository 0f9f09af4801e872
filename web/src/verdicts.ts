import { CLEAN_VERDICTS, VERDICTS } from '../../src/verdicts/verdict.js';

// In the order in which they are shown.
export { CLEAN_VERDICTS, VERDICTS };

/** How many objects have each verdict; of those with none it says nothing. */
export interface VerdictCounts {
  readonly total: number;
  /** Copies that releases wrote: rows of the ledger, but no uploads. */
  readonly released?: number;
  readonly counts: Readonly<Record<string, number>>;
}
