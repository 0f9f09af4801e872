import type { Instant } from '../../../clock.js';
import type { FieldProblem } from '../../../errors.js';
import type { TaskDef, WorkflowTask } from '../../model/definition.js';
import type { Task, TaskStatus, Workflow } from '../../model/execution.js';
import type { Json, JsonObject } from '../../model/json.js';
import type { PayloadLimits } from '../../model/payload-limits.js';

/** Steps inside a step, and where control goes after the last of them. */
export interface Branch {
  /** Tells a step's branches apart; a SWITCH row says by it which one was taken. */
  readonly key: string;
  /** Where the branch is in the definition's JSON, after the step's own path. */
  readonly path: string;
  readonly tasks: readonly WorkflowTask[];
}

/** What a mapper may look at to make a row. */
export interface MapperContext {
  readonly task: WorkflowTask;
  readonly taskDef: TaskDef;
  readonly taskId: string;
  /** The step's inputParameters with every expression resolved. */
  readonly input: JsonObject;
  readonly workflow: Workflow;
  readonly now: Instant;
  readonly limits: PayloadLimits;
  /** Any other part of the step with its expressions resolved. */
  readonly resolve: (value: Json) => Json;
  /** What the row of another step is called that runs in the same iteration of the same loops. */
  readonly rowName: (ref: string) => string;
}

/** The part of a new row that depends on its type. */
export interface MappedTask {
  readonly status: TaskStatus;
  readonly inputData: JsonObject;
  readonly outputData?: JsonObject | undefined;
  readonly reasonForIncompletion?: string | undefined;
  readonly queued?: boolean | undefined;
  /** Seconds until it may be handed out, as Conductor shows it; `dueAt` decides. */
  readonly callbackAfterSeconds?: number | undefined;
  readonly dueAt?: Instant | undefined;
  /** DO_WHILE: the iteration that it begins with. */
  readonly iteration?: number | undefined;
  /** The workflow's variables from now on. */
  readonly variables?: JsonObject | undefined;
}

/**
 * One task type: which rows it makes and what they mean. A new type is one file with one of these and one line in
 * `index.ts`.
 */
export interface TaskMapper {
  readonly type: string;
  /** What workers poll and rows show; the step's name when absent (SIMPLE). */
  readonly rowType?: string | undefined;
  /** Conductor names some rows' definition after the type instead of after the step. */
  readonly definitionName?: string | undefined;
  /** Somebody outside completes it, and its definition's retries and time-outs apply. */
  readonly isWork: boolean;
  /**
   * `leased`: a worker polls it and must report in time. `once`: handed to one taker, who parks it until somebody
   * answers; no response time-out.
   */
  readonly handOut: 'leased' | 'once' | 'never';
  /** Completes by itself when `dueAt` comes. */
  readonly endsWhenDue?: ((task: Task) => boolean) | undefined;
  /** SCHEDULED until `dueAt`, and then starts by itself. */
  readonly startsWhenDue?: true;
  /** Goes through its branch again and again. */
  readonly repeats?: true;

  map(context: MapperContext): MappedTask;
  branches?(task: WorkflowTask): readonly Branch[];
  /** Which branch a completed row took; only of types whose branches exclude each other. */
  chosenBranch?(task: Task): string | undefined;
  /** What is wrong with a step of this type; `path` is the step's. */
  check?(task: WorkflowTask, path: string): readonly FieldProblem[];
}
