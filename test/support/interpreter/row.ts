import type { Instant } from '../../../src/clock.js';
import type { WorkflowTask } from '../../../src/engine/model/definition.js';
import type { TaskStatus } from '../../../src/engine/model/execution.js';
import type { Json, JsonObject } from '../../../src/engine/model/json.js';

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
  endedAt: Instant;
  /** When its child was set going again, as far as it was told. */
  againAt: Instant;
}

/** A row's name: the step's, with the iterations. */
export const nameOf = (ref: string, path: readonly number[]): string =>
  ref + path.map((iteration) => `__${iteration}`).join('');

/** Stands for the id of the child that an attempt starts. */
export const childOf = ({ name, attempt }: Row): string => `child of ${name}#${attempt}`;

/** What a loop goes through; `undefined` when it goes by its condition alone. */
export function itemsOf({ input, step }: Row): readonly Json[] | undefined {
  const items = input['_items'];
  return step.items !== undefined && Array.isArray(items) ? (items as readonly Json[]) : undefined;
}

/** Where a loop is. */
export function progress(loop: Row): JsonObject {
  const { iteration } = loop;
  const items = itemsOf(loop);
  return items === undefined || iteration === 0
    ? { iteration }
    : { iteration, loopIndex: iteration - 1, loopItem: items[iteration - 1] ?? null };
}
