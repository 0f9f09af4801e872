import type { KnownVersion } from './sql/known-versions.js';

/** Reason of a verdict that a cancelled run leaves: nobody looked at the object, and nobody will until it is asked for. */
export const CANCELLED_REASON = 'backfill_cancelled';

/** What a version that is in the bucket needs. `undelete`: the ledger has its verdict, and thought that it was gone. */
export type Need = 'nothing' | 'undelete' | 'scan';

/**
 * Pure. Whoever has a verdict needs nothing, and whoever is on the way to one neither; but what is there cannot be
 * `gone`, and what a cancelled run left behind was never looked at.
 */
export function needOf(known: KnownVersion | undefined, { rescan }: { readonly rescan: boolean }): Need {
  if (known === undefined) return 'scan';
  if (!known.isUnderWay) {
    const isUnjudged =
      known.verdictGeneration < 0 ||
      known.verdict === 'gone' ||
      (known.verdict === 'skipped' && known.reason === CANCELLED_REASON);
    if (rescan || isUnjudged) return 'scan';
  }
  return known.isDeleted ? 'undelete' : 'nothing';
}
