import { isSuccessfulTask } from '../model/execution.js';
import type { Task, WorkflowStatus } from '../model/execution.js';
import type { JsonObject } from '../model/json.js';
import { ExpressionTooLarge } from './expressions.js';
import { startFailureWorkflow } from './failure-workflow.js';
import { tellParent } from './sub-workflows.js';
import { isWithin } from './json-size.js';
import { scopeOf } from './scope.js';
import type { Transition } from './transition.js';

/** How and why a workflow ends. */
export interface Ending {
  readonly status: Exclude<WorkflowStatus, 'RUNNING' | 'PAUSED'>;
  readonly reason?: string | undefined;
  readonly failedTask?: Task | undefined;
  /** A TERMINATE task's; else the definition's `outputParameters`, else the last task's output. */
  readonly output?: JsonObject | undefined;
  /** Not when somebody terminated it by hand. */
  readonly runsFailureWorkflow: boolean;
}

/** Ends the workflow: its output, its open tasks, its failure workflow. */
export function endWorkflow(t: Transition, ending: Ending): void {
  let { status, reason } = ending;
  let { runsFailureWorkflow } = ending;
  let output: JsonObject = {};
  try {
    output = ending.output ?? outputOf(t);
    const { workflowMax } = t.limits;
    if (!isWithin(output, workflowMax)) throw new ExpressionTooLarge(workflowMax);
  } catch (error) {
    if (!(error instanceof ExpressionTooLarge)) throw error;
    output = {};
    if (status === 'COMPLETED') {
      status = 'FAILED';
      reason = `The workflow's output cannot be built. ${error.message}`;
      runsFailureWorkflow = true;
    }
  }
  for (const position of t.index.open()) {
    t.patchTask(position, { status: 'CANCELED', endTime: t.now, queued: false });
  }
  t.patchWorkflow({
    status,
    output,
    reasonForIncompletion: reason,
    endTime: t.now,
    failedReferenceTaskNames: failedReferences(t.tasks),
  });
  if (runsFailureWorkflow) startFailureWorkflow(t, ending.failedTask);
  tellParent(t);
}

/** Ends a workflow that has nothing left to do. Permissive tasks let it go on, but not succeed. */
export function completeWorkflow(t: Transition): void {
  // In a loop it was the loop that failed, and what followed from that was decided then.
  const failed = t.tasks.filter(
    (task) =>
      !task.retried &&
      !isSuccessfulTask(task.status) &&
      task.workflowTask.permissive &&
      !task.workflowTask.optional &&
      t.index.stepOf(task)?.loop === undefined,
  );
  if (failed.length === 0) {
    endWorkflow(t, { status: 'COMPLETED', runsFailureWorkflow: false });
    return;
  }
  const reasons = failed.map(
    ({ taskId, status, reasonForIncompletion }) =>
      `Task ${taskId} failed with status: ${status} and reason: '${reasonForIncompletion ?? null}'`,
  );
  endWorkflow(t, { status: 'FAILED', reason: reasons.join('. '), runsFailureWorkflow: true });
}

function outputOf(t: Transition): JsonObject {
  const { output } = t.plan;
  if (output !== undefined) return output(scopeOf(t));
  // Conductor takes the last row. Rows of a fork's branches have no order that means anything, so their JOIN speaks.
  const last = t.tasks.findLast((task) => t.index.stepOf(task)?.isInFork === false);
  return last?.outputData ?? {};
}

function failedReferences(tasks: readonly Task[]): readonly string[] {
  const failed = tasks.filter(
    ({ retried, status }) =>
      !retried && (status === 'FAILED' || status === 'FAILED_WITH_TERMINAL_ERROR' || status === 'TIMED_OUT'),
  );
  return [...new Set(failed.map(({ referenceTaskName }) => referenceTaskName))];
}
