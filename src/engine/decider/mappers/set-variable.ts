import { isWithin } from '../json-size.js';
import type { TaskMapper } from './mapper.js';

const MAX_VARIABLES_KB = 256;

/** Puts its inputs into the workflow's variables, key by key. */
export const setVariable: TaskMapper = {
  type: 'SET_VARIABLE',
  rowType: 'SET_VARIABLE',
  isWork: false,
  handOut: 'never',
  map({ input, workflow }) {
    const variables = { ...workflow.variables, ...input };
    if (!isWithin(variables, MAX_VARIABLES_KB * 1024)) {
      return {
        status: 'FAILED_WITH_TERMINAL_ERROR',
        inputData: input,
        reasonForIncompletion: `The variables of workflow ${workflow.workflowId} would be larger than ${MAX_VARIABLES_KB} kilobytes`,
      };
    }
    return { status: 'COMPLETED', inputData: input, variables };
  },
};
