import { decide } from '../../../src/engine/decider/decide.js';
import { newWorkflow } from '../../../src/engine/decider/new-workflow.js';
import type {
  Command,
  DeciderOutcome,
  ScriptNeed,
  ScriptResult,
  WorkflowState,
} from '../../../src/engine/model/command.js';
import { TaskDef, WorkflowDef } from '../../../src/engine/model/definition.js';
import { isTerminalTask } from '../../../src/engine/model/execution.js';
import type { Task } from '../../../src/engine/model/execution.js';
import type { Json, JsonObject } from '../../../src/engine/model/json.js';

export const WORKFLOW_ID = '3f2b1c00-0000-4000-8000-000000000001';
export const START = 1_800_000_000_000;
export const SECOND = 1000;

type Step = { [key: string]: unknown };

export const simple = (ref: string, more: Step = {}): Step => ({
  name: `work_${ref}`,
  taskReferenceName: ref,
  type: 'SIMPLE',
  ...more,
});

export const switchOn = (
  ref: string,
  value: unknown,
  decisionCases: { [value: string]: Step[] },
  more: Step = {},
): Step => ({
  name: ref,
  taskReferenceName: ref,
  type: 'SWITCH',
  evaluatorType: 'value-param',
  expression: 'by',
  inputParameters: { by: value },
  decisionCases,
  ...more,
});

export const fork = (ref: string, forkTasks: Step[][], joinOn?: string[], joinMore: Step = {}): Step[] => [
  { name: ref, taskReferenceName: ref, type: 'FORK_JOIN', forkTasks },
  {
    name: `${ref}_join`,
    taskReferenceName: `${ref}_join`,
    type: 'JOIN',
    joinOn: joinOn ?? forkTasks.map((branch) => String(branch.at(-1)?.['taskReferenceName'])),
    ...joinMore,
  },
];

export const loop = (
  ref: string,
  loopOver: Step[],
  loopCondition: string | undefined,
  more: Step = {},
): Step => ({
  name: ref,
  taskReferenceName: ref,
  type: 'DO_WHILE',
  loopOver,
  loopCondition,
  ...more,
});

/** One iteration per item. */
export const loopOver = (ref: string, items: unknown, steps: Step[], more: Step = {}): Step =>
  loop(ref, steps, undefined, { items, ...more });

export const sub = (ref: string, more: Step = {}): Step => ({
  name: ref,
  taskReferenceName: ref,
  type: 'SUB_WORKFLOW',
  subWorkflowParam: { name: `child_${ref}` },
  ...more,
});

export const step = (type: string, ref: string, inputParameters: JsonObject = {}, more: Step = {}): Step => ({
  name: ref,
  taskReferenceName: ref,
  type,
  inputParameters,
  ...more,
});

export const definition = (tasks: Step[], more: Step = {}): WorkflowDef =>
  WorkflowDef.parse({ name: 'example', tasks, ...more });

export const taskDefs = (...defs: Step[]): ReadonlyMap<string, TaskDef> =>
  new Map(defs.map((def) => TaskDef.parse(def)).map((def) => [def.name, def]));

const ACTOR = { kind: 'system', id: 'test' } as const;
let commands = 0;
const head = () => ({ commandId: `command-${(commands += 1)}`, actor: ACTOR });

export const command = (kind: 'start' | 'wake' | 'pause' | 'resume' | 'retry'): Command =>
  ({ ...head(), kind }) satisfies Command;

export const terminate = (reason: string): Command => ({ ...head(), kind: 'terminate', reason });

export const update = (
  taskId: string,
  more: Partial<Extract<Command, { kind: 'updateTask' }>> = {},
): Command => ({ ...head(), kind: 'updateTask', taskId, status: 'COMPLETED', outputData: {}, ...more });

export const evaluated = (need: ScriptNeed, result: ScriptResult): Command => ({
  ...head(),
  kind: 'evaluated',
  taskId: need.taskId,
  evaluation: need.evaluation,
  result,
});

export const childEnded = (
  task: Task,
  more: Partial<Extract<Command, { kind: 'childEnded' }>> = {},
): Command => ({
  ...head(),
  kind: 'childEnded',
  taskId: task.taskId,
  childWorkflowId: task.subWorkflowId ?? '',
  status: 'COMPLETED',
  output: {},
  // Later than whatever was said before.
  endTime: Number.MAX_SAFE_INTEGER,
  ...more,
});

