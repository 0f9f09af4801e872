import type { Instant } from '../../clock.js';
import { isTerminalTask } from '../model/execution.js';
import type { Task } from '../model/execution.js';
import { deadlineOf } from './deadlines.js';
import { MinHeap } from './heap.js';
import { inside, isLater, loopPath, outerPath } from './loop-path.js';
import { itemsOf } from './mappers/do-while.js';
import type { Plan, Step } from './plan.js';
import { taskDefOf } from './task-defs.js';
import type { TaskDefs } from './task-defs.js';

/** An open JOIN: where it is, and the rows that it still waits for. */
interface Waits {
  readonly path: string;
  readonly rows: Set<string>;
}

/** What only JOINs and loops need; most workflows have neither. */
class Waiting {
  /** The newest row of a step in a loop, whichever iteration. */
  readonly byStep = new Map<string, { readonly position: number; readonly path: string }>();
  /** What each open JOIN still waits for. */
  readonly joins = new Map<number, Waits>();
  /** Open loops: the names of their rows. */
  readonly loops = new Map<number, string>();
  /** By a loop's row: how many rows directly in it have consequences yet to come. */
  readonly pending = new Map<string, number>();
  readonly pendingRows = new Set<number>();
  /** Open loops whose iteration is over and whose condition somebody has to evaluate. */
  readonly scripts = new Set<number>();
  readonly newScripts = new Set<number>();
}

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
  /**
   * Ended rows whose consequences are not drawn yet, and JOINs and loops that wait for nothing. Lowest position first.
   */
  private readonly agenda = new MinHeap<number>(isLower);
  private readonly onAgenda = new Set<number>();
  /** Made when the first row comes that needs it. */
  private waiting: Waiting | undefined;
  /** Entries are lazily dropped: only those that agree with `armed` count. */
  private alarms = TaskIndex.newAlarms();
  private readonly armed = new Map<number, Instant>();

  private constructor(
    private readonly plan: Plan,
    private taskDefs: TaskDefs,
  ) {}

  static build(plan: Plan, taskDefs: TaskDefs, tasks: readonly Task[]): TaskIndex {
    const index = new TaskIndex(plan, taskDefs);
    // JOINs and loops last, when it is known how everything that they wait for ended.
    const waiting: number[] = [];
    tasks.forEach((task, position) => {
      index.file(task, position);
      index.count(task, position);
      if (task.taskType === 'JOIN' || task.taskType === 'DO_WHILE') waiting.push(position);
      else index.follow(task, position);
    });
    const at = (position: number): Task | undefined => tasks[position];
    for (const position of waiting) index.follow(tasks[position]!, position, at);
    return index;
  }

  get openCount(): number {
    return this.openRows.size;
  }

  /** Open rows that only other rows can end: JOINs, and loops with an iteration under way. */
  get waitingCount(): number {
    const { waiting } = this;
    return waiting === undefined ? 0 : waiting.joins.size + waiting.loops.size - waiting.scripts.size;
  }

  /** Positions of open rows, in order. */
  open(): number[] {
    return [...this.openRows].sort((a, b) => a - b);
  }

  positionOf(taskId: string): number | undefined {
    return this.byId.get(taskId);
  }

  /** The newest attempt of a row by its full name, or of a step in the latest of its iterations. */
  latest(ref: string): number | undefined {
    return this.byRef.get(ref) ?? this.waiting?.byStep.get(ref)?.position;
  }

  /** The newest attempt of exactly this row. */
  row(name: string): number | undefined {
    return this.byRef.get(name);
  }

  /** What the row of a step is called that runs in the iterations of `path`. */
  rowName(ref: string, path: string): string {
    return path === '' ? ref : ref + outerPath(path, this.plan.steps.get(ref)?.loop?.depth ?? 0);
  }

  /** The row of the innermost loop around a row. */
  loopAround(task: Task): number | undefined {
    const loop = this.stepOf(task)?.loop;
    return loop && this.byRef.get(this.rowName(loop.ref, loopPath(task.referenceTaskName)));
  }

  /** Whether rows directly in a loop still have consequences to come. */
  isUnderWay(loop: Task): boolean {
    return (this.waiting?.pending.get(loop.referenceTaskName) ?? 0) > 0;
  }

  /** Positions of the loops whose condition is to be evaluated; `onlyNew`: since the last call of `forgetNew`. */
  awaitingScript(onlyNew: boolean): number[] {
    if (this.waiting === undefined) return [];
    const { scripts, newScripts } = this.waiting;
    const positions = onlyNew ? [...newScripts].filter((p) => scripts.has(p)) : [...scripts];
    return positions.sort((a, b) => a - b);
  }

  get scriptCount(): number {
    return this.waiting?.scripts.size ?? 0;
  }

  awaitsScript(position: number): boolean {
    return this.waiting?.scripts.has(position) === true;
  }

  forgetNew(): void {
    this.waiting?.newScripts.clear();
  }

  /** Takes note of a row that is new or changed; `at` finds the others. */
  note(task: Task, position: number, at: (position: number) => Task | undefined): void {
    this.file(task, position);
    this.follow(task, position, at);
    this.count(task, position, at);
  }

  /** A row's consequences were drawn: JOINs that waited for it may be ready. */
  settled(task: Task): void {
    const { waiting } = this;
    if (waiting === undefined) return;
    const step = this.stepOf(task);
    const chosen = step?.mapper?.chosenBranch?.(task);
    for (const watch of this.plan.watches.get(task.workflowTask.taskReferenceName) ?? []) {
      if (watch.branch !== undefined && watch.branch === chosen) continue;
      const position = this.latest(watch.joinRef);
      const waits = position === undefined ? undefined : waiting.joins.get(position);
      if (position === undefined || waits === undefined) continue;
      // Of a JOIN in a loop only the row of the current iteration can be open, and only its tasks can be settled.
      waits.rows.delete(this.rowName(watch.awaitedRef, waits.path));
      if (waits.rows.size === 0) this.enqueue(position);
    }
  }

  /** An open JOIN or loop that waits for nothing more. */
  isReady(position: number): boolean {
    const { waiting } = this;
    if (waiting === undefined) return false;
    const loop = waiting.loops.get(position);
    if (loop === undefined) return waiting.joins.get(position)?.rows.size === 0;
    return (waiting.pending.get(loop) ?? 0) === 0 && !waiting.scripts.has(position);
  }

  /** Puts back what was left behind in loops that had ended and now go on. */
  requeue(tasks: readonly Task[]): void {
    tasks.forEach((task, position) => {
      if (isTerminalTask(task.status) && !task.executed && !task.retried) this.enqueue(position);
    });
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
    return new MinHeap<Alarm>(isEarlier);
  }

  private file(task: Task, position: number): void {
    this.byId.set(task.taskId, position);
    const known = this.byRef.get(task.referenceTaskName);
    if (known === undefined || known < position) this.byRef.set(task.referenceTaskName, position);
    const path = loopPath(task.referenceTaskName);
    if (path === '') return;
    const ref = task.workflowTask.taskReferenceName;
    const { byStep } = (this.waiting ??= new Waiting());
    const last = byStep.get(ref);
    if (last === undefined || isLater(path, last.path) || (path === last.path && last.position < position))
      byStep.set(ref, { position, path });
  }

  /** Keeps count of the rows in a loop whose consequences are not drawn. */
  private count(task: Task, position: number, at?: (position: number) => Task | undefined): void {
    if (this.plan.members.size === 0) return;
    const loop = this.stepOf(task)?.loop;
    if (loop === undefined) return;
    const isPending = !task.executed && !task.retried;
    const { pending, pendingRows } = (this.waiting ??= new Waiting());
    if (isPending === pendingRows.has(position)) return;
    const name = this.rowName(loop.ref, loopPath(task.referenceTaskName));
    if (isPending) pendingRows.add(position);
    else pendingRows.delete(position);
    pending.set(name, (pending.get(name) ?? 0) + (isPending ? 1 : -1));
    const loopPosition = this.byRef.get(name);
    const loopRow = loopPosition === undefined ? undefined : at?.(loopPosition);
    if (loopPosition !== undefined && loopRow !== undefined) this.lookAtLoop(loopRow, loopPosition);
  }

  private lookAtLoop(loop: Task, position: number): void {
    const { waiting } = this;
    if (waiting?.loops.has(position) !== true) return;
    if (this.isUnderWay(loop)) {
      waiting.scripts.delete(position);
    } else if (this.hasQuestion(loop)) {
      waiting.scripts.add(position);
      waiting.newScripts.add(position);
    } else {
      waiting.scripts.delete(position);
      this.enqueue(position);
    }
  }

  /** The iteration has run, and only the condition can say whether there is another. */
  private hasQuestion(loop: Task): boolean {
    const body = this.stepOf(loop)?.body;
    if (body === undefined || loop.workflowTask.loopCondition === undefined) return false;
    const path = inside(loopPath(loop.referenceTaskName), loop.iteration);
    return (
      this.byRef.has(body.task.taskReferenceName + path) &&
      loop.iteration < (itemsOf(loop)?.length ?? Infinity)
    );
  }

  private follow(task: Task, position: number, at?: (position: number) => Task | undefined): void {
    if (!isTerminalTask(task.status)) {
      this.openRows.add(position);
      if (task.taskType === 'JOIN' && at !== undefined && this.waiting?.joins.has(position) !== true) {
        const waits = this.waitsOf(task, at);
        (this.waiting ??= new Waiting()).joins.set(position, waits);
        if (waits.rows.size === 0) this.enqueue(position);
      }
      if (task.taskType === 'DO_WHILE' && at !== undefined) {
        (this.waiting ??= new Waiting()).loops.set(position, task.referenceTaskName);
        this.lookAtLoop(task, position);
      }
    } else {
      this.openRows.delete(position);
      if (this.waiting !== undefined) {
        this.waiting.joins.delete(position);
        this.waiting.loops.delete(position);
        this.waiting.scripts.delete(position);
      }
      if (!task.executed && !task.retried) this.enqueue(position);
    }
    this.arm(task, position);
  }

  private waitsOf(join: Task, at: (position: number) => Task | undefined): Waits {
    const path = loopPath(join.referenceTaskName);
    const row = (ref: string): Task | undefined => {
      const position = this.byRef.get(this.rowName(ref, path));
      return position === undefined ? undefined : at(position);
    };
    const awaited = join.workflowTask.joinOn.filter(
      (ref) => row(ref)?.executed !== true && !this.isSkipped(ref, row),
    );
    return { path, rows: new Set(awaited.map((ref) => this.rowName(ref, path))) };
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
    return this.plan.steps.get(task.workflowTask.taskReferenceName);
  }
}

const isLower = (a: number, b: number): boolean => a < b;
const isEarlier = (a: Alarm, b: Alarm): boolean => a.at < b.at || (a.at === b.at && a.position < b.position);

function isSame(a: TaskDefs, b: TaskDefs): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [name, def] of a) if (b.get(name) !== def) return false;
  return true;
}
