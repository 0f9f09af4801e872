import type { Instant } from '../../clock.js';
import { isTerminalTask } from '../model/execution.js';
import type { Task } from '../model/execution.js';
import { deadlineOf } from './deadlines.js';
import { MinHeap } from './heap.js';
import type { Plan, Step } from './plan.js';
import { taskDefOf } from './task-defs.js';
import type { TaskDefs } from './task-defs.js';

interface Alarm {
  readonly at: Instant;
  readonly position: number;
}

/**
 * What deciding needs to find in a workflow's rows without reading all of them. Says nothing that the rows do not say:
 * it can be dropped at any time and built again. Rows are named by their position in the state's list.
 */
export class TaskIndex {
  private readonly byId = new Map<string, number>();
  private readonly byRef = new Map<string, number>();
  private readonly openRows = new Set<number>();
  /** Ended rows whose consequences are not drawn yet, and JOINs that wait for nothing. Lowest position first. */
  private readonly agenda = new MinHeap<number>((a, b) => a < b);
  private readonly onAgenda = new Set<number>();
  /** What each open JOIN still waits for. */
  private readonly joinWaits = new Map<number, Set<string>>();
  /** Entries are lazily dropped: only those that agree with `armed` count. */
  private alarms = TaskIndex.newAlarms();
  private readonly armed = new Map<number, Instant>();

  private constructor(
    private readonly plan: Plan,
    private taskDefs: TaskDefs,
  ) {}

  static build(plan: Plan, taskDefs: TaskDefs, tasks: readonly Task[]): TaskIndex {
    const index = new TaskIndex(plan, taskDefs);
    // JOINs last, when it is known how everything that they wait for ended.
    const joins: number[] = [];
    tasks.forEach((task, position) => {
      index.file(task, position);
      if (task.taskType === 'JOIN') joins.push(position);
      else index.follow(task, position);
    });
    const at = (position: number): Task | undefined => tasks[position];
    for (const position of joins) index.follow(tasks[position]!, position, at);
    return index;
  }

  get openCount(): number {
    return this.openRows.size;
  }

  get openJoinCount(): number {
    return this.joinWaits.size;
  }

  /** Positions of open rows, in order. */
  open(): number[] {
    return [...this.openRows].sort((a, b) => a - b);
  }

  positionOf(taskId: string): number | undefined {
    return this.byId.get(taskId);
  }

  /** The newest attempt of a step. */
  latest(ref: string): number | undefined {
    return this.byRef.get(ref);
  }

  /** Takes note of a row that is new or changed; `at` finds the others. */
  note(task: Task, position: number, at: (position: number) => Task | undefined): void {
    this.file(task, position);
    this.follow(task, position, at);
  }

  /** A row's consequences were drawn: JOINs that waited for it may be ready. */
  settled(task: Task): void {
    const { referenceTaskName: ref } = task;
    const chosen = this.plan.steps.get(ref)?.mapper?.chosenBranch?.(task);
    for (const watch of this.plan.watches.get(ref) ?? []) {
      if (watch.branch !== undefined && watch.branch === chosen) continue;
      const position = this.byRef.get(watch.joinRef);
      const waits = position === undefined ? undefined : this.joinWaits.get(position);
      if (position === undefined || waits === undefined) continue;
      waits.delete(watch.awaitedRef);
      if (waits.size === 0) this.enqueue(position);
    }
  }

  isJoinReady(position: number): boolean {
    return this.joinWaits.get(position)?.size === 0;
  }

  /** The next position on the agenda, without taking it off. It may be out of date: check the row. */
  peekAgenda(): number | undefined {
    return this.agenda.peek();
  }

  /** For a row that has no business there any more. */
  dropFromAgenda(): void {
    const position = this.agenda.pop();
    if (position !== undefined) this.onAgenda.delete(position);
  }

