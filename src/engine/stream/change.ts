import type { StoredChange } from '../execution-store.js';
import type { Transition } from '../runtime/transition.js';
import { taskFacts, workflowFacts, type TaskFacts, type WorkflowFacts } from './facts.js';

/**
 * The newest state of a workflow and of the tasks that changed after revision `since`. Whoever knows the workflow at
 * `since` or later is up to date with it; whoever knows less must ask for what came before.
 */
export interface WorkflowChange {
  readonly since: number;
  readonly workflow: WorkflowFacts;
  /** `undefined`: more tasks changed than an event may carry; fetch the workflow. */
  readonly tasks: ReadonlyMap<string, TaskFacts> | undefined;
}

/** More tasks in one event than this: the client fetches the workflow instead. */
export const MAX_TASKS = 1_000;

/** What a commit of this process changed. @returns `undefined` when it stored nothing. */
export function changeOf({ write, before }: Transition): WorkflowChange | undefined {
  if (write === undefined) return undefined;
  return {
    since: before?.workflow.revision ?? -1,
    workflow: workflowFacts(write.workflow),
    tasks:
      write.tasks.length > MAX_TASKS
        ? undefined
        : new Map(write.tasks.map((one) => [one.task.taskId, taskFacts(one.task, one.lease)])),
  };
}

/** What the store says has changed. */
export const changeFrom = ({ since, workflow, tasks }: StoredChange): WorkflowChange => ({
  since,
  workflow,
  tasks: tasks && new Map(tasks.map((task) => [task.taskId, task])),
});

/** One change instead of two. Either may be the newer one; they may overlap, and must not leave a gap between them. */
export function mergeChanges(one: WorkflowChange, other: WorkflowChange): WorkflowChange {
  const [older, newer] = one.workflow.revision <= other.workflow.revision ? [one, other] : [other, one];
  if (newer.since <= older.since) return newer;
  const since = older.since;
  if (older.tasks === undefined || newer.tasks === undefined)
    return { since, workflow: newer.workflow, tasks: undefined };
  const tasks = new Map(older.tasks);
  for (const [taskId, task] of newer.tasks) {
    const lease = task.lease === undefined ? older.tasks.get(taskId)?.lease : task.lease;
    tasks.set(taskId, lease === undefined ? task : { ...task, lease });
  }
  return { since, workflow: newer.workflow, tasks: tasks.size > MAX_TASKS ? undefined : tasks };
}

/** Whether there is something between them that neither tells. */
export const leavesGap = (older: WorkflowChange, newer: WorkflowChange): boolean =>
  newer.since > older.workflow.revision;
