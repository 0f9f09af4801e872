import type { FieldProblem } from '../../errors.js';
import { MAX_SECONDS, type WorkflowDef, type WorkflowTask } from '../model/definition.js';
import type { Json } from '../model/json.js';
import { MAX_NESTING_DEPTH, MAX_STEPS } from './limits.js';
import { SUPPORTED_TYPES, mapperOf } from './mappers/index.js';
import { RESERVED_ROOTS, checkReferences } from './references.js';
import type { References } from './references.js';

/** A step and where it stands in the definition. */
interface Placed {
  readonly task: WorkflowTask;
  readonly path: string;
  readonly following: WorkflowTask | undefined;
  /** The reference names of the loops around it, outermost first. */
  readonly loops: readonly string[];
}

// Whoever has more than this many mistakes has made one of them many times.
const MAX_PROBLEMS = 200;

/**
 * Everything that is wrong with a definition whose shape is right, each with its JSON path; empty when it can run.
 * What passes here never fails later for a reason that the definition alone decides.
 */
export function validateDefinition(def: WorkflowDef): FieldProblem[] {
  const steps: Placed[] = [];
  const tooMuch = place(def.tasks, { path: 'tasks', depth: 1, loops: [] }, steps);
  if (tooMuch !== undefined) return [tooMuch];

  const refs = new Map(steps.map(({ task, loops }) => [task.taskReferenceName, loops.length] as const));
  const problems = [
    ...checkNames(steps),
    ...steps.flatMap((step) => checkStep(step, refs)),
    ...checkJoins(steps),
    ...checkReferences(def.outputParameters, 'outputParameters', refs),
    ...checkReferences(def.failureWorkflow ?? null, 'failureWorkflow', refs),
    ...checkSla(def.metadata['slaSeconds']),
  ];
  return problems.slice(0, MAX_PROBLEMS);
}

/** Within which an execution is to complete; the process's figures compare it with how they went. */
const checkSla = (seconds: Json | undefined): FieldProblem[] =>
  seconds === undefined || (typeof seconds === 'number' && seconds > 0 && seconds <= MAX_SECONDS)
    ? []
    : [
        {
          path: 'metadata.slaSeconds',
          message: `must be a number of seconds above 0, ${MAX_SECONDS} at most`,
        },
      ];

/** Lists all steps in the order of the document. @returns a problem when there are too many or they nest too deeply. */
function place(
  tasks: readonly WorkflowTask[],
  {
    path,
    depth,
    loops,
  }: { readonly path: string; readonly depth: number; readonly loops: readonly string[] },
  steps: Placed[],
): FieldProblem | undefined {
  if (depth > MAX_NESTING_DEPTH) {
    return { path, message: `tasks may be nested at most ${MAX_NESTING_DEPTH} levels deep` };
  }
  for (const [i, task] of tasks.entries()) {
    const ownPath = `${path}[${i}]`;
    if (steps.length >= MAX_STEPS) {
      return { path: ownPath, message: `a definition may have at most ${MAX_STEPS} tasks` };
    }
    steps.push({ task, path: ownPath, following: tasks[i + 1], loops });
    const mapper = mapperOf(task.type);
    const inner = mapper?.repeats === true ? [...loops, task.taskReferenceName] : loops;
    for (const branch of mapper?.branches?.(task) ?? []) {
      const within = { path: `${ownPath}${branch.path}`, depth: depth + 1, loops: inner };
      const problem = place(branch.tasks, within, steps);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

function checkNames(steps: readonly Placed[]): FieldProblem[] {
  const first = new Map<string, string>();
  return steps.flatMap(({ task, path }) => {
    const ref = task.taskReferenceName;
    const at = `${path}.taskReferenceName`;
    const other = first.get(ref);
    if (other !== undefined)
      return [{ path: at, message: `"${ref}" is also the name of ${other}; it must be unique` }];
    first.set(ref, path);
    if (RESERVED_ROOTS.has(ref)) return [{ path: at, message: `"${ref}" is reserved` }];
    if (ref.includes('__')) return [{ path: at, message: 'must not contain "__", which marks iterations' }];
    return [];
  });
}

function checkStep({ task, path, following }: Placed, refs: References): FieldProblem[] {
  const mapper = mapperOf(task.type);
  if (mapper === undefined) {
    const message = `"${task.type}" is not supported yet; there are ${SUPPORTED_TYPES.join(', ')}`;
    return [{ path: `${path}.type`, message }];
  }
  // A worker's row carries the task's name as its type, and would be taken for a row of that type.
  if (task.type === 'SIMPLE' && task.name !== 'SIMPLE' && mapperOf(task.name) !== undefined) {
    const message = `"${task.name}" is a task type of its own; give the worker's task another name, or set type`;
    return [{ path: `${path}.name`, message }];
  }
  const problems = [
    ...(mapper.check?.(task, path) ?? []),
    ...checkReferences(task.inputParameters, `${path}.inputParameters`, refs),
    ...checkReferences(
      task.taskDefinition?.inputTemplate ?? null,
      `${path}.taskDefinition.inputTemplate`,
      refs,
    ),
    ...checkReferences(task.items ?? null, `${path}.items`, refs),
    ...checkSubWorkflow(task, path, refs),
  ];
  if (task.type === 'FORK_JOIN' && following?.type !== 'JOIN') {
    problems.push({ path, message: 'a FORK_JOIN must be followed directly by its JOIN' });
  }
  return problems;
}

function checkSubWorkflow(
  { subWorkflowParam }: WorkflowTask,
  path: string,
  refs: References,
): FieldProblem[] {
  if (subWorkflowParam === undefined) return [];
  const { name, workflowDefinition } = subWorkflowParam;
  const own = `${path}.subWorkflowParam`;
  return [
    ...checkReferences(name, `${own}.name`, refs),
    ...(typeof workflowDefinition === 'object'
      ? validateDefinition(workflowDefinition).map((problem) => ({
          ...problem,
          path: `${own}.workflowDefinition.${problem.path}`,
        }))
      : checkReferences(workflowDefinition ?? null, `${own}.workflowDefinition`, refs)),
  ];
}

function checkJoins(steps: readonly Placed[]): FieldProblem[] {
  const before = new Set<string>();
  const all = new Map(steps.map(({ task, loops }) => [task.taskReferenceName, loops]));
  return steps.flatMap(({ task, path, loops }) => {
    before.add(task.taskReferenceName);
    if (task.type !== 'JOIN') return [];
    return task.joinOn.flatMap((ref, i) => {
      const at = `${path}.joinOn[${i}]`;
      if (!all.has(ref)) return [{ path: at, message: `no task has the reference name "${ref}"` }];
      if (ref === task.taskReferenceName || !before.has(ref)) {
        return [{ path: at, message: `"${ref}" comes after this JOIN, which would wait for ever` }];
      }
      const inner = all.get(ref)?.find((loop, depth) => loops[depth] !== loop);
      if (inner !== undefined)
        return [{ path: at, message: `"${ref}" is inside the loop "${inner}"; wait for the loop instead` }];
      return [];
    });
  });
}
