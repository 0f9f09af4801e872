import type { AuditEvent } from '../audit/audit.js';
import type { TaskDef, WorkflowDef } from './model/definition.js';

/** Definitions as stored. Writes take their audit events along, in the same transaction. */
export abstract class DefinitionStore {
  /** @returns false, and stores nothing, when name and version exist and `overwrite` is false. */
  abstract putWorkflow(def: WorkflowDef, overwrite: boolean, audit: readonly AuditEvent[]): Promise<boolean>;
  abstract workflows(): Promise<readonly WorkflowDef[]>;
  abstract deleteWorkflow(name: string, version: number, audit: readonly AuditEvent[]): Promise<boolean>;
  /** @returns false, and stores nothing, when one of the names exists and `overwrite` is false. */
  abstract putTasks(
    defs: readonly TaskDef[],
    overwrite: boolean,
    audit: readonly AuditEvent[],
  ): Promise<boolean>;
  abstract tasks(): Promise<readonly TaskDef[]>;
  abstract deleteTask(name: string, audit: readonly AuditEvent[]): Promise<boolean>;
}
