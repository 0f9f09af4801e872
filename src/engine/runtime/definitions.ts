import { isDeepStrictEqual } from 'node:util';
import type { AuditEvent } from '../../audit/audit.js';
import type { Clock } from '../../clock.js';
import { Conflict, Forbidden, NotFound } from '../../errors.js';
import type { DefinitionStore } from '../definition-store.js';
import type { Actor } from '../model/command.js';
import type { TaskDef, WorkflowDef } from '../model/definition.js';
import { Metadata } from '../ports.js';
import { actorName } from './transition.js';

// Definitions that other nodes changed are seen after this.
const FRESH_MS = 5_000;

interface Snapshot {
  readonly workflows: ReadonlyMap<string, readonly WorkflowDef[]>;
  readonly tasks: ReadonlyMap<string, TaskDef>;
}

const timeless = ({ createTime: _created, updateTime: _updated, ...rest }: TaskDef) => rest;

/**
 * Definitions, kept in memory because every decision reads them. Definition objects keep their identity while they do
 * not change, since plans and snapshots are remembered by it.
 */
export class Definitions extends Metadata {
  private snapshot: Snapshot = { workflows: new Map(), tasks: new Map() };
  private readAt = -Infinity;
  private reading: Promise<void> | undefined;

  constructor(
    private readonly store: DefinitionStore,
    private readonly clock: Clock,
    private readonly validate: (def: WorkflowDef) => void,
  ) {
    super();
  }

  /** Task definitions by name, as last read; the same map while nothing changed. */
  readonly taskDefs = (): ReadonlyMap<string, TaskDef> => this.snapshot.tasks;

  /** Reads the definitions again unless they are fresh. */
  async refresh(force = false): Promise<void> {
    if (!force && this.clock.now() - this.readAt < FRESH_MS) return;
    // A forced read must not settle for one that began before the change.
    if (force && this.reading !== undefined) await this.reading;
    this.reading ??= this.read().finally(() => (this.reading = undefined));
    await this.reading;
  }

  private async read(): Promise<void> {
    const began = this.clock.now();
    const [workflows, tasks] = [await this.store.workflows(), await this.store.tasks()];
    const byName = new Map<string, WorkflowDef[]>();
    for (const def of workflows.map((fresh) => this.known(fresh))) {
      const versions = byName.get(def.name) ?? [];
      versions.push(def);
      byName.set(def.name, versions);
    }
    for (const versions of byName.values()) versions.sort((a, b) => a.version - b.version);
    const isSame = tasks.length === this.snapshot.tasks.size && tasks.every((def) => this.hasTask(def));
    const taskMap = isSame ? this.snapshot.tasks : new Map(tasks.map((def) => [def.name, def]));
    this.snapshot = { workflows: byName, tasks: taskMap };
    this.readAt = began;
  }

  private known(fresh: WorkflowDef): WorkflowDef {
    const old = this.snapshot.workflows.get(fresh.name)?.find(({ version }) => version === fresh.version);
    return old !== undefined && JSON.stringify(old) === JSON.stringify(fresh) ? old : fresh;
  }

  private hasTask(fresh: TaskDef): boolean {
    const old = this.snapshot.tasks.get(fresh.name);
    return old !== undefined && JSON.stringify(old) === JSON.stringify(fresh);
  }

  async registerWorkflow(def: WorkflowDef, options: { overwrite: boolean }, actor: Actor): Promise<void> {
    this.validate(def);
    await this.refresh(true);
    const old = this.find(def.name, def.version);
    if (old !== undefined && !options.overwrite) throw this.exists(def);
    const now = this.clock.now();
    const stored = { ...def, createTime: old?.createTime ?? now, updateTime: now };
    const verb = old === undefined ? 'registered' : 'changed';
    const audit = this.event(actor, `workflow_definition.${verb}`, `workflow_definition:${def.name}`, {
      version: def.version,
    });
    if (!(await this.store.putWorkflow(stored, options.overwrite, [audit]))) throw this.exists(def);
    await this.refresh(true);
  }

