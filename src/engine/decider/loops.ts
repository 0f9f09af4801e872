import type { ScriptNeed, ScriptResult } from '../model/command.js';
import type { WorkflowTask } from '../model/definition.js';
import { isTerminalTask } from '../model/execution.js';
import type { Task } from '../model/execution.js';
import type { Json } from '../model/json.js';
import { ExpressionTooLarge } from './expressions.js';
import { isWithin } from './json-size.js';
import { MAX_ITERATIONS, MAX_LOOPED_ROWS } from './limits.js';
import { inside, isWithinPath, loopPath } from './loop-path.js';
import { outputsOf } from './loop-output.js';
import { itemsOf, progressOf } from './mappers/do-while.js';
import type { Step } from './plan.js';
import { schedule } from './schedule.js';
import { scopeOf } from './scope.js';
import type { Transition } from './transition.js';

/** A loop that waits for nothing: its iteration begins, or is over and no script has a say in what follows. */
export function advanceLoop(t: Transition, position: number, loop: Task, { body }: Step): void {
  const path = inside(loopPath(loop.referenceTaskName), loop.iteration);
  if (body !== undefined && t.index.row(body.task.taskReferenceName + path) === undefined) {
    schedule(t, body, path);
  } else if (loop.iteration < (itemsOf(loop)?.length ?? 0)) {
    iterate(t, position, loop);
  } else {
    endLoop(t, position, loop);
  }
}

/** What the condition came to. */
export function answerLoop(t: Transition, position: number, result: ScriptResult): void {
  const loop = t.patchTask(position, { pollCount: t.tasks[position]!.pollCount + 1 });
  if (!result.ok) {
    const reason = `Unable to evaluate condition ${clip(loop.workflowTask.loopCondition ?? '')}: ${result.message}`;
    endLoop(t, position, loop, { status: 'FAILED_WITH_TERMINAL_ERROR', reason });
  } else if (result.value === true || (typeof result.value === 'number' && result.value > 0)) {
    iterate(t, position, loop);
  } else {
    endLoop(t, position, loop);
  }
}

const clip = (text: string): string => (text.length > 300 ? `${text.slice(0, 300)}…` : text);

function iterate(t: Transition, position: number, loop: Task): void {
  const iteration = loop.iteration + 1;
  const status = 'FAILED_WITH_TERMINAL_ERROR';
  if (iteration > MAX_ITERATIONS) {
    const reason = `The loop has run ${MAX_ITERATIONS} times, which is the most that a loop may`;
    endLoop(t, position, loop, { status, reason });
  } else if (t.tasks.length >= MAX_LOOPED_ROWS) {
    const reason = `The workflow has ${t.tasks.length} tasks; a loop goes on only below ${MAX_LOOPED_ROWS}. Run the iterations in sub-workflows`;
    endLoop(t, position, loop, { status, reason });
  } else {
    t.patchTask(position, { iteration, outputData: progressOf(iteration, itemsOf(loop)) });
  }
}

interface BadEnd {
  readonly status: 'FAILED' | 'FAILED_WITH_TERMINAL_ERROR';
  readonly reason: string;
}

/** Ends a loop and shows what its iterations gave. */
export function endLoop(t: Transition, position: number, loop: Task, bad?: BadEnd): void {
  const outputData = outputsOf(t, loop);
  const isTooLarge = !isWithin(outputData, t.limits.taskMax);
  const end: BadEnd | undefined = isTooLarge
    ? {
        status: 'FAILED_WITH_TERMINAL_ERROR',
        reason: `The outputs of the loop's iterations are larger than ${t.limits.taskMax / 1024} KB; keep the last few with keepLastN`,
      }
    : bad;
  t.patchTask(position, {
    status: end?.status ?? 'COMPLETED',
    reasonForIncompletion: end?.reason,
    outputData: isTooLarge ? loop.outputData : outputData,
    endTime: t.now,
  });
}

