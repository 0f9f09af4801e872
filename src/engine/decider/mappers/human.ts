import type { TaskMapper } from './mapper.js';

/**
 * A person decides. IN_PROGRESS at once, as in Conductor, and queued: the reviews stage takes it once, opens a review
 * and leaves it parked until somebody decides.
 */
export const human: TaskMapper = {
  type: 'HUMAN',
  rowType: 'HUMAN',
  isWork: true,
  handOut: 'once',
  map: ({ input }) => ({ status: 'IN_PROGRESS', inputData: input, queued: true }),
};
