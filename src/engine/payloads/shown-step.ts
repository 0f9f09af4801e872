import { jsonBytes } from '../decider/json-size.js';
import type { WorkflowTask } from '../model/definition.js';
import { MAX_ANSWER_BYTES } from './answer-size.js';

/*
 * The step that a task's row shows. Steps are shared by all rows that came from them, so what is made or measured is
 * remembered by the step.
 */

const alone = new WeakMap<WorkflowTask, WorkflowTask>();
const sizes = new WeakMap<WorkflowTask, number>();
const bare = new WeakMap<WorkflowTask, WorkflowTask>();

/** A step without the steps inside it, which the workflow's definition has: a loop's rows would repeat them. */
export function shownStep(step: WorkflowTask): WorkflowTask {
  if (!hasInner(step)) return step;
  return remembered(alone, step, () => {
    const { loopOver: _body, ...rest } = step;
    return { ...rest, decisionCases: {}, defaultCase: [], forkTasks: [] };
  });
}

/** How many bytes it takes in an answer, where its task definition stands twice: in the step and beside it. */
export const stepBytes = (step: WorkflowTask): number =>
  remembered(sizes, step, () => jsonBytes([shownStep(step), step.taskDefinition], MAX_ANSWER_BYTES));

/** Which step it is, where an answer has no room for more. */
export const bareStep = (step: WorkflowTask): WorkflowTask =>
  remembered(bare, step, () => {
    const { name, taskReferenceName, type, optional, asyncComplete, startDelay, permissive } = step;
    const kept = { name, taskReferenceName, type, optional, asyncComplete, startDelay, permissive };
    return { ...kept, inputParameters: {}, decisionCases: {}, defaultCase: [], forkTasks: [], joinOn: [] };
  });

const hasInner = ({ decisionCases, defaultCase, forkTasks, loopOver }: WorkflowTask): boolean =>
  loopOver !== undefined ||
  defaultCase.length > 0 ||
  forkTasks.length > 0 ||
  Object.keys(decisionCases).length > 0;

function remembered<T>(made: WeakMap<WorkflowTask, T>, step: WorkflowTask, make: () => T): T {
  let one = made.get(step);
  if (one === undefined) {
    one = make();
    made.set(step, one);
  }
  return one;
}
