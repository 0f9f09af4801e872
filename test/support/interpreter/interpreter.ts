import type { Instant } from '../../../src/clock.js';
import type { TaskDef, WorkflowDef, WorkflowTask } from '../../../src/engine/model/definition.js';
import { isSuccessfulTask, isTerminalTask, isTerminalWorkflow } from '../../../src/engine/model/execution.js';
import type { EndedStatus, TaskStatus, WorkflowStatus } from '../../../src/engine/model/execution.js';
import type { Json, JsonObject } from '../../../src/engine/model/json.js';
import { branchFor, branchKeyFor, loopsAround, nextOf, placeOf, stepsOfLoop } from './definition.js';
import { resolve, resolveObject } from './expressions.js';
import { deadlineOf, delayMsOf, isBuiltIn, rulesOf } from './rules.js';

/*
 * Conductor's rules, read once more and written down in the plainest way: every question is answered by looking through
 * all rows and the whole definition. It shares nothing with the decider but the model's types, so that a mistake would
 * have to be made twice to go unnoticed.
 *
 * Where the reference leaves something open: rows are attended to in the order in which they were made; deadlines that
 * have passed are applied first, the earliest first; a workflow in which only JOINs wait for what will never run fails.
 */

/** One attempt of one step, in one iteration. */
export interface Row {
  readonly step: WorkflowTask;
  /** The step's, with the iterations. */
  readonly name: string;
  /** Iterations of the loops around it, outermost first. */
  readonly path: readonly number[];
  readonly attempt: number;
  status: TaskStatus;
  input: JsonObject;
  output: JsonObject;
  /** A loop's own. */
  iteration: number;
  /** A later attempt took its place. */
  replaced: boolean;
  /** What follows from its end has been done. */
  handled: boolean;
  queued: boolean;
  firstScheduledAt: Instant;
  startedAt: Instant | undefined;
  updatedAt: Instant;
  dueAt: Instant;
}

/** What happens to a workflow. Tasks are named by row name and attempt. */
export type Happening =
  | { readonly kind: 'start' | 'wake' | 'pause' | 'resume' | 'retry' | 'terminate' }
  | {
      readonly kind: 'update';
      readonly row: number;
      readonly status: TaskStatus;
      readonly output: JsonObject;
      readonly callbackAfterSeconds?: number | undefined;
    }
  | { readonly kind: 'answer'; readonly row: number; readonly value: Json | Error }
  | {
      readonly kind: 'child';
      readonly row: number;
      readonly status: EndedStatus;
      readonly output: JsonObject;
    };

const nameOf = (ref: string, path: readonly number[]): string =>
  ref + path.map((iteration) => `__${iteration}`).join('');

/** Stands for the id of the child that an attempt starts. */
const childOf = ({ name, attempt }: Row): string => `child of ${name}#${attempt}`;

export class Interpreter {
  status: WorkflowStatus = 'RUNNING';
  output: JsonObject = {};
  variables: JsonObject = {};
  readonly rows: Row[] = [];
  /** `start child of x#0`, `stop child of x#0`: of the last happening. */
  effects: string[] = [];
  private now: Instant;
  private clockSince: Instant;

  constructor(
    private readonly def: WorkflowDef,
    private readonly taskDefs: ReadonlyMap<string, TaskDef>,
    private readonly input: JsonObject,
    now: Instant,
  ) {
    this.now = now;
    this.clockSince = now;
    this.variables = def.variables;
  }

  /** @returns whether it had a meaning now. */
  happen(what: Happening, now: Instant): boolean {
    this.now = now;
    this.effects = [];
    const isTaken = this.take(what);
    this.settle();
    return isTaken;
  }

  /** A worker took a task. By itself that has no consequences. */
  claimed(position: number, now: Instant): void {
    const row = this.rows[position]!;
    row.status = 'IN_PROGRESS';
    row.queued = false;
    row.startedAt ??= now;
    row.updatedAt = now;
  }

  /** Positions of the loops whose condition somebody has to evaluate. */
  asks(): number[] {
    return this.status === 'RUNNING' ? this.positions((row) => this.isAsking(row)) : [];
  }

