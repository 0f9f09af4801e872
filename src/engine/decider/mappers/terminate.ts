import type { FieldProblem } from '../../../errors.js';
import type { WorkflowStatus } from '../../model/execution.js';
import type { Json, JsonObject } from '../../model/json.js';
import type { TaskMapper } from './mapper.js';

const STATUSES = ['COMPLETED', 'FAILED', 'TERMINATED'] as const satisfies readonly WorkflowStatus[];
export type TerminationStatus = (typeof STATUSES)[number];

/** The status that a TERMINATE task's input asks for; `undefined` when it is none that exists. */
export const terminationStatus = (input: JsonObject): TerminationStatus | undefined =>
  STATUSES.find((status) => status === input['terminationStatus']);

function outputOf(value: Json | undefined): JsonObject {
  if (value === undefined || value === null) return {};
  return isObject(value) ? value : { output: value };
}

const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Ends the whole workflow. */
export const terminate: TaskMapper = {
  type: 'TERMINATE',
  rowType: 'TERMINATE',
  isWork: false,
  handOut: 'never',
  map({ input }) {
    if (terminationStatus(input) === undefined) {
      return {
        status: 'FAILED',
        inputData: input,
        reasonForIncompletion: `The given termination status is not one of ${STATUSES.join(', ')}`,
      };
    }
    return { status: 'COMPLETED', inputData: input, outputData: outputOf(input['workflowOutput']) };
  },
  check(task, path): FieldProblem[] {
    const problems: FieldProblem[] = [];
    const status = task.inputParameters['terminationStatus'];
    const isExpression = typeof status === 'string' && status.includes('${');
    if (!isExpression && terminationStatus(task.inputParameters) === undefined) {
      const message = `must be one of ${STATUSES.join(', ')}`;
      problems.push({ path: `${path}.inputParameters.terminationStatus`, message });
    }
    if (task.optional)
      problems.push({ path: `${path}.optional`, message: 'a TERMINATE task cannot be optional' });
    return problems;
  },
};
