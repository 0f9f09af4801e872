import type { AuditEvent } from '../../audit/audit.js';
import { DefinitionStore } from '../definition-store.js';
import type { TaskDef, WorkflowDef } from '../model/definition.js';

/** Definitions in maps. */
export class MemoryDefinitionStore extends DefinitionStore {
  private readonly workflowDefs = new Map<string, WorkflowDef>();
  private readonly taskDefs = new Map<string, TaskDef>();
  readonly audit: AuditEvent[] = [];

  async putWorkflow(def: WorkflowDef, overwrite: boolean, audit: readonly AuditEvent[]): Promise<boolean> {
    const key = JSON.stringify([def.name, def.version]);
    if (!overwrite && this.workflowDefs.has(key)) return false;
    this.workflowDefs.set(key, def);
    this.audit.push(...audit);
    return true;
  }

  async workflows(): Promise<readonly WorkflowDef[]> {
    return [...this.workflowDefs.values()];
  }

  async deleteWorkflow(name: string, version: number, audit: readonly AuditEvent[]): Promise<boolean> {
    const existed = this.workflowDefs.delete(JSON.stringify([name, version]));
    if (existed) this.audit.push(...audit);
    return existed;
  }

  async putTasks(
    defs: readonly TaskDef[],
    overwrite: boolean,
    audit: readonly AuditEvent[],
  ): Promise<boolean> {
    if (!overwrite && defs.some(({ name }) => this.taskDefs.has(name))) return false;
    for (const def of defs) this.taskDefs.set(def.name, def);
    this.audit.push(...audit);
    return true;
  }

  async tasks(): Promise<readonly TaskDef[]> {
    return [...this.taskDefs.values()];
  }

  async deleteTask(name: string, audit: readonly AuditEvent[]): Promise<boolean> {
    const existed = this.taskDefs.delete(name);
    if (existed) this.audit.push(...audit);
    return existed;
  }
}