  /** What a loop's condition sees. */
  questionInput(position: number): JsonObject {
    const loop = this.rows[position]!;
    const members = (step: WorkflowTask): WorkflowTask[] =>
      stepsOfLoop(step).flatMap((one) => [one, ...(one.type === 'DO_WHILE' ? members(one) : [])]);
    const outputs = members(loop.step).flatMap((member): [string, Json][] => {
      const latest = this.latest(member.taskReferenceName);
      return latest === undefined ? [] : [[member.taskReferenceName, latest.output]];
    });
    return {
      ...this.resolved(loop.step.inputParameters),
      [loop.step.taskReferenceName]: this.loopOutput(loop),
      ...Object.fromEntries(outputs),
    };
  }

  private get isEnded(): boolean {
    return isTerminalWorkflow(this.status);
  }

  private take(what: Happening): boolean {
    switch (what.kind) {
      case 'start':
      case 'wake':
        return true;
      case 'pause':
        if (this.isEnded) return false;
        this.status = 'PAUSED';
        return true;
      case 'resume':
        if (this.status !== 'PAUSED') return false;
        this.status = 'RUNNING';
        this.clockSince = this.now;
        return true;
      case 'terminate':
        if (this.status === 'COMPLETED') return false;
        if (!this.isEnded) this.end('TERMINATED');
        return true;
      case 'retry':
        return this.retry();
      case 'update':
        return this.update(this.rows[what.row]!, what);
      case 'answer':
        return this.answer(this.rows[what.row]!, what.value);
      case 'child':
        return this.childEnds(this.rows[what.row]!, what);
      default:
        return what satisfies never;
    }
  }

  private update(row: Row, what: Extract<Happening, { kind: 'update' }>): boolean {
    if (this.isEnded || isTerminalTask(row.status)) return false;
    row.output = what.output;
    row.updatedAt = this.now;
    if (what.status !== 'IN_PROGRESS') {
      this.finish(row, what.status);
    } else if (row.step.type === 'SIMPLE' || row.step.type === 'HUMAN') {
      const { callbackAfterSeconds } = what;
      row.queued = callbackAfterSeconds !== undefined;
      if (callbackAfterSeconds === undefined) {
        row.status = 'IN_PROGRESS';
        row.startedAt ??= this.now;
      } else {
        row.status = row.step.type === 'SIMPLE' ? 'SCHEDULED' : 'IN_PROGRESS';
        row.dueAt = this.now + callbackAfterSeconds * 1000;
      }
    }
    return true;
  }

  private answer(row: Row, value: Json | Error): boolean {
    if (this.status !== 'RUNNING' || !this.isAsking(row)) return false;
    if (value instanceof Error) {
      row.output = this.loopOutput(row);
      this.finish(row, 'FAILED_WITH_TERMINAL_ERROR');
    } else if (value === true || (typeof value === 'number' && value > 0)) {
      this.iterate(row);
    } else {
      this.endLoop(row, 'COMPLETED');
    }
    return true;
  }

  private childEnds(row: Row, { status, output }: Extract<Happening, { kind: 'child' }>): boolean {
    if (this.isEnded || row.status !== 'IN_PROGRESS') return false;
    row.output = { ...output, subWorkflowId: childOf(row) };
    row.updatedAt = this.now;
    row.status = status === 'TERMINATED' ? 'CANCELED' : status;
    return true;
  }

  /** Ends a row by anything but its child, which is told. */
  private finish(row: Row, status: TaskStatus): void {
    const hasChild = row.step.type === 'SUB_WORKFLOW' && row.status === 'IN_PROGRESS';
    row.status = status;
    row.queued = false;
    row.updatedAt = this.now;
    if (hasChild) this.effects.push(`stop ${childOf(row)}`);
  }

