import type { Instant } from '../../clock.js';
import { sourceTaskOf } from '../effect-source.js';
import type { DeciderOutcome, Effect, RejectedCommand, ScriptNeed, WorkflowState } from '../model/command.js';
import type { TaskDef, WorkflowTask } from '../model/definition.js';
import { isTerminalTask, isTerminalWorkflow } from '../model/execution.js';
import type { Task, Workflow } from '../model/execution.js';
import { DEFAULT_PAYLOAD_LIMITS, type PayloadLimits } from '../model/payload-limits.js';
import { workflowDeadline } from './deadlines.js';
import { isLeftBehind } from './loops.js';
import { mapperOf } from './mappers/index.js';
import { planOf } from './plan.js';
import type { Plan } from './plan.js';
import { MAX_PURE_STEPS } from './limits.js';
import { taskDefOf } from './task-defs.js';
import { TaskIndex } from './task-index.js';

/*
 * An index belongs to the list of rows that it describes, and moves on with the newest: the rows of a state that
 * was decided on are only read again when its commit failed, and are then indexed afresh. So a long fork's updates cost
 * what they change, and a state stays plain data that may be copied, stored or thrown away.
 */
const INDEX: unique symbol = Symbol('index');

// A property of the list itself: a WeakMap with an entry per decision kept the garbage collector busy.
type Indexed = readonly Task[] & { [INDEX]?: TaskIndex | undefined };

const indexOf = (tasks: Indexed): TaskIndex | undefined => tasks[INDEX];

function setIndex(tasks: Indexed, index: TaskIndex | undefined): void {
  if (INDEX in tasks) tasks[INDEX] = index;
  // Not enumerable: whoever copies, compares or prints the list does not see it.
  else if (index !== undefined) Object.defineProperty(tasks, INDEX, { value: index, writable: true });
}

function takeIndex(state: WorkflowState, plan: Plan): TaskIndex {
  const index = indexOf(state.tasks);
  setIndex(state.tasks, undefined);
  if (index === undefined) return TaskIndex.build(plan, state.taskDefs, state.tasks);
  index.useTaskDefs(state.taskDefs, state.tasks);
  return index;
}

/** One decision in the making: the state as it will be, and what else must happen. */
export class Transition {
  readonly plan: Plan;
  readonly effects: Effect[] = [];
  readonly rejected: RejectedCommand[] = [];
  needs: readonly ScriptNeed[] = [];
  /** How many more system tasks may be gone through. */
  budget = MAX_PURE_STEPS;
  private current: Workflow;
  private rows: readonly Task[];
  private writable: Task[] | undefined;
  private readonly changed = new Set<number>();
  private said: Set<string> | undefined;
  readonly index: TaskIndex;
  readonly limits: PayloadLimits;

  constructor(
    private readonly before: WorkflowState,
    readonly now: Instant,
  ) {
    this.plan = planOf(before.workflow.workflowDefinition);
    this.current = before.workflow;
    this.rows = before.tasks;
    this.index = takeIndex(before, this.plan);
    this.index.forgetNew();
    this.limits = before.limits ?? DEFAULT_PAYLOAD_LIMITS;
  }

  get workflow(): Workflow {
    return this.current;
  }

  get tasks(): readonly Task[] {
    return this.rows;
  }

  get isEnded(): boolean {
    return isTerminalWorkflow(this.current.status);
  }

  readonly at = (position: number): Task | undefined => this.rows[position];

  /** The newest attempt of a row by its full name, or of a step in the latest of its iterations. */
  latest(ref: string): Task | undefined {
    const position = this.index.latest(ref);
    return position === undefined ? undefined : this.rows[position];
  }

  taskDefOf(step: WorkflowTask): TaskDef {
    return taskDefOf(step, mapperOf(step.type), this.before.taskDefs);
  }

  patchWorkflow(patch: Partial<Workflow>): void {
    if (differs(this.current, patch)) this.current = { ...this.current, ...patch };
  }

  /**
   * Changes a row; its `updateTime` becomes now unless nothing changed. A child is told to end when nobody waits for it
   * any more.
   */
  patchTask(position: number, patch: Partial<Task>): Task {
    const task = this.rows[position]!;
    const next = this.endByChild(position, patch);
    if (task.subWorkflowId !== undefined && !isTerminalTask(task.status) && isTerminalTask(next.status)) {
      this.addEffect({
        kind: 'terminateChild',
        workflowId: task.subWorkflowId,
        taskId: task.taskId,
        reason: `Parent workflow ${task.workflowInstanceId} ended its task ${task.referenceTaskName} with ${next.status}`,
      });
    }
    return next;
  }