  private exists({ name, version }: WorkflowDef): Conflict {
    return new Conflict(
      `Workflow ${name} version ${version} exists already. Overwrite it or raise the version.`,
    );
  }

  private find(name: string, version?: number): WorkflowDef | undefined {
    const versions = this.snapshot.workflows.get(name);
    return version === undefined ? versions?.at(-1) : versions?.find((def) => def.version === version);
  }

  async getWorkflow(name: string, version?: number): Promise<WorkflowDef> {
    await this.refresh();
    let def = this.find(name, version);
    if (def === undefined) {
      // Perhaps another node registered it a moment ago.
      await this.refresh(true);
      def = this.find(name, version);
    }
    if (def === undefined) {
      const which = version === undefined ? '' : ` version ${version}`;
      throw new NotFound(`No such workflow found by name: ${name}${which}. Register it first.`);
    }
    return def;
  }

  async listWorkflows(): Promise<readonly WorkflowDef[]> {
    await this.refresh();
    return [...this.snapshot.workflows.values()].flat();
  }

  async deleteWorkflow(name: string, version: number, actor: Actor): Promise<void> {
    const audit = this.event(actor, 'workflow_definition.deleted', `workflow_definition:${name}`, {
      version,
    });
    const existed = await this.store.deleteWorkflow(name, version, [audit]);
    if (!existed) throw new NotFound(`No such workflow definition: ${name} version: ${version}`);
    await this.refresh(true);
  }

  async registerTasks(
    defs: readonly TaskDef[],
    actor: Actor,
    { asWorker = false }: { readonly asWorker?: boolean } = {},
  ): Promise<void> {
    if (defs.length === 0) return;
    for (;;) {
      await this.refresh(true);
      const wanted = asWorker ? this.missingOf(defs) : defs;
      if (wanted.length === 0) return;
      const now = this.clock.now();
      const stored = wanted.map((def) => ({
        ...def,
        createTime: this.snapshot.tasks.get(def.name)?.createTime ?? now,
        updateTime: now,
      }));
      const audit = wanted.map(({ name }) => {
        const verb = this.snapshot.tasks.has(name) ? 'changed' : 'registered';
        return this.event(actor, `task_definition.${verb}`, `task_definition:${name}`, {});
      });
      // Not stored: somebody else registered one meanwhile, which the next look finds.
      if (await this.store.putTasks(stored, !asWorker, audit)) break;
    }
    await this.refresh(true);
  }

  /** Those that do not exist yet. @throws Forbidden for one that exists and says otherwise. */
  private missingOf(defs: readonly TaskDef[]): readonly TaskDef[] {
    const byName = new Map(defs.map((def) => [def.name, def]));
    return [...byName.values()].filter((def) => {
      const known = this.snapshot.tasks.get(def.name);
      if (known === undefined) return true;
      if (isDeepStrictEqual(timeless(known), timeless(def))) return false;
      throw new Forbidden(
        `Task definition ${def.name} exists already and says otherwise. A worker may add missing ones; to change one takes the role author or admin.`,
      );
    });
  }

  async getTask(name: string): Promise<TaskDef> {
    await this.refresh();
    if (!this.snapshot.tasks.has(name)) await this.refresh(true);
    const def = this.snapshot.tasks.get(name);
    if (def === undefined) throw new NotFound(`No such taskType found by name: ${name}`);
    return def;
  }

  async listTasks(): Promise<readonly TaskDef[]> {
    await this.refresh();
    return [...this.snapshot.tasks.values()];
  }

  async deleteTask(name: string, actor: Actor): Promise<void> {
    const audit = this.event(actor, 'task_definition.deleted', `task_definition:${name}`, {});
    if (!(await this.store.deleteTask(name, [audit]))) {
      throw new NotFound(`No such taskType found by name: ${name}`);
    }
    await this.refresh(true);
  }

  private event(actor: Actor, action: string, subject: string, data: AuditEvent['data']): AuditEvent {
    return { at: this.clock.now(), actor: actorName(actor), action, subject, data };
  }
}