export const childRetried = (
  task: Task,
  more: Partial<Extract<Command, { kind: 'childRetried' }>> = {},
): Command => ({
  ...head(),
  kind: 'childRetried',
  taskId: task.taskId,
  childWorkflowId: task.subWorkflowId ?? '',
  retriedAt: 0,
  ...more,
});

/** The state without whatever the decider remembers about it. */
export const bare = (state: WorkflowState): WorkflowState => ({
  workflow: structuredClone(state.workflow),
  tasks: structuredClone([...state.tasks]),
  taskDefs: state.taskDefs,
});

/** The same in a list of its own, which no index belongs to. */
export const forgetful = (state: WorkflowState): WorkflowState => ({ ...state, tasks: [...state.tasks] });

/** One workflow and its clock, driven like the runtime does. */
export class Run {
  state: WorkflowState;
  now = START;
  last!: DeciderOutcome;

  constructor(
    def: WorkflowDef,
    options: {
      input?: JsonObject;
      taskDefs?: ReadonlyMap<string, TaskDef>;
      correlationId?: string;
      parentWorkflowId?: string;
      parentWorkflowTaskId?: string;
      depth?: number;
    } = {},
  ) {
    this.state = newWorkflow({
      workflowId: WORKFLOW_ID,
      definition: def,
      now: START,
      ...options,
      taskDefs: options.taskDefs ?? new Map(),
    });
    this.decide(command('start'));
  }

  decide(...given: Command[]): DeciderOutcome {
    this.last = decide(this.state, given, this.now);
    this.state = this.last.state;
    return this.last;
  }

  /** The newest attempt. */
  task(ref: string): Task {
    const task = this.state.tasks.findLast(({ referenceTaskName }) => referenceTaskName === ref);
    if (task === undefined) throw new Error(`no row for ${ref}; there are ${this.refs().join(', ')}`);
    return task;
  }

  refs(): string[] {
    return this.state.tasks.map(({ referenceTaskName }) => referenceTaskName);
  }

  open(): string[] {
    return this.state.tasks
      .filter(({ status }) => !isTerminalTask(status))
      .map(({ referenceTaskName }) => referenceTaskName);
  }

  get workflow() {
    return this.state.workflow;
  }

  complete(ref: string, outputData: JsonObject = {}): DeciderOutcome {
    return this.decide(update(this.task(ref).taskId, { outputData }));
  }

  fail(
    ref: string,
    reasonForIncompletion = 'broken',
    status: 'FAILED' | 'FAILED_WITH_TERMINAL_ERROR' = 'FAILED',
  ) {
    return this.decide(update(this.task(ref).taskId, { status, reasonForIncompletion }));
  }

  /** The only script that is waited for. */
  need(): ScriptNeed {
    const { needs } = this.decide(command('wake'));
    const [need] = needs;
    if (need === undefined || needs.length > 1) throw new Error(`${needs.length} scripts are waited for`);
    return need;
  }

  answer(value: Json): DeciderOutcome {
    return this.decide(evaluated(this.need(), { ok: true, value }));
  }

  endChild(ref: string, more: Partial<Extract<Command, { kind: 'childEnded' }>> = {}): DeciderOutcome {
    return this.decide(childEnded(this.task(ref), { endTime: this.now, ...more }));
  }

  /** The child's retry follows its end, and says so even if no time has passed. */
  retryChild(ref: string, more: Partial<Extract<Command, { kind: 'childRetried' }>> = {}): DeciderOutcome {
    return this.decide(childRetried(this.task(ref), { retriedAt: this.now + 1, ...more }));
  }

  /** As the store does on a poll. */
  claim(ref: string): void {
    const { taskId } = this.task(ref);
    this.state = {
      ...this.state,
      tasks: this.state.tasks.map((task) =>
        task.taskId === taskId
          ? {
              ...task,
              status: 'IN_PROGRESS',
              queued: false,
              workerId: 'worker-1',
              pollCount: task.pollCount + 1,
              callbackAfterSeconds: 0,
              startTime: task.startTime ?? this.now,
              updateTime: this.now,
            }
          : task,
      ),
    };
    // The store arms its timer by the settings it keeps beside the task; here a look at the clock does.
    this.decide();
  }

  after(seconds: number): DeciderOutcome {
    this.now += seconds * SECOND;
    return this.decide(command('wake'));
  }
}