  /** The same for what a child says of itself. */
  endByChild(position: number, patch: Partial<Task>): Task {
    const task = this.rows[position]!;
    if (!differs(task, patch)) return task;
    const next: Task = { ...task, updateTime: this.now, ...patch };
    this.write(position, next);
    return next;
  }

  /** For the next row that is added. */
  get nextSeq(): number {
    return (this.rows.at(-1)?.seq ?? 0) + 1;
  }

  addTask(task: Task): void {
    this.write(this.rows.length, task);
  }

  addEffect(effect: Effect): void {
    const about = `${effect.kind}/${effect.workflowId}/${sourceTaskOf(effect)}`;
    this.said ??= new Set();
    if (this.said.has(about)) return;
    this.said.add(about);
    const { traceparent } = this.current;
    this.effects.push(
      effect.kind === 'startWorkflow' && traceparent !== undefined ? { ...effect, traceparent } : effect,
    );
  }

  /** Whether system tasks are left to go through, which only happens when the budget ran out. */
  hasAgenda(): boolean {
    for (let next = this.index.peekAgenda(); next !== undefined; next = this.index.peekAgenda()) {
      const task = this.rows[next]!;
      const isPending = isTerminalTask(task.status)
        ? !task.executed && !task.retried
        : this.index.isReady(next);
      if (isPending && !isLeftBehind(this, task)) return true;
      this.index.dropFromAgenda();
    }
    return false;
  }

  outcome(): DeciderOutcome {
    const { before, now } = this;
    const isChanged = this.changed.size > 0 || this.current !== before.workflow;
    setIndex(this.rows, this.index);
    const state: WorkflowState = isChanged
      ? {
          ...before,
          workflow: { ...this.current, updateTime: now, revision: before.workflow.revision + 1 },
          tasks: this.rows,
        }
      : before;
    const unfinished = this.current.status === 'RUNNING' && this.hasAgenda();
    return {
      state,
      changedTasks: this.changedRows(),
      effects: this.effects,
      rejected: this.rejected,
      needs: this.needs,
      wakeAt: unfinished ? now : this.wakeAt(),
      unfinished,
    };
  }

  private changedRows(): readonly Task[] {
    const positions = [...this.changed];
    if (positions.length > 1) positions.sort((a, b) => a - b);
    return positions.map((position) => this.rows[position]!);
  }

  private wakeAt(): Instant | undefined {
    if (this.isEnded) return undefined;
    const whole = workflowDeadline(this.current);
    // A paused workflow's tasks do not time out; it does.
    const alarm = this.current.status === 'PAUSED' ? undefined : this.index.nextAlarm()?.at;
    return whole === undefined || (alarm !== undefined && alarm < whole) ? alarm : whole;
  }

  private write(position: number, task: Task): void {
    // Copying 5,000 pointers takes 3 µs, a tenth of what one decision costs then; once per decision, not per row.
    this.writable ??= this.before.tasks.slice();
    this.rows = this.writable;
    this.writable[position] = task;
    this.changed.add(position);
    this.index.note(task, position, this.at);
  }
}

function differs<T extends object>(value: T, patch: Partial<T>): boolean {
  for (const key in patch) if (!Object.is(value[key], patch[key])) return true;
  return false;
}

/**
 * The state with some rows replaced or added, as after a poll has claimed tasks or rows were read again; rows that are
 * unknown come last, by `seq`. Claims and heartbeats keep the index, so the next decision does not read every row.
 *
 * @param isOurs nobody else has the state's list of rows yet: it is changed instead of copied.
 */
export function withTasks(state: WorkflowState, rows: readonly Task[], isOurs = false): WorkflowState {
  if (rows.length === 0) return state;
  const index = takeIndex(state, planOf(state.workflow.workflowDefinition));
  const tasks = isOurs ? (state.tasks as Task[]) : state.tasks.slice();
  let isFollowed = true;
  for (const row of rows.toSorted((a, b) => a.seq - b.seq)) {
    const position = index.positionOf(row.taskId);
    const known = position === undefined ? undefined : state.tasks[position];
    // What a row's end means to others is only known to the transition that drew the consequences.
    if (
      position === undefined ||
      known === undefined ||
      isTerminalTask(row.status) ||
      isTerminalTask(known.status)
    ) {
      isFollowed = false;
      if (position === undefined) tasks.push(row);
      else tasks[position] = row;
    } else {
      tasks[position] = row;
      index.note(row, position, (p) => tasks[p]);
    }
  }
  if (isFollowed) setIndex(tasks, index);
  return { ...state, tasks };
}

/** The row with this id, without reading the others where the state was decided on before. */
export function taskOf(state: WorkflowState, taskId: string): Task | undefined {
  const index = indexOf(state.tasks);
  if (index === undefined) return state.tasks.find((task) => task.taskId === taskId);
  const position = index.positionOf(taskId);
  return position === undefined ? undefined : state.tasks[position];
}