  /** The first open row that time alone will change. */
  nextAlarm(): Alarm | undefined {
    for (let top = this.alarms.peek(); top !== undefined; top = this.alarms.peek()) {
      if (this.armed.get(top.position) === top.at) return top;
      this.alarms.pop();
    }
    return undefined;
  }

  /** Deadlines depend on registered definitions, which may change while a workflow runs. */
  useTaskDefs(taskDefs: TaskDefs, tasks: readonly Task[]): void {
    if (isSame(this.taskDefs, taskDefs)) return;
    this.taskDefs = taskDefs;
    this.alarms = TaskIndex.newAlarms();
    this.armed.clear();
    for (const position of this.openRows) this.arm(tasks[position]!, position);
  }

  private static newAlarms(): MinHeap<Alarm> {
    return new MinHeap<Alarm>((a, b) => a.at < b.at || (a.at === b.at && a.position < b.position));
  }

  private file(task: Task, position: number): void {
    this.byId.set(task.taskId, position);
    const known = this.byRef.get(task.referenceTaskName);
    if (known === undefined || known < position) this.byRef.set(task.referenceTaskName, position);
  }

  private follow(task: Task, position: number, at?: (position: number) => Task | undefined): void {
    if (!isTerminalTask(task.status)) {
      this.openRows.add(position);
      if (task.taskType === 'JOIN' && at !== undefined && !this.joinWaits.has(position)) {
        const waits = this.waitsOf(task, at);
        this.joinWaits.set(position, waits);
        if (waits.size === 0) this.enqueue(position);
      }
    } else {
      this.openRows.delete(position);
      this.joinWaits.delete(position);
      if (!task.executed && !task.retried) this.enqueue(position);
    }
    this.arm(task, position);
  }

  private waitsOf(join: Task, at: (position: number) => Task | undefined): Set<string> {
    const row = (ref: string): Task | undefined => {
      const position = this.byRef.get(ref);
      return position === undefined ? undefined : at(position);
    };
    return new Set(
      join.workflowTask.joinOn.filter((ref) => row(ref)?.executed !== true && !this.isSkipped(ref, row)),
    );
  }

  /** In a branch of a SWITCH that took another one: it will never run. */
  private isSkipped(ref: string, row: (ref: string) => Task | undefined): boolean {
    for (let e = this.plan.steps.get(ref)?.enclosing; e !== undefined; e = e.outer) {
      const switchRow = row(e.switchRef);
      if (switchRow?.executed !== true) continue;
      if (this.plan.steps.get(e.switchRef)?.mapper?.chosenBranch?.(switchRow) !== e.branch) return true;
    }
    return false;
  }

  private enqueue(position: number): void {
    if (this.onAgenda.has(position)) return;
    this.onAgenda.add(position);
    this.agenda.push(position);
  }

  private arm(task: Task, position: number): void {
    const deadline = this.deadlineOf(task);
    if (deadline === undefined) {
      this.armed.delete(position);
      return;
    }
    if (this.armed.get(position) === deadline.at) return;
    this.armed.set(position, deadline.at);
    // Heartbeats leave one stale entry each; sweeping them at twice the live ones keeps that amortised.
    if (this.alarms.size > 2 * this.armed.size + 64) {
      this.alarms = TaskIndex.newAlarms();
      for (const [other, at] of this.armed) this.alarms.push({ at, position: other });
    } else {
      this.alarms.push({ at: deadline.at, position });
    }
  }

  deadlineOf(task: Task): ReturnType<typeof deadlineOf> {
    const mapper = this.stepOf(task)?.mapper;
    return deadlineOf(task, mapper, taskDefOf(task.workflowTask, mapper, this.taskDefs));
  }

  stepOf(task: Task): Step | undefined {
    return this.plan.steps.get(task.referenceTaskName);
  }
}

function isSame(a: TaskDefs, b: TaskDefs): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [name, def] of a) if (b.get(name) !== def) return false;
  return true;
}
