import { asText } from '../expressions.js';
import type { FieldProblem } from '../../../errors.js';
import type { WorkflowTask } from '../../model/definition.js';
import type { Branch, TaskMapper } from './mapper.js';
import { pathKey } from '../json-path.js';

const DEFAULT_BRANCH = 'default';
const caseKey = (value: string): string => `case ${value}`;

function branchesOf(task: WorkflowTask): Branch[] {
  const cases = Object.entries(task.decisionCases).map(([value, tasks]) => ({
    key: caseKey(value),
    path: `.decisionCases${pathKey(value)}`,
    tasks,
  }));
  return [...cases, { key: DEFAULT_BRANCH, path: '.defaultCase', tasks: task.defaultCase }];
}

/** A case that is listed wins even when it is empty; everything else is the default. */
const branchFor = (task: WorkflowTask, value: string): string =>
  Object.hasOwn(task.decisionCases, value) ? caseKey(value) : DEFAULT_BRANCH;

/** Goes on with one of several branches, by the value of one input. */
export const switchMapper: TaskMapper = {
  type: 'SWITCH',
  rowType: 'SWITCH',
  definitionName: 'SWITCH',
  isWork: false,
  handOut: 'never',
  map({ task, input }) {
    const name = task.expression ?? '';
    const value = asText(Object.hasOwn(input, name) ? input[name] : undefined);
    const key = branchFor(task, value);
    const taken = branchesOf(task).find((branch) => branch.key === key);
    return {
      status: 'COMPLETED',
      inputData: { ...input, case: value, ...(taken?.tasks.length ? { hasChildren: 'true' } : {}) },
      outputData: { evaluationResult: [value], selectedCase: value },
    };
  },
  branches: branchesOf,
  chosenBranch(row) {
    const value = row.outputData['selectedCase'];
    return typeof value === 'string' ? branchFor(row.workflowTask, value) : undefined;
  },
  check(task, path): FieldProblem[] {
    if (task.evaluatorType !== 'value-param') {
      const message =
        task.evaluatorType === undefined
          ? 'is missing; use "value-param"'
          : `"${task.evaluatorType}" is not supported yet; use "value-param"`;
      return [{ path: `${path}.evaluatorType`, message }];
    }
    if (task.expression === undefined || !Object.hasOwn(task.inputParameters, task.expression)) {
      const message = 'must name one of the inputParameters, whose value is the case';
      return [{ path: `${path}.expression`, message }];
    }
    return [];
  },
};
