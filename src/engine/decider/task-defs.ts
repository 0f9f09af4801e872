import { TaskDef } from '../model/definition.js';
import type { WorkflowTask } from '../model/definition.js';
import type { TaskMapper } from './mappers/mapper.js';

export type TaskDefs = ReadonlyMap<string, TaskDef>;

// As in Conductor: an unregistered worker's task has the defaults of the class, everything else has neither retries
// nor time-outs.
const UNREGISTERED_WORK = TaskDef.parse({ name: 'unregistered' });
const UNREGISTERED_SYSTEM = TaskDef.parse({ name: 'unregistered', retryCount: 0, responseTimeoutSeconds: 0 });

/** The rules for a step: its own, else those registered under its name, else the defaults. */
export function taskDefOf(task: WorkflowTask, mapper: TaskMapper | undefined, taskDefs: TaskDefs): TaskDef {
  const unregistered = mapper?.handOut === 'leased' ? UNREGISTERED_WORK : UNREGISTERED_SYSTEM;
  return task.taskDefinition ?? taskDefs.get(task.name) ?? unregistered;
}
