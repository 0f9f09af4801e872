/* Backfills, rescans and reconciliations. What the server says of them is its own file. */

import type { EstimateAnswer, RunAnswer } from '../../src/intake/listing/run-answer.js';

export {
  COUNT_WORDS,
  RUN_KINDS,
  RUN_STATES,
  type EstimateAnswer as Estimate,
  type RunAnswer as Run,
} from '../../src/intake/listing/run-answer.js';

export const backfillPath = (id: string): string => `/backfills/${encodeURIComponent(id)}`;

/** Nothing becomes of it any more. */
export const hasEnded = ({ state }: Pick<RunAnswer, 'state'>): boolean =>
  state === 'completed' || state === 'cancelled' || state === 'failed';

/** It was counted and nothing more: it waits for a yes, or nobody wanted more than the count. */
export const isOnlyEstimated = ({ state, startedAt, estimate }: RunAnswer): boolean =>
  estimate !== null && (state === 'estimated' || (hasEnded({ state }) && startedAt === null));

/** A whole count found nothing that a backfill would scan. */
export const hasNothingToScan = (run: RunAnswer): boolean =>
  isOnlyEstimated(run) && run.estimate?.isExact === true && run.estimate.toScan === 0;

/** What S3 would charge, in the same words everywhere. */
export function costText({ cost, prices: { currency } }: Pick<EstimateAnswer, 'cost' | 'prices'>): string {
  const money = new Intl.NumberFormat(undefined, {
    style: 'currency',
    currency,
    currencyDisplay: 'narrowSymbol',
  });
  return cost < 0.01 ? `less than ${money.format(0.01)}` : `about ${money.format(cost)}`;
}
