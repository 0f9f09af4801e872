import { isTerminalTask } from '../model/execution.js';
import type { Task } from '../model/execution.js';
import type { Json, JsonObject } from '../model/json.js';
import { inside, loopPath } from './loop-path.js';
import { itemsOf, keptIterations, progressOf } from './mappers/do-while.js';
import type { Transition } from './transition.js';

/** A task's output as others see it; `key` is the only one that will be looked at. */
export function shownOutput(t: Transition, task: Task, key?: string): JsonObject {
  if (task.taskType !== 'DO_WHILE' || isTerminalTask(task.status)) return task.outputData;
  return outputsOf(t, task, key);
}

/** Where the loop is, and the outputs of its iterations by their number. */
export function outputsOf(t: Transition, loop: Task, key?: string): JsonObject {
  const last = loop.iteration;
  const first = Math.max(1, last - (keptIterations(loop) ?? last) + 1);
  const members = t.plan.members.get(loop.workflowTask.taskReferenceName) ?? [];
  const output: Record<string, Json> = { ...progressOf(last, itemsOf(loop)) };
  const add = (iteration: number): void => {
    const path = inside(loopPath(loop.referenceTaskName), iteration);
    const rows = members.flatMap((ref): [string, Json][] => {
      const position = t.index.row(ref + path);
      return position === undefined ? [] : [[ref, t.tasks[position]!.outputData]];
    });
    output[String(iteration)] = Object.fromEntries(rows);
  };
  if (key === undefined) {
    for (let iteration = first; iteration <= last; iteration++) add(iteration);
  } else {
    const only = Number(key);
    if (Number.isInteger(only) && only >= first && only <= last) add(only);
  }
  return output;
}
