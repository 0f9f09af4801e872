import type { TaskMapper } from './mapper.js';

/** Work for whoever polls the step's name. */
export const simple: TaskMapper = {
  type: 'SIMPLE',
  isWork: true,
  handOut: 'leased',
  map: ({ task, input, now }) => ({
    status: 'SCHEDULED',
    inputData: input,
    queued: true,
    callbackAfterSeconds: Math.ceil(task.startDelay),
    dueAt: now + Math.round(task.startDelay * 1000),
  }),
};
