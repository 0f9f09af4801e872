import type { Instant } from '../../../src/clock.js';
import type { WorkflowTask } from '../../../src/engine/model/definition.js';
import { isSuccessfulTask, isTerminalTask } from '../../../src/engine/model/execution.js';
import type { EndedStatus, TaskStatus } from '../../../src/engine/model/execution.js';
import type { Json, JsonObject } from '../../../src/engine/model/json.js';
import { branchFor, nextOf, placeOf } from './definition.js';
import { textOf } from './expressions.js';
import { Making } from './making.js';
import { childOf, itemsOf, progress } from './row.js';
import type { Row } from './row.js';
import { delayMsOf, isBuiltIn, rulesOf } from './rules.js';

/*
 * Conductor's rules, read once more and written down in the plainest way: every question is answered by looking through
 * all rows and the whole definition. It shares nothing with the decider but the model's types, so that a mistake would
 * have to be made twice to go unnoticed.
 *
 * Where the reference leaves something open: rows are attended to in the order in which they were made; deadlines that
 * have passed are applied first, the earliest first; a workflow in which only JOINs wait for what will never run fails.
 */

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
      readonly at: Instant;
    }
  | { readonly kind: 'childAgain'; readonly row: number; readonly at: Instant };

export class Interpreter extends Making {
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
      case 'childAgain':
        return this.childGoesOn(this.rows[what.row]!, what.at);
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

  private childEnds(row: Row, { status, output, at }: Extract<Happening, { kind: 'child' }>): boolean {
    if (this.isEnded || row.status !== 'IN_PROGRESS' || at < row.againAt) return false;
    row.output = { ...output, subWorkflowId: childOf(row) };
    row.updatedAt = this.now;
    row.endedAt = at;
    row.status = status === 'TERMINATED' ? 'CANCELED' : status;
    return true;
  }

  /** A child was retried by itself: whoever ended because of it waits for it again. */
  private childGoesOn(row: Row, at: Instant): boolean {
    const hasEnded = isTerminalTask(row.status);
    if (at <= (hasEnded ? row.endedAt : row.againAt)) return false;
    if (isSuccessfulTask(row.status) || (row.handled && !this.isEnded)) return false;
    const bad = this.badRows();
    const isWaitedFor = this.isEnded
      ? this.status !== 'COMPLETED' && bad.includes(row)
      : !hasEnded || (!row.replaced && !this.isLeftBehind(row));
    if (!isWaitedFor) {
      this.effects.push(`stop ${childOf(row)}`);
      return true;
    }
    const waitsAgain = (): void => {
      Object.assign(row, { status: 'IN_PROGRESS', handled: false, startedAt: at - 1, againAt: at });
      row.output = { subWorkflowId: childOf(row) };
      row.updatedAt = this.now;
    };
    if (this.isEnded)
      this.goOn(
        bad.filter((one) => one !== row),
        waitsAgain,
      );
    else waitsAgain();
    return true;
  }

  private retry(): boolean {
    if (!this.isEnded || this.status === 'COMPLETED') return false;
    const bad = this.badRows();
    if (bad.length === 0 && this.status !== 'TIMED_OUT') return false;
    this.goOn(bad);
    return true;
  }

  /** What a retry sets going again. */
  private badRows(): Row[] {
    const isBad = ({ status, replaced }: Row): boolean =>
      !replaced && ['FAILED', 'FAILED_WITH_TERMINAL_ERROR', 'TIMED_OUT', 'CANCELED'].includes(status);
    const bad: Row[] = [];
    for (const row of this.rows) {
      const loop = this.loopRowAround(row);
      // What is in a loop goes on only if the loop does.
      if (isBad(row) && (loop === undefined || bad.includes(loop))) bad.push(row);
    }
    return bad;
  }

  /** @param childWaits for the row whose child goes on by itself: new attempts see nothing of what it brought before. */
  private goOn(bad: readonly Row[], childWaits?: () => void): void {
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
    childWaits?.();
    for (const row of bad) {
      if (loops.includes(row) || row.step.type === 'JOIN') continue;
      row.replaced = true;
      this.schedule(row.step, row.path, { of: row, delayMs: 0, anew: true });
    }
    for (const row of bad) if (row.step.type === 'JOIN') goesOn(row, {});
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
    const [first] = branchFor(step, textOf(output['selectedCase']));
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
}

const isAcceptedFailure = ({ status, step }: Row): boolean =>
  step.optional && status === 'COMPLETED_WITH_ERRORS';