  private retry(): boolean {
    if (!this.isEnded || this.status === 'COMPLETED') return false;
    const isBad = ({ status, replaced }: Row): boolean =>
      !replaced && ['FAILED', 'FAILED_WITH_TERMINAL_ERROR', 'TIMED_OUT', 'CANCELED'].includes(status);
    const bad: Row[] = [];
    for (const row of this.rows) {
      const loop = this.loopRowAround(row);
      // What is in a loop goes on only if the loop does.
      if (isBad(row) && (loop === undefined || bad.includes(loop))) bad.push(row);
    }
    if (bad.length === 0 && this.status !== 'TIMED_OUT') return false;
    this.status = 'RUNNING';
    this.clockSince = this.now;
    this.output = {};
    const goesOn = (row: Row, output: JsonObject): void => {
      row.status = 'IN_PROGRESS';
      row.handled = false;
      row.output = output;
    };
    const loops = bad.filter((row) => row.step.type === 'DO_WHILE' && this.hasBegun(row));
    for (const row of loops) goesOn(row, progress(row));
    for (const row of bad) {
      if (loops.includes(row) || row.step.type === 'JOIN') continue;
      row.replaced = true;
      this.schedule(row.step, row.path, { of: row, delayMs: 0, anew: true });
    }
    for (const row of bad) if (row.step.type === 'JOIN') goesOn(row, {});
    return true;
  }

  /** Draws consequences until there are none. */
  private settle(): void {
    for (;;) {
      this.expire();
      if (this.isEnded) {
        for (const row of this.rows) if (!isTerminalTask(row.status)) this.finish(row, 'CANCELED');
        return;
      }
      if (this.status === 'PAUSED') return;
      if (this.rows.length === 0) this.schedule(this.def.tasks[0]!, []);
      for (;;) {
        const row = this.rows.find((one) => this.needsAttention(one));
        if (row === undefined || this.isEnded) break;
        this.attend(row);
      }
      if (this.isEnded) continue;
      const open = this.rows.filter(({ status }) => !isTerminalTask(status));
      const waitsForOthers = (row: Row): boolean =>
        row.step.type === 'JOIN' || (row.step.type === 'DO_WHILE' && !this.isAsking(row));
      if (open.length === 0) this.complete();
      else if (open.every(waitsForOthers)) this.end('FAILED');
      else if ((this.nextAlarm()?.at ?? Infinity) > this.now) return;
    }
  }

  private nextAlarm() {
    return this.rows
      .filter(({ status }) => !isTerminalTask(status))
      .flatMap((row) => {
        const deadline = deadlineOf(row, rulesOf(row.step, this.taskDefs));
        return deadline === undefined ? [] : [{ ...deadline, row }];
      })
      .sort((a, b) => a.at - b.at)[0];
  }

  private expire(): void {
    while (!this.isEnded) {
      const { timeoutSeconds, timeoutPolicy } = this.def;
      const whole =
        timeoutPolicy === 'TIME_OUT_WF' && timeoutSeconds > 0
          ? this.clockSince + timeoutSeconds * 1000
          : Infinity;
      const alarm = this.status === 'PAUSED' ? undefined : this.nextAlarm();
      if (whole <= this.now && whole <= (alarm?.at ?? Infinity)) {
        this.end('TIMED_OUT');
      } else if (alarm === undefined || alarm.at > this.now) {
        return;
      } else if (alarm.clock !== 'due') {
        this.finish(alarm.row, 'TIMED_OUT');
        const { timeoutPolicy: policy } = rulesOf(alarm.row.step, this.taskDefs);
        if (alarm.clock !== 'response' && policy === 'TIME_OUT_WF') this.end('TIMED_OUT');
      } else if (alarm.row.step.type === 'SUB_WORKFLOW') {
        this.startChild(alarm.row);
      } else {
        this.finish(alarm.row, 'COMPLETED');
      }
    }
  }

  private needsAttention(row: Row): boolean {
    if (this.isLeftBehind(row)) return false;
    if (isTerminalTask(row.status)) return !row.handled && !row.replaced;
    if (row.step.type === 'JOIN') return row.step.joinOn.every((ref) => this.isPast(ref, row.path));
    return row.step.type === 'DO_WHILE' && !this.isUnderWay(row) && !this.isAsking(row);
  }

  private attend(row: Row): void {
    if (row.step.type === 'DO_WHILE' && !isTerminalTask(row.status)) {
      this.goRound(row);
      return;
    }
    if (!isTerminalTask(row.status)) this.joinUp(row);
    if (row.step.type === 'DO_WHILE') this.cancelInside(row);
    if (!isSuccessfulTask(row.status) && !this.survives(row)) return;
    row.handled = true;
    const loop = this.loopRowAround(row);
    if (!isSuccessfulTask(row.status) && loop !== undefined) {
      this.endLoop(loop, 'FAILED');
    } else if (row.step.type === 'TERMINATE' && isSuccessfulTask(row.status)) {
      this.end(row.input['terminationStatus'] as EndedStatus, row.output);
    } else {
      for (const next of this.successors(row)) {
        if (this.newest(next.taskReferenceName, row.path) === undefined) this.schedule(next, row.path);
      }
    }
  }