/** Inside a loop that has ended nothing goes on. */
export function cancelInside(t: Transition, loop: Task): void {
  if (!t.index.isUnderWay(loop)) return;
  for (const position of t.index.open()) {
    if (isInside(t, t.tasks[position]!, loop))
      t.patchTask(position, { status: 'CANCELED', endTime: t.now, queued: false });
  }
}

function isInside(t: Transition, task: Task, loop: Task): boolean {
  const outer = loop.workflowTask.taskReferenceName;
  for (let around = t.index.stepOf(task)?.loop; around !== undefined; around = around.outer) {
    if (around.ref === outer)
      return isWithinPath(loopPath(task.referenceTaskName), loopPath(loop.referenceTaskName));
  }
  return false;
}

/** Whether a row is in a loop that has ended, so that nothing follows from it until the loop is retried. */
export function isLeftBehind(t: Transition, task: Task): boolean {
  const position = t.index.loopAround(task);
  return position !== undefined && isTerminalTask(t.tasks[position]!.status);
}

/** Tells a loop's evaluations apart: it counts them. */
export const evaluationOf = (loop: Task): string => String(loop.pollCount);

/** What has to be evaluated for a loop to go on. Throws ExpressionTooLarge. */
export function needOf(t: Transition, loop: Task): ScriptNeed {
  const step = t.index.stepOf(loop)!;
  const expression = loop.workflowTask.loopCondition ?? '';
  const ref = loop.workflowTask.taskReferenceName;
  const input: Record<string, Json> = { ...step.input(scopeOf(t, loop.taskId)) };
  // A long loop's earlier outputs are only gone through for a script that may look at them.
  input[ref] = outputsOf(t, loop, mayLookBack(loop.workflowTask) ? undefined : 'iteration');
  for (const member of membersWithin(t, ref)) {
    const latest = t.latest(member);
    if (latest !== undefined) input[member] = latest.outputData;
  }
  if (!isWithin(input, t.limits.taskMax)) throw new ExpressionTooLarge(t.limits.taskMax);
  return {
    taskId: loop.taskId,
    ref: loop.referenceTaskName,
    evaluation: evaluationOf(loop),
    expression,
    input,
  };
}

function* membersWithin(t: Transition, ref: string): Generator<string> {
  for (const member of t.plan.members.get(ref) ?? []) {
    yield member;
    yield* membersWithin(t, member);
  }
}

const lookingBack = new WeakMap<WorkflowTask, boolean>();

function mayLookBack(task: WorkflowTask): boolean {
  let may = lookingBack.get(task);
  if (may === undefined) {
    may = looksBack(task.loopCondition ?? '', task.taskReferenceName);
    lookingBack.set(task, may);
  }
  return may;
}

const WHERE = '(iteration|loopIndex|loopItem)';

/**
 * Whether a condition may look at what earlier iterations gave. It does not when all that it does with `$` is read named
 * inputs, and of the loop itself only where it is.
 */
export function looksBack(expression: string, ref: string): boolean {
  // Whoever spells names with escapes may mean any.
  if (expression.includes('\\')) return true;
  const name = ref.replaceAll(/[^\w]/g, '\\$&');
  const own = `\\$\\s*(?:\\.\\s*${name}|\\[\\s*(?:'${name}'|"${name}")\\s*\\])`;
  const place = `\\s*(?:\\.\\s*${WHERE}\\b|\\[\\s*(?:'${WHERE}'|"${WHERE}")\\s*\\])`;
  const rest = expression.replaceAll(new RegExp(own + place, 'g'), ' ');
  const named = /^\s*(?:\.\s*([A-Za-z_]\w*)|\[\s*(?:'([^']*)'|"([^"]*)")\s*\])/;
  return rest
    .split('$')
    .slice(1)
    .some((after) => {
      const [, dotted, single, double] = named.exec(after) ?? [];
      const read = dotted ?? single ?? double;
      return read === undefined || read === ref;
    });
}
