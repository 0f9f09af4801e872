import type { Instant } from '../../clock.js';
import { taskOf, withTasks } from '../decider/transition.js';
import type { WorkflowState } from '../model/command.js';
import { isTerminalTask, type Task, type Workflow } from '../model/execution.js';
import { roughBytes } from './rough-bytes.js';

/** What a process knows of a workflow as of `state.workflow.revision`. */
export interface KnownWorkflow {
  readonly state: WorkflowState;
  readonly timerAt: Instant | undefined;
  /** The last fair tag that this workflow got, per task type. */
  readonly fairTags: ReadonlyMap<string, number>;
  /** How many of its tasks have not ended. Followed from change to change, as is `bytes`. */
  readonly openTasks: number;
  /** About how much memory its payloads and rows take. */
  readonly bytes: number;
}

// The definition is shared by all runs of it; the rest of a row is about this much.
const ROW_BYTES = 1_000;

/** All that is to be known of a workflow that was read whole, or of one before its first decision. */
export function knownWorkflow(
  state: WorkflowState,
  timerAt: Instant | undefined,
  fairTags: ReadonlyMap<string, number>,
): KnownWorkflow {
  const { workflow, tasks } = state;
  let openTasks = 0;
  let bytes =
    ROW_BYTES + roughBytes(workflow.input) + roughBytes(workflow.output) + roughBytes(workflow.variables);
  for (const task of tasks) {
    openTasks += openChange(undefined, task);
    bytes += bytesChange(undefined, task);
  }
  return { state, timerAt, fairTags, openTasks, bytes };
}

/** About how much memory the payloads take that stand in the workflow's own rows; a stored one counts its placeholder. */
export const inlineBytes = ({ bytes, state }: Pick<KnownWorkflow, 'bytes' | 'state'>): number =>
  Math.max(0, bytes - ROW_BYTES * (1 + state.tasks.length));

/** By how many the open tasks become more when a row takes the place of another (`undefined`: of none). */
export const openChange = (old: Task | undefined, task: Task): number =>
  (isTerminalTask(task.status) ? 0 : 1) - (old === undefined || isTerminalTask(old.status) ? 0 : 1);

/** By how much a row's payloads take more memory than those of the one in whose place it comes. */
export function bytesChange(old: Task | undefined, task: Task): number {
  if (old === undefined) return ROW_BYTES + roughBytes(task.inputData) + roughBytes(task.outputData);
  let bytes = 0;
  if (old.inputData !== task.inputData) bytes += roughBytes(task.inputData) - roughBytes(old.inputData);
  if (old.outputData !== task.outputData) bytes += roughBytes(task.outputData) - roughBytes(old.outputData);
  return bytes;
}

/** As `bytesChange`, of the workflow's own payloads. */
export function payloadChange(old: Workflow, workflow: Workflow): number {
  let bytes = 0;
  for (const key of ['input', 'output', 'variables'] as const) {
    if (old[key] !== workflow[key]) bytes += roughBytes(workflow[key]) - roughBytes(old[key]);
  }
  return bytes;
}

/**
 * Recently used workflows, bounded in bytes; the least recently used leave first.
 *
 * Only ever a saving: the revision under the row lock says whether an entry is current. Written after commit, dropped
 * on any doubt.
 */
export class WorkflowCache {
  private readonly entries = new Map<string, KnownWorkflow>();
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
    return entry;
  }

  has(workflowId: string): boolean {
    return this.entries.has(workflowId);
  }

  /** A task that was IN_PROGRESS when its workflow was last seen here; not counted as a use. */
  runningTask(workflowId: string, taskId: string): Task | undefined {
    const known = this.entries.get(workflowId);
    const task = known && taskOf(known.state, taskId);
    return task?.status === 'IN_PROGRESS' ? task : undefined;
  }

  put(known: KnownWorkflow): void {
    const { workflowId } = known.state.workflow;
    this.drop(workflowId);
    if (known.bytes > this.maxBytes) return;
    this.entries.set(workflowId, known);
    this.bytes += known.bytes;
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
  patch(workflowId: string, change: CachePatch): void {
    const known = this.entries.get(workflowId);
    if (known === undefined) return;
    const { revisionBefore, revision, tasks, timerAt = Infinity } = change;
    if (known.state.workflow.revision !== revisionBefore) {
      if (known.state.workflow.revision < revision) this.drop(workflowId);
      return;
    }
    const state = withTasks(known.state, tasks);
    const earlier = Math.min(timerAt, known.timerAt ?? Infinity);
    this.put({
      ...known,
      state: { ...state, workflow: { ...state.workflow, revision } },
      timerAt: earlier === Infinity ? undefined : earlier,
    });
  }
}

interface CachePatch {
  readonly revisionBefore: number;
  readonly revision: number;
  readonly tasks: readonly Task[];
  /** The workflow's timer is no later than this. */
  readonly timerAt: Instant | undefined;
}
