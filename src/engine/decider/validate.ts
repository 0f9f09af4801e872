import type { FieldProblem } from '../../errors.js';
import type { WorkflowDef, WorkflowTask } from '../model/definition.js';
import { MAX_NESTING_DEPTH, MAX_STEPS } from './limits.js';
import { SUPPORTED_TYPES, mapperOf } from './mappers/index.js';
import { RESERVED_ROOTS, checkReferences } from './references.js';

/** A step and where it stands in the definition. */
interface Placed {
  readonly task: WorkflowTask;
  readonly path: string;
  readonly following: WorkflowTask | undefined;
}

// Whoever has more than this many mistakes has made one of them many times.
const MAX_PROBLEMS = 200;

/**
 * Everything that is wrong with a definition whose shape is right, each with its JSON path; empty when it can run.
 * What passes here never fails later for a reason that the definition alone decides.
 */
export function validateDefinition(def: WorkflowDef): FieldProblem[] {
  const steps: Placed[] = [];
  const tooMuch = place(def.tasks, 'tasks', 1, steps);
  if (tooMuch !== undefined) return [tooMuch];

  const refs = new Set(steps.map(({ task }) => task.taskReferenceName));
  const problems = [
    ...checkNames(steps),
    ...steps.flatMap((step) => checkStep(step, refs)),
    ...checkJoins(steps),
    ...checkReferences(def.outputParameters, 'outputParameters', refs),
    ...checkReferences(def.failureWorkflow ?? null, 'failureWorkflow', refs),
  ];
  return problems.slice(0, MAX_PROBLEMS);
}

/** Lists all steps in the order of the document. @returns a problem when there are too many or they nest too deeply. */
function place(
  tasks: readonly WorkflowTask[],
  path: string,
  depth: number,
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
    steps.push({ task, path: ownPath, following: tasks[i + 1] });
    for (const branch of mapperOf(task.type)?.branches?.(task) ?? []) {
      const problem = place(branch.tasks, `${ownPath}${branch.path}`, depth + 1, steps);
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

function checkStep({ task, path, following }: Placed, refs: ReadonlySet<string>): FieldProblem[] {
  const mapper = mapperOf(task.type);
  if (mapper === undefined) {
    const message = `"${task.type}" is not supported yet; there are ${SUPPORTED_TYPES.join(', ')}`;
    return [{ path: `${path}.type`, message }];
  }
  const problems = [
    ...(mapper.check?.(task, path) ?? []),
    ...checkReferences(task.inputParameters, `${path}.inputParameters`, refs),
    ...checkReferences(
      task.taskDefinition?.inputTemplate ?? null,
      `${path}.taskDefinition.inputTemplate`,
      refs,
    ),
  ];
  if (task.type === 'FORK_JOIN' && following?.type !== 'JOIN') {
    problems.push({ path, message: 'a FORK_JOIN must be followed directly by its JOIN' });
  }
  return problems;
}

function checkJoins(steps: readonly Placed[]): FieldProblem[] {
  const before = new Set<string>();
  const all = new Set(steps.map(({ task }) => task.taskReferenceName));
  return steps.flatMap(({ task, path }) => {
    before.add(task.taskReferenceName);
    if (task.type !== 'JOIN') return [];
    return task.joinOn.flatMap((ref, i) => {
      const at = `${path}.joinOn[${i}]`;
      if (!all.has(ref)) return [{ path: at, message: `no task has the reference name "${ref}"` }];
      if (ref === task.taskReferenceName || !before.has(ref)) {
        return [{ path: at, message: `"${ref}" comes after this JOIN, which would wait for ever` }];
      }
      return [];
    });
  });
}