  private successors({ step, output }: Row): readonly WorkflowTask[] {
    const next = nextOf(this.def, step.taskReferenceName);
    const after = next === undefined ? [] : [next];
    if (step.type === 'FORK_JOIN') return [...step.forkTasks.flatMap(([first]) => first ?? []), ...after];
    if (step.type !== 'SWITCH') return after;
    const [first] = branchFor(step, String(output['selectedCase']));
    return first === undefined ? after : [first];
  }

  /** After a bad end: whether the workflow goes on past it; if not, there is another attempt or the end. */
  private survives(row: Row): boolean {
    const rules = rulesOf(row.step, this.taskDefs);
    const limit = row.step.retryCount ?? rules.retryCount;
    const status =
      row.status === 'CANCELED' ? 'TERMINATED' : row.status === 'TIMED_OUT' ? 'TIMED_OUT' : 'FAILED';
    const mayRetry =
      (row.status === 'FAILED' || row.status === 'TIMED_OUT') &&
      !isBuiltIn(row.step.type) &&
      row.attempt < limit;
    if (mayRetry) {
      const isTooLate =
        rules.totalTimeoutSeconds > 0 && this.now - row.firstScheduledAt >= rules.totalTimeoutSeconds * 1000;
      if (isTooLate) {
        this.end(status);
      } else {
        row.replaced = true;
        this.schedule(row.step, row.path, { of: row, delayMs: delayMsOf(row, rules), anew: false });
      }
      return false;
    }
    if (row.step.optional) {
      row.status = 'COMPLETED_WITH_ERRORS';
      return true;
    }
    if (row.step.permissive) return true;
    this.end(status);
    return false;
  }

  private schedule(
    step: WorkflowTask,
    path: readonly number[],
    again?: { readonly of: Row; readonly delayMs: number; readonly anew: boolean },
  ): void {
    const { now } = this;
    const row: Row = {
      step,
      name: nameOf(step.taskReferenceName, path),
      path,
      attempt: again === undefined ? 0 : again.of.attempt + 1,
      status: 'COMPLETED',
      input: this.resolved(step.inputParameters),
      output: {},
      iteration: path.at(-1) ?? 0,
      replaced: false,
      handled: false,
      queued: false,
      firstScheduledAt: again === undefined || again.anew ? now : again.of.firstScheduledAt,
      startedAt: now,
      updatedAt: now,
      dueAt: now,
    };
    const delayMs = again?.delayMs ?? 0;
    this.rows.push(row);
    switch (step.type) {
      case 'SIMPLE':
        Object.assign(row, { status: 'SCHEDULED', queued: true, startedAt: undefined });
        row.dueAt = delayMs > 0 ? now + delayMs : now + step.startDelay * 1000;
        return;
      case 'HUMAN':
        Object.assign(row, { status: 'IN_PROGRESS', queued: true, dueAt: now + delayMs });
        return;
      case 'WAIT':
        row.status = 'IN_PROGRESS';
        row.dueAt = now + 1000 * Number.parseInt(String(row.input['duration'] ?? 0), 10);
        return;
      case 'JOIN':
        row.status = 'IN_PROGRESS';
        return;
      case 'SET_VARIABLE':
        this.variables = { ...this.variables, ...row.input };
        return;
      case 'SWITCH': {
        const value = row.input[step.expression ?? ''];
        const selectedCase = typeof value === 'string' ? value : JSON.stringify(value ?? null);
        row.output = { evaluationResult: [selectedCase], selectedCase };
        return;
      }
      case 'TERMINATE':
        row.output = (row.input['workflowOutput'] ?? {}) as JsonObject;
        return;
      case 'DO_WHILE':
        this.beginLoop(row);
        return;
      case 'SUB_WORKFLOW':
        Object.assign(row, { status: 'SCHEDULED', startedAt: undefined });
        row.dueAt = delayMs > 0 ? now + delayMs : now + step.startDelay * 1000;
        if (row.dueAt <= now) this.startChild(row);
        return;
      default:
        return;
    }
  }

