import type { TaskMapper } from './mapper.js';

/** Waits for the tasks in `joinOn`; which of them are still awaited is the index's business (`join-waits.ts`). */
export const join: TaskMapper = {
  type: 'JOIN',
  rowType: 'JOIN',
  definitionName: 'JOIN',
  isWork: false,
  handOut: 'never',
  map: ({ task, input, rowName }) => ({
    status: 'IN_PROGRESS',
    inputData: { ...input, joinOn: task.joinOn.map(rowName) },
  }),
};
