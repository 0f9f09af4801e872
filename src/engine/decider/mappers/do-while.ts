import type { FieldProblem } from '../../../errors.js';
import type { WorkflowTask } from '../../model/definition.js';
import type { Task } from '../../model/execution.js';
import type { Json, JsonObject } from '../../model/json.js';
import type { MappedTask, TaskMapper } from './mapper.js';

/** Where a loop over a list keeps it; Conductor also takes it from the inputs under this name. */
const ITEMS = '_items';

/** What a loop goes through, one item per iteration; `undefined` when it goes by its condition alone. */
export function itemsOf(task: Pick<Task, 'inputData'>): readonly Json[] | undefined {
  const items = Object.hasOwn(task.inputData, ITEMS) ? task.inputData[ITEMS] : undefined;
  return Array.isArray(items) ? (items as readonly Json[]) : undefined;
}

/** How many iterations' outputs are shown, counted from the last; `undefined` for all. */
export function keptIterations({ inputData }: Pick<Task, 'inputData'>): number | undefined {
  const kept = Object.hasOwn(inputData, 'keepLastN') ? inputData['keepLastN'] : undefined;
  return typeof kept === 'number' && Number.isInteger(kept) && kept >= 1 ? kept : undefined;
}

/** What a loop shows while it runs: where it is. The iterations' own outputs are with their rows. */
export const progressOf = (iteration: number, items: readonly Json[] | undefined): JsonObject =>
  items === undefined || iteration < 1
    ? { iteration }
    : { iteration, loopIndex: iteration - 1, loopItem: items[iteration - 1] ?? null };

const isOverList = (task: WorkflowTask): boolean =>
  task.items !== undefined || Object.hasOwn(task.inputParameters, ITEMS);

/** Goes through its steps until the condition says no, or once per item of a list. */
export const doWhile: TaskMapper = {
  type: 'DO_WHILE',
  rowType: 'DO_WHILE',
  definitionName: 'DO_WHILE',
  isWork: false,
  handOut: 'never',
  repeats: true,
  map({ task, input, resolve }): MappedTask {
    if (!isOverList(task)) {
      return { status: 'IN_PROGRESS', inputData: input, iteration: 1, outputData: progressOf(1, undefined) };
    }
    const given = task.items === undefined ? input[ITEMS] : resolve(task.items);
    if (!Array.isArray(given)) {
      const reasonForIncompletion = 'What the loop is to go through is not a list';
      return { status: 'FAILED_WITH_TERMINAL_ERROR', inputData: input, reasonForIncompletion };
    }
    const items = given as readonly Json[];
    const inputData = { ...input, [ITEMS]: items };
    if (items.length === 0)
      return { status: 'COMPLETED', inputData, iteration: 0, outputData: progressOf(0, items) };
    return { status: 'IN_PROGRESS', inputData, iteration: 1, outputData: progressOf(1, items) };
  },
  branches: (task) => [{ key: 'loop', path: '.loopOver', tasks: task.loopOver ?? [] }],
  check(task, path): FieldProblem[] {
    const problems: FieldProblem[] = [];
    if ((task.loopOver ?? []).length === 0)
      problems.push({ path: `${path}.loopOver`, message: 'must have at least one task' });
    const condition = task.loopCondition ?? '';
    if (condition.trim() === '' && (task.loopCondition !== undefined || !isOverList(task))) {
      const message = 'is missing; give the JavaScript that says whether to go on, or a list in "items"';
      problems.push({ path: `${path}.loopCondition`, message });
    }
    if (task.items !== undefined && !Array.isArray(task.items) && !isExpression(task.items))
      problems.push({ path: `${path}.items`, message: 'must be a list, or an expression that gives one' });
    const keepLastN = task.inputParameters['keepLastN'] ?? null;
    if (
      keepLastN !== null &&
      !isExpression(keepLastN) &&
      keptIterations({ inputData: { keepLastN } }) === undefined
    ) {
      const message = 'must be a whole number of iterations, at least 1';
      problems.push({ path: `${path}.inputParameters.keepLastN`, message });
    }
    return problems;
  },
};

const isExpression = (value: Json): boolean => typeof value === 'string' && value.includes('${');
