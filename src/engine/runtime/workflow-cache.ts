import type { Instant } from '../../clock.js';
import { withTasks } from '../decider/transition.js';
import type { WorkflowState } from '../model/command.js';
import type { Task } from '../model/execution.js';
import { roughBytes } from './rough-bytes.js';

/** What a process knows of a workflow as of `state.workflow.revision`. */
export interface KnownWorkflow {
  readonly state: WorkflowState;
  readonly timerAt: Instant | undefined;
  /** The last fair tag that this workflow got, per task type. */
  readonly fairTags: ReadonlyMap<string, number>;
}

// The definition is shared by all runs of it; the rest of a row is about this much.
const ROW_BYTES = 1_000;

const taskBytes = (task: Task): number =>
  ROW_BYTES + roughBytes(task.inputData) + roughBytes(task.outputData);

function bytesOf({ state: { workflow, tasks } }: KnownWorkflow): number {
  let bytes =
    ROW_BYTES + roughBytes(workflow.input) + roughBytes(workflow.output) + roughBytes(workflow.variables);
  for (const task of tasks) bytes += taskBytes(task);
  return bytes;
}

/**
 * Recently used workflows, bounded in bytes; the least recently used leave first.
 *
 * Only ever a saving: the revision under the row lock says whether an entry is current. Written after commit, dropped
 * on any doubt.
 */
export class WorkflowCache {
  private readonly entries = new Map<string, { known: KnownWorkflow; bytes: number }>();
  private bytes = 0;
  /** How often `get` found something, and how often not. */
  hits = 0;
  misses = 0;

  constructor(private readonly maxBytes: number) {}

  get(workflowId: string): KnownWorkflow | undefined {
    const entry = this.entries.get(workflowId);
    if (entry === undefined) {
      this.misses += 1;
      return undefined;
    }
    this.hits += 1;
    this.entries.delete(workflowId);
    this.entries.set(workflowId, entry);
    return entry.known;
  }

  put(known: KnownWorkflow): void {
    const { workflowId } = known.state.workflow;
    this.drop(workflowId);
    const bytes = bytesOf(known);
    if (bytes > this.maxBytes) return;
    this.entries.set(workflowId, { known, bytes });
    this.bytes += bytes;
    for (const oldest of this.entries.keys()) {
      if (this.bytes <= this.maxBytes) break;
      this.drop(oldest);
    }
  }

  drop(workflowId: string): void {
    const entry = this.entries.get(workflowId);
    if (entry === undefined) return;
    this.entries.delete(workflowId);
    this.bytes -= entry.bytes;
  }

  clear(): void {
    this.entries.clear();
    this.bytes = 0;
  }

  get sizeBytes(): number {
    return this.bytes;
  }

  /**
   * Follows a change that this process made past the committer (a claim): exactly one revision further, else the
   * entry is dropped.
   */
  patch(workflowId: string, revisionBefore: number, revision: number, tasks: readonly Task[]): void {
    const known = this.entries.get(workflowId)?.known;
    if (known === undefined) return;
    if (known.state.workflow.revision !== revisionBefore) {
      if (known.state.workflow.revision < revision) this.drop(workflowId);
      return;
    }
    const state = withTasks(known.state, tasks);
    this.put({ ...known, state: { ...state, workflow: { ...state.workflow, revision } } });
  }
}