  private startChild(row: Row): void {
    row.status = 'IN_PROGRESS';
    row.startedAt = this.now;
    row.updatedAt = this.now;
    row.output = { subWorkflowId: childOf(row) };
    this.effects.push(`start ${childOf(row)}`);
  }

  private joinUp(join: Row): void {
    const awaited = join.step.joinOn.flatMap((ref) => this.newest(ref, join.path) ?? []);
    join.output = Object.fromEntries(
      awaited.filter(({ output }) => Object.keys(output).length > 0).map((row) => [row.name, row.output]),
    );
    const failed = awaited.filter(({ status, step }) => !isSuccessfulTask(status) && !step.optional);
    if (failed.length > 0) {
      this.finish(join, failed.every(({ status }) => status === 'CANCELED') ? 'CANCELED' : 'FAILED');
    } else {
      const hasErrors = awaited.some(({ status }) => status === 'COMPLETED_WITH_ERRORS');
      this.finish(join, hasErrors && awaited.some(isAcceptedFailure) ? 'COMPLETED_WITH_ERRORS' : 'COMPLETED');
    }
  }

  /** A step that has run, with all its consequences, or never will: its SWITCH took another way. */
  private isPast(ref: string, path: readonly number[]): boolean {
    if (this.newest(ref, path)?.handled === true) return true;
    return placeOf(this.def, ref).around.some(({ kind, container, key }) => {
      if (kind !== 'switch') return false;
      const row = this.newest(container.taskReferenceName, path);
      return row?.handled === true && branchKeyFor(container, String(row.output['selectedCase'])) !== key;
    });
  }

  private beginLoop(row: Row): void {
    const { step } = row;
    if (step.items === undefined) {
      row.iteration = 1;
    } else {
      const items = resolve(step.items, this.look);
      if (!Array.isArray(items)) {
        row.status = 'FAILED_WITH_TERMINAL_ERROR';
        return;
      }
      row.input = { ...row.input, _items: items as Json };
      row.iteration = items.length === 0 ? 0 : 1;
    }
    row.output = progress(row);
    row.status = row.iteration === 0 ? 'COMPLETED' : 'IN_PROGRESS';
  }

  private isInside(row: Row, loop: Row): boolean {
    const isAround = loopsAround(this.def, row.step.taskReferenceName).includes(loop.step);
    return isAround && loop.path.every((iteration, i) => row.path[i] === iteration);
  }

  private isUnderWay(loop: Row): boolean {
    return this.rows.some(
      (row) =>
        !row.handled &&
        !row.replaced &&
        this.isInside(row, loop) &&
        (this.loopRowAround(row) === loop || !this.isLeftBehind(row)),
    );
  }

  /** In a loop that has ended: nothing follows from it any more. */
  private isLeftBehind(row: Row): boolean {
    const loop = this.loopRowAround(row);
    return loop !== undefined && isTerminalTask(loop.status);
  }

  private hasBegun(loop: Row): boolean {
    const first = loop.step.loopOver![0]!.taskReferenceName;
    return this.newest(first, [...loop.path, loop.iteration]) !== undefined;
  }

  private isAsking(row: Row): boolean {
    if (row.step.type !== 'DO_WHILE' || isTerminalTask(row.status)) return false;
    if (row.step.loopCondition === undefined || this.isUnderWay(row) || !this.hasBegun(row)) return false;
    return row.iteration < (itemsOf(row)?.length ?? Infinity);
  }

  private goRound(loop: Row): void {
    if (!this.hasBegun(loop)) this.schedule(loop.step.loopOver![0]!, [...loop.path, loop.iteration]);
    else if (loop.iteration < (itemsOf(loop)?.length ?? 0)) this.iterate(loop);
    else this.endLoop(loop, 'COMPLETED');
  }

  private iterate(loop: Row): void {
    loop.iteration += 1;
    loop.output = progress(loop);
  }

  private endLoop(loop: Row, status: TaskStatus): void {
    loop.output = this.loopOutput(loop);
    this.finish(loop, status);
  }

