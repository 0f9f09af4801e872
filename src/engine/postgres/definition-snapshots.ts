import { createHash } from 'node:crypto';
import type { Queryable } from '../../database/queryable.js';
import { stepName } from '../decider/loop-path.js';
import type { WorkflowDef, WorkflowTask } from '../model/definition.js';
import type { Task } from '../model/execution.js';

/** A definition as some workflows were started with, stored once. */
export class DefinitionSnapshot {
  private readonly steps = new Map<string, WorkflowTask>();

  constructor(
    readonly digest: string,
    readonly definition: WorkflowDef,
  ) {
    this.collect(definition.tasks);
  }

  private collect(steps: readonly WorkflowTask[]): void {
    for (const step of steps) {
      this.steps.set(step.taskReferenceName, step);
      for (const branch of Object.values(step.decisionCases)) this.collect(branch);
      this.collect(step.defaultCase);
      for (const branch of step.forkTasks) this.collect(branch);
      this.collect(step.loopOver ?? []);
    }
  }

  /** The row's step is the definition's own, so it need not be stored with the row. */
  holds(task: Task): boolean {
    return this.steps.get(stepName(task.referenceTaskName)) === task.workflowTask;
  }

  step(reference: string): WorkflowTask {
    const step = this.steps.get(stepName(reference));
    if (step === undefined) throw new Error(`Definition ${this.definition.name} has no step ${reference}`);
    return step;
  }
}

const MAX_SNAPSHOTS = 1_000;

/** The snapshots that this process has seen, by digest and by definition object; the oldest leave first. */
export class DefinitionSnapshots {
  private readonly byDigest = new Map<string, DefinitionSnapshot>();
  private readonly byDefinition = new WeakMap<WorkflowDef, DefinitionSnapshot>();
  /** Known to be committed; others are inserted with each batch that needs them. */
  private readonly stored = new Set<string>();

  of(definition: WorkflowDef): DefinitionSnapshot {
    let snapshot = this.byDefinition.get(definition);
    if (snapshot === undefined) {
      const digest = createHash('sha256').update(JSON.stringify(definition)).digest('base64url');
      // Not the one found by digest: its steps are other objects than those of the tasks about to be stored.
      snapshot = new DefinitionSnapshot(digest, definition);
      this.byDefinition.set(definition, snapshot);
      if (!this.byDigest.has(digest)) this.keep(snapshot);
    }
    return snapshot;
  }

  isStored(digest: string): boolean {
    return this.stored.has(digest);
  }

  markStored(digests: readonly string[]): void {
    for (const digest of digests) this.stored.add(digest);
  }

  /** All of these, from memory or the table. */
  async load(db: Queryable, digests: Iterable<string>): Promise<ReadonlyMap<string, DefinitionSnapshot>> {
    const found = new Map<string, DefinitionSnapshot>();
    const missing: string[] = [];
    for (const digest of new Set(digests)) {
      const snapshot = this.byDigest.get(digest);
      if (snapshot === undefined) missing.push(digest);
      else found.set(digest, snapshot);
    }
    if (missing.length === 0) return found;
    const rows = await db.query<{ digest: string; definition: WorkflowDef }>(
      'SELECT digest, definition FROM definition_snapshot WHERE digest = ANY ($1)',
      [missing],
    );
    for (const { digest, definition } of rows) {
      const snapshot = new DefinitionSnapshot(digest, definition);
      this.byDefinition.set(definition, snapshot);
      this.keep(snapshot);
      this.stored.add(digest);
      found.set(digest, snapshot);
    }
    return found;
  }

  private keep(snapshot: DefinitionSnapshot): void {
    this.byDigest.set(snapshot.digest, snapshot);
    for (const digest of this.byDigest.keys()) {
      if (this.byDigest.size <= MAX_SNAPSHOTS) break;
      this.byDigest.delete(digest);
      this.stored.delete(digest);
    }
  }
}
