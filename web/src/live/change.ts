import type { Execution, Task, WorkflowStatus } from '../api.js';

/** One attempt as events show it: without payloads; an absent lease is as before. */
export type TaskFacts = Omit<Task, 'inputData' | 'outputData' | 'isStale'>;

/** Event `change`: the newest state of a workflow, and its tasks that changed after revision `since`. */
export interface WorkflowChange {
  readonly workflowId: string;
  readonly workflowName: string;
  readonly since: number;
  readonly revision: number;
  readonly status: WorkflowStatus;
  readonly updateTime: number;
  readonly endTime?: number;
  readonly reasonForIncompletion?: string;
  readonly tasks?: readonly TaskFacts[];
}

/**
 * The execution after a change; the same object when it is not newer; `undefined` when something before it is missing,
 * so that the whole must be fetched. Tasks that did not change stay the same objects.
 */
export function applyChange(run: Execution, change: WorkflowChange): Execution | undefined {
  if (change.revision <= run.revision) return run;
  if (change.since > run.revision || change.tasks === undefined) return undefined;
  const changed = new Map(change.tasks.map((task) => [task.taskId, task]));
  const tasks = run.tasks.map((task) => {
    const facts = changed.get(task.taskId);
    changed.delete(task.taskId);
    return facts === undefined ? task : { ...task, ...facts, isStale: true };
  });
  const { status, revision, updateTime, endTime, reasonForIncompletion } = change;
  const { endTime: _endTime, reasonForIncompletion: _reason, ...rest } = run;
  return {
    ...rest,
    status,
    revision,
    updateTime,
    ...(endTime === undefined ? {} : { endTime }),
    ...(reasonForIncompletion === undefined ? {} : { reasonForIncompletion }),
    tasks: [
      ...tasks,
      ...[...changed.values()].map((facts) => ({
        ...facts,
        inputData: undefined,
        outputData: undefined,
        isStale: true,
      })),
    ],
  };
}
