import { WAITING_STATES } from '../../../rules/review.js';

/** Still to be decided; written out, so that the partial indexes serve. */
export const WAITS = `state IN (${WAITING_STATES.map((state) => `'${state}'`).join(', ')})`;
