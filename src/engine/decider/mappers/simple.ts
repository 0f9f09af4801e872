import { boundedMs } from '../../model/definition.js';
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
    callbackAfterSeconds: Math.ceil(boundedMs(task.startDelay) / 1000),
    dueAt: now + boundedMs(task.startDelay),
  }),
};
