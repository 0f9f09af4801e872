import type { WorkflowDef, WorkflowTask } from '../model/definition.js';
import { compileObject } from './expressions.js';
import type { ObjectTemplate } from './expressions.js';
import { mapperOf } from './mappers/index.js';
import type { TaskMapper } from './mappers/mapper.js';

/** The SWITCH branch that a step is in, innermost first. */
export interface Enclosing {
  readonly switchRef: string;
  readonly branch: string;
  readonly outer: Enclosing | undefined;
}

/** The DO_WHILE that a step is in. */
export interface Loop {
  readonly ref: string;
  /** How many loops its steps are in, itself included. */
  readonly depth: number;
  readonly outer: Loop | undefined;
}

/** One step with everything that its definition alone decides. */
export interface Step {
  readonly task: WorkflowTask;
  /** `undefined`: a type that this version does not know. */
  readonly mapper: TaskMapper | undefined;
  /** Where control goes when nothing inside the step is left to do: the sibling, the step after the SWITCH, the JOIN. */
  readonly next: Step | undefined;
  /** First steps of its branches by the branch's key; empty branches are absent. */
  readonly branches: ReadonlyMap<string, Step>;
  readonly enclosing: Enclosing | undefined;
  /** Inside a fork steps run side by side, so their order says nothing. */
  readonly isInFork: boolean;
  /** The innermost loop around it. */
  readonly loop: Loop | undefined;
  /** DO_WHILE: the first step of an iteration. */
  readonly body: Step | undefined;
  readonly input: ObjectTemplate;
}

/** A JOIN that has to look again when a step is settled. */
export interface JoinWatch {
  readonly joinRef: string;
  readonly awaitedRef: string;
  /** Set on a SWITCH's watch: the branch that `awaitedRef` is in; when another is taken, it will never run. */
  readonly branch?: string | undefined;
}

/** A definition, understood. */
export interface Plan {
  readonly first: Step | undefined;
  readonly steps: ReadonlyMap<string, Step>;
  readonly watches: ReadonlyMap<string, readonly JoinWatch[]>;
  /** The steps directly in each loop, not those of loops inside it. */
  readonly members: ReadonlyMap<string, readonly string[]>;
  readonly output: ObjectTemplate | undefined;
}

const plans = new WeakMap<WorkflowDef, Plan>();

/** The plan of a definition; made once per object. */
export function planOf(def: WorkflowDef): Plan {
  let plan = plans.get(def);
  if (plan === undefined) {
    plan = compilePlan(def);
    plans.set(def, plan);
  }
  return plan;
}

interface Surroundings {
  readonly after: Step | undefined;
  readonly enclosing: Enclosing | undefined;
  readonly isInFork: boolean;
  readonly loop: Loop | undefined;
}

function compilePlan(def: WorkflowDef): Plan {
  const steps = new Map<string, Step>();
  const around = { after: undefined, enclosing: undefined, isInFork: false, loop: undefined };
  const first = compileSteps(def.tasks, around, steps);
  const hasOutput = Object.keys(def.outputParameters).length > 0;
  return {
    first,
    steps,
    watches: watchesOf(steps),
    members: membersOf(steps),
    output: hasOutput ? compileObject(def.outputParameters) : undefined,
  };
}

/** From the last to the first, since a step points at the one after it. @returns the first. */
function compileSteps(
  tasks: readonly WorkflowTask[],
  around: Surroundings,
  steps: Map<string, Step>,
): Step | undefined {
  let following = around.after;
  for (const task of tasks.toReversed())
    following = compileStep(task, { ...around, after: following }, steps);
  return tasks.length === 0 ? undefined : following;
}

function compileStep(task: WorkflowTask, around: Surroundings, steps: Map<string, Step>): Step {
  const mapper = mapperOf(task.type);
  const branches = new Map<string, Step>();
  const body = mapper?.repeats === true ? compileBody(task, around, steps) : undefined;
  const excludesOthers = mapper?.chosenBranch !== undefined;
  for (const branch of mapper?.repeats === true ? [] : (mapper?.branches?.(task) ?? [])) {
    const enclosing = excludesOthers
      ? { switchRef: task.taskReferenceName, branch: branch.key, outer: around.enclosing }
      : around.enclosing;
    const isInFork = around.isInFork || !excludesOthers;
    const first = compileSteps(branch.tasks, { ...around, enclosing, isInFork }, steps);
    if (first !== undefined) branches.set(branch.key, first);
  }
  const step: Step = {
    task,
    mapper,
    next: around.after,
    branches,
    enclosing: around.enclosing,
    isInFork: around.isInFork,
    loop: around.loop,
    body,
    input: compileObject(task.inputParameters),
  };
  steps.set(task.taskReferenceName, step);
  return step;
}

/** After the last step of an iteration the loop itself looks what follows. */
function compileBody(task: WorkflowTask, around: Surroundings, steps: Map<string, Step>): Step | undefined {
  const { loop: outer } = around;
  const loop = { ref: task.taskReferenceName, depth: (outer?.depth ?? 0) + 1, outer };
  return compileSteps(task.loopOver ?? [], { ...around, after: undefined, loop }, steps);
}

function membersOf(steps: ReadonlyMap<string, Step>): Map<string, string[]> {
  const members = new Map<string, string[]>();
  for (const [ref, { loop }] of [...steps].toReversed()) {
    if (loop === undefined) continue;
    const list = members.get(loop.ref);
    if (list === undefined) members.set(loop.ref, [ref]);
    else list.push(ref);
  }
  return members;
}

function watchesOf(steps: ReadonlyMap<string, Step>): Map<string, JoinWatch[]> {
  const watches = new Map<string, JoinWatch[]>();
  const add = (ref: string, watch: JoinWatch): void => {
    const list = watches.get(ref);
    if (list === undefined) watches.set(ref, [watch]);
    else list.push(watch);
  };
  for (const [joinRef, step] of steps) {
    if (step.task.type !== 'JOIN') continue;
    for (const awaitedRef of step.task.joinOn) {
      add(awaitedRef, { joinRef, awaitedRef });
      for (let e = steps.get(awaitedRef)?.enclosing; e !== undefined; e = e.outer) {
        add(e.switchRef, { joinRef, awaitedRef, branch: e.branch });
      }
    }
  }
  return watches;
}
