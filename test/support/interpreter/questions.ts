import type { Instant } from '../../../src/clock.js';
import type { TaskDef, WorkflowDef, WorkflowTask } from '../../../src/engine/model/definition.js';
import { isTerminalTask, isTerminalWorkflow } from '../../../src/engine/model/execution.js';
import type { WorkflowStatus } from '../../../src/engine/model/execution.js';
import type { Json, JsonObject } from '../../../src/engine/model/json.js';
import { branchKeyFor, loopsAround, placeOf, stepsOfLoop } from './definition.js';
import { resolveObject, textOf } from './expressions.js';
import { itemsOf, nameOf, progress } from './row.js';
import type { Row } from './row.js';
import { deadlineOf, rulesOf } from './rules.js';

/** What can be asked of a workflow's rows and its definition. Every answer looks through all of them. */
export class Questions {
  status: WorkflowStatus = 'RUNNING';
  output: JsonObject = {};
  variables: JsonObject = {};
  readonly rows: Row[] = [];
  /** `start child of x#0`, `stop child of x#0`: of the last happening. */
  effects: string[] = [];
  protected now: Instant;
  protected clockSince: Instant;

  constructor(
    protected readonly def: WorkflowDef,
    protected readonly taskDefs: ReadonlyMap<string, TaskDef>,
    protected readonly input: JsonObject,
    now: Instant,
  ) {
    this.now = now;
    this.clockSince = now;
    this.variables = def.variables;
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

  protected get isEnded(): boolean {
    return isTerminalWorkflow(this.status);
  }

  protected nextAlarm() {
    return this.rows
      .filter(({ status }) => !isTerminalTask(status))
      .flatMap((row) => {
        const deadline = deadlineOf(row, rulesOf(row.step, this.taskDefs));
        return deadline === undefined ? [] : [{ ...deadline, row }];
      })
      .sort((a, b) => a.at - b.at)[0];
  }

  protected needsAttention(row: Row): boolean {
    if (this.isLeftBehind(row)) return false;
    if (isTerminalTask(row.status)) return !row.handled && !row.replaced;
    if (row.step.type === 'JOIN') return row.step.joinOn.every((ref) => this.isPast(ref, row.path));
    return row.step.type === 'DO_WHILE' && !this.isUnderWay(row) && !this.isAsking(row);
  }

  /** A step that has run, with all its consequences, or never will: its SWITCH took another way. */
  protected isPast(ref: string, path: readonly number[]): boolean {
    if (this.newest(ref, path)?.handled === true) return true;
    return placeOf(this.def, ref).around.some(({ kind, container, key }) => {
      if (kind !== 'switch') return false;
      const row = this.newest(container.taskReferenceName, path);
      return row?.handled === true && branchKeyFor(container, textOf(row.output['selectedCase'])) !== key;
    });
  }

  protected isInside(row: Row, loop: Row): boolean {
    const isAround = loopsAround(this.def, row.step.taskReferenceName).includes(loop.step);
    return isAround && loop.path.every((iteration, i) => row.path[i] === iteration);
  }

  protected isUnderWay(loop: Row): boolean {
    return this.rows.some(
      (row) =>
        !row.handled &&
        !row.replaced &&
        this.isInside(row, loop) &&
        (this.loopRowAround(row) === loop || !this.isLeftBehind(row)),
    );
  }

  /** In a loop that has ended: nothing follows from it any more. */
  protected isLeftBehind(row: Row): boolean {
    const loop = this.loopRowAround(row);
    return loop !== undefined && isTerminalTask(loop.status);
  }

  protected hasBegun(loop: Row): boolean {
    const first = loop.step.loopOver![0]!.taskReferenceName;
    return this.newest(first, [...loop.path, loop.iteration]) !== undefined;
  }

  protected isAsking(row: Row): boolean {
    if (row.step.type !== 'DO_WHILE' || isTerminalTask(row.status)) return false;
    if (row.step.loopCondition === undefined || this.isUnderWay(row) || !this.hasBegun(row)) return false;
    return row.iteration < (itemsOf(row)?.length ?? Infinity);
  }

  protected loopOutput(loop: Row): JsonObject {
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

  protected positions(is: (row: Row) => boolean): number[] {
    return this.rows.flatMap((row, position) => (is(row) ? [position] : []));
  }

  /** The newest attempt of a step in the iterations of `path`, as far as it is in those loops. */
  protected newest(ref: string, path: readonly number[]): Row | undefined {
    const depth = loopsAround(this.def, ref).length;
    const name = nameOf(ref, path.slice(0, depth));
    return this.rows.findLast((row) => row.name === name);
  }

  protected loopRowAround(row: Row): Row | undefined {
    const loop = loopsAround(this.def, row.step.taskReferenceName).at(-1);
    return loop && this.newest(loop.taskReferenceName, row.path);
  }

  /** The newest attempt in the latest iteration; or of the one that is named. */
  protected latest(name: string): Row | undefined {
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

  protected readonly look = (root: string): Json | undefined => {
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

  protected resolved(value: JsonObject): JsonObject {
    return resolveObject(value, this.look);
  }
}
