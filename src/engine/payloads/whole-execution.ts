import type { Task, Workflow } from '../model/execution.js';
import type { JsonObject } from '../model/json.js';
import { answerBytes, MAX_ANSWER_BYTES } from './answer-size.js';
import type { PayloadVault } from './payload-vault.js';
import { placeholder, refOf } from './placeholder.js';
import { bareStep, stepBytes } from './shown-step.js';

// What a reason is cut to where there is no room for it.
const SHORT_REASON = 200;
// A store on a network takes some milliseconds per value, and a workflow may have hundreds of small ones.
const FETCHED_AT_ONCE = 8;

/** Where a value is that stands in a task's own row: the task alone is answered whole. */
const inRow = ({ taskId }: Task, bytes: number): JsonObject =>
  placeholder({ store: 'row', bytes, key: `api/tasks/${taskId}` });

/**
 * An execution as readers get it, with the values that are kept beside its rows (`vault`; absent where none are). Beyond
 * 32 MB the values of the other tasks are placeholders, for which the reader is told where they are; their steps only say
 * which they are, and their reasons are cut. So each row more costs what its names and times take.
 */
export async function wholeExecution<T extends Workflow & { readonly tasks: readonly Task[] }>(
  execution: T,
  vault: PayloadVault | undefined,
): Promise<T> {
  let left = MAX_ANSWER_BYTES;
  const wanted: JsonObject[] = [];
  const within = (value: JsonObject, otherwise: (bytes: number) => JsonObject): JsonObject => {
    const bytes = answerBytes(value);
    const ref = refOf(value);
    if (bytes > left) return ref === undefined ? otherwise(bytes) : value;
    left -= bytes;
    if (ref !== undefined) wanted.push(value);
    return value;
  };
  const rowWithin = (task: Task): Task => {
    const { workflowTask, reasonForIncompletion = '' } = task;
    // A character takes three bytes at most, but for controls.
    const bytes = stepBytes(workflowTask) + 3 * reasonForIncompletion.length;
    if (bytes <= left) {
      left -= bytes;
      return task;
    }
    const isLong = reasonForIncompletion.length > SHORT_REASON;
    return {
      ...task,
      workflowTask: bareStep(workflowTask),
      ...(isLong && { reasonForIncompletion: `${reasonForIncompletion.slice(0, SHORT_REASON)}…` }),
    };
  };
  // The limits of both are far below that of an answer.
  within(execution.input, () => execution.input);
  within(execution.output, () => execution.output);
  const bounded = execution.tasks.map((given) => {
    const task = rowWithin(given);
    const inputData = within(task.inputData, (bytes) => inRow(task, bytes));
    const outputData = within(task.outputData, (bytes) => inRow(task, bytes));
    return inputData === task.inputData && outputData === task.outputData
      ? task
      : { ...task, inputData, outputData };
  });
  const fetched = vault === undefined ? NOTHING : await fetchAll(wanted, vault);
  const whole = (value: JsonObject): JsonObject => fetched.get(value) ?? value;
  return {
    ...execution,
    input: whole(execution.input),
    output: whole(execution.output),
    tasks:
      fetched.size === 0
        ? bounded
        : bounded.map((task) => ({
            ...task,
            inputData: whole(task.inputData),
            outputData: whole(task.outputData),
          })),
  };
}

const NOTHING: ReadonlyMap<JsonObject, JsonObject> = new Map();

/** The values of these placeholders. */
async function fetchAll(
  wanted: readonly JsonObject[],
  vault: PayloadVault,
): Promise<ReadonlyMap<JsonObject, JsonObject>> {
  const values = new Map<JsonObject, JsonObject>();
  for (let start = 0; start < wanted.length; start += FETCHED_AT_ONCE) {
    const group = wanted.slice(start, start + FETCHED_AT_ONCE);
    const whole = await Promise.all(group.map((value) => vault.value(value)));
    for (const [index, value] of group.entries()) values.set(value, whole[index] ?? value);
  }
  return values;
}
