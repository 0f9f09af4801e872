import { uuid5 } from '../../uuid5.js';

/** The id of one attempt of one step. Derived, so that deciding twice creates one row. */
export const taskIdOf = (
  workflow: { readonly workflowId: string; readonly runEpoch: number },
  referenceTaskName: string,
  iteration: number,
  attempt: number,
): string => uuid5(workflow.workflowId, `${workflow.runEpoch}/${referenceTaskName}/${iteration}/${attempt}`);
