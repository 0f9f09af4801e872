/** What the ledger says of an object, in the order in which it is shown. */
export const VERDICTS = [
  'pending',
  'clean',
  'clean (secrets)',
  'clean (malware)',
  'infected',
  'secrets',
  'suspicious',
  'encrypted',
  'incomplete',
  'unsupported',
  'archived',
  'denied',
  'gone',
  'superseded',
  'skipped',
  'failed',
] as const;

/** How many objects have each verdict; of those with none it says nothing. */
export interface VerdictCounts {
  readonly total: number;
  /** Copies that releases wrote: rows of the ledger, but no uploads. */
  readonly released?: number;
  readonly counts: Readonly<Record<string, number>>;
}
