/* Backfills, rescans and reconciliations. What the server says of them is its own file. */

import type { RunAnswer } from '../../src/intake/listing/run-answer.js';

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
