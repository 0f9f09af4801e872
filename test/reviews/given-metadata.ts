import type { TaskDef, WorkflowDef } from '../../src/engine/model/definition.js';
import { Metadata } from '../../src/engine/ports.js';

const notHere = (): Promise<never> => Promise.reject(new Error('the reviews stage does not call this'));

/** Definitions as a test gives them. */
export class GivenMetadata extends Metadata {
  workflows: readonly WorkflowDef[] = [];
  tasks: readonly TaskDef[] = [];
  registerWorkflow = notHere;
  getWorkflow = notHere;
  listWorkflows = (): Promise<readonly WorkflowDef[]> => Promise.resolve(this.workflows);
  deleteWorkflow = notHere;
  registerTasks = notHere;
  getTask = notHere;
  listTasks = (): Promise<readonly TaskDef[]> => Promise.resolve(this.tasks);
  deleteTask = notHere;
}