  private loopOutput(loop: Row): JsonObject {
    const output: Record<string, Json> = { ...progress(loop) };
    const kept = Number(loop.input['keepLastN'] ?? Infinity);
    for (let iteration = 1; iteration <= loop.iteration; iteration++) {
      if (iteration <= loop.iteration - kept) continue;
      const rows = stepsOfLoop(loop.step).flatMap((step): [string, Json][] => {
        const row = this.newest(step.taskReferenceName, [...loop.path, iteration]);
        return row === undefined ? [] : [[step.taskReferenceName, row.output]];
      });
      output[iteration] = Object.fromEntries(rows);
    }
    return output;
  }

  private cancelInside(loop: Row): void {
    for (const row of this.rows)
      if (!isTerminalTask(row.status) && this.isInside(row, loop)) this.finish(row, 'CANCELED');
  }

  private complete(): void {
    const isSpoilt = this.rows.some(
      (row) =>
        !row.replaced &&
        !isSuccessfulTask(row.status) &&
        row.step.permissive &&
        !row.step.optional &&
        this.loopRowAround(row) === undefined,
    );
    this.end(isSpoilt ? 'FAILED' : 'COMPLETED');
  }

  private end(status: EndedStatus, output?: JsonObject): void {
    const { outputParameters } = this.def;
    const inOrder = (row: Row): boolean =>
      placeOf(this.def, row.step.taskReferenceName).around.every(({ kind }) => kind !== 'fork');
    this.output =
      output ??
      (Object.keys(outputParameters).length > 0
        ? this.resolved(outputParameters)
        : (this.rows.findLast(inOrder)?.output ?? {}));
    for (const row of this.rows) if (!isTerminalTask(row.status)) this.finish(row, 'CANCELED');
    this.status = status;
  }

  private positions(is: (row: Row) => boolean): number[] {
    return this.rows.flatMap((row, position) => (is(row) ? [position] : []));
  }

  /** The newest attempt of a step in the iterations of `path`, as far as it is in those loops. */
  private newest(ref: string, path: readonly number[]): Row | undefined {
    const depth = loopsAround(this.def, ref).length;
    const name = nameOf(ref, path.slice(0, depth));
    return this.rows.findLast((row) => row.name === name);
  }

  private loopRowAround(row: Row): Row | undefined {
    const loop = loopsAround(this.def, row.step.taskReferenceName).at(-1);
    return loop && this.newest(loop.taskReferenceName, row.path);
  }

  /** The newest attempt in the latest iteration; or of the one that is named. */
  private latest(name: string): Row | undefined {
    const exact = this.rows.findLast((row) => row.name === name);
    if (exact !== undefined) return exact;
    const rows = this.rows.filter(({ step }) => step.taskReferenceName === name);
    const isBefore = (a: readonly number[], b: readonly number[]): boolean => {
      const i = a.findIndex((iteration, at) => iteration !== b[at]);
      return i >= 0 && a[i]! < b[i]!;
    };
    return rows.reduce<Row | undefined>(
      (best, row) => (best === undefined || !isBefore(row.path, best.path) ? row : best),
      undefined,
    );
  }

  private readonly look = (root: string): Json | undefined => {
    if (root === 'workflow') {
      const { input, output, variables, status } = this;
      return { input, output, variables, status };
    }
    const row = this.latest(root);
    if (row === undefined) return undefined;
    const isOpenLoop = row.step.type === 'DO_WHILE' && !isTerminalTask(row.status);
    return {
      input: row.input,
      output: isOpenLoop ? this.loopOutput(row) : row.output,
      status: row.status,
      retryCount: row.attempt,
      iteration: row.iteration,
    };
  };

  private resolved(value: JsonObject): JsonObject {
    return resolveObject(value, this.look);
  }
}

const isAcceptedFailure = ({ status, step }: Row): boolean =>
  step.optional && status === 'COMPLETED_WITH_ERRORS';

function itemsOf({ input, step }: Row): readonly Json[] | undefined {
  const items = input['_items'];
  return step.items !== undefined && Array.isArray(items) ? (items as readonly Json[]) : undefined;
}

/** Where a loop is. */
function progress(loop: Row): JsonObject {
  const { iteration } = loop;
  const items = itemsOf(loop);
  return items === undefined || iteration === 0
    ? { iteration }
    : { iteration, loopIndex: iteration - 1, loopItem: items[iteration - 1] ?? null };
}
