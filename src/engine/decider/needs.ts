import type { Command, RejectedCommand, ScriptNeed } from '../model/command.js';
import { isTerminalTask } from '../model/execution.js';
import { ExpressionTooLarge } from './expressions.js';
import { answerLoop, endLoop, evaluationOf, needOf } from './loops.js';
import type { Transition } from './transition.js';

/**
 * Says which scripts are to be evaluated.
 *
 * @param onlyNew those that were not waited for before this transition.
 * @returns false when one of them cannot be, which has consequences of its own to draw.
 */
export function sayNeeds(t: Transition, onlyNew: boolean): boolean {
  // Nearly every workflow waits for no script.
  if (t.index.scriptCount === 0 || t.workflow.status !== 'RUNNING') return true;
  const needs: ScriptNeed[] = [];
  for (const position of t.index.awaitingScript(onlyNew)) {
    const task = t.tasks[position]!;
    try {
      needs.push(needOf(t, task));
    } catch (error) {
      if (!(error instanceof ExpressionTooLarge)) throw error;
      const reason = `The input of the condition cannot be built. ${error.message}`;
      endLoop(t, position, task, { status: 'FAILED_WITH_TERMINAL_ERROR', reason });
      return false;
    }
  }
  t.needs = needs;
  return true;
}

/** Applies what a script came to, unless nobody waits for it any more. */
export function evaluated(
  t: Transition,
  command: Extract<Command, { kind: 'evaluated' }>,
  reject: (reason: RejectedCommand['reason'], message: string) => void,
): void {
  const position = t.index.positionOf(command.taskId);
  const task = position === undefined ? undefined : t.tasks[position];
  if (position === undefined || task === undefined) {
    reject('not_found', `Workflow ${t.workflow.workflowId} has no task ${command.taskId}.`);
  } else if (
    t.workflow.status !== 'RUNNING' ||
    isTerminalTask(task.status) ||
    !t.index.awaitsScript(position) ||
    evaluationOf(task) !== command.evaluation
  ) {
    reject('late', `Task ${task.taskId} does not wait for this script any more.`);
  } else {
    answerLoop(t, position, command.result);
  }
}
