import { isWithin } from '../json-size.js';
import type { TaskMapper } from './mapper.js';

/** Puts its inputs into the workflow's variables, key by key. */
export const setVariable: TaskMapper = {
  type: 'SET_VARIABLE',
  rowType: 'SET_VARIABLE',
  isWork: false,
  handOut: 'never',
  map({ input, workflow, limits }) {
    const variables = { ...workflow.variables, ...input };
    if (!isWithin(variables, limits.variablesMax)) {
      return {
        status: 'FAILED_WITH_TERMINAL_ERROR',
        inputData: input,
        reasonForIncompletion: `The variables of workflow ${workflow.workflowId} would be larger than ${limits.variablesMax / 1024} kilobytes`,
      };
    }
    return { status: 'COMPLETED', inputData: input, variables };
  },
};
