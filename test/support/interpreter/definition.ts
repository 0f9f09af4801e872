import type { WorkflowDef, WorkflowTask } from '../../../src/engine/model/definition.js';

/** A list of steps inside a step. `key` tells a SWITCH's branches apart. */
interface Inner {
  readonly kind: 'switch' | 'fork' | 'loop';
  readonly container: WorkflowTask;
  readonly key: string;
  readonly steps: readonly WorkflowTask[];
}

/** Where a step stands: in which list, and inside of what, outermost first. */
export interface Place {
  readonly step: WorkflowTask;
  readonly following: WorkflowTask | undefined;
  readonly around: readonly Inner[];
}

function innerLists(step: WorkflowTask): readonly Inner[] {
  switch (step.type) {
    case 'SWITCH':
      return [
        ...Object.entries(step.decisionCases).map(
          ([key, steps]) => ({ kind: 'switch', container: step, key: `case ${key}`, steps }) as const,
        ),
        { kind: 'switch', container: step, key: 'default', steps: step.defaultCase },
      ];
    case 'FORK_JOIN':
      return step.forkTasks.map((steps, i) => ({ kind: 'fork', container: step, key: String(i), steps }));
    case 'DO_WHILE':
      return [{ kind: 'loop', container: step, key: 'loop', steps: step.loopOver ?? [] }];
    default:
      return [];
  }
}

const found = new WeakMap<WorkflowDef, Map<string, Place>>();

/** Looks through the whole definition for a step; remembers what it found, since the tests ask for it all the time. */
export function placeOf(def: WorkflowDef, ref: string): Place {
  let places = found.get(def);
  if (places === undefined) found.set(def, (places = new Map()));
  const place = places.get(ref) ?? search(def, ref);
  places.set(ref, place);
  return place;
}

function search(def: WorkflowDef, ref: string): Place {
  const within = (steps: readonly WorkflowTask[], around: readonly Inner[]): Place | undefined => {
    for (const [i, step] of steps.entries()) {
      if (step.taskReferenceName === ref) return { step, following: steps[i + 1], around };
      for (const inner of innerLists(step)) {
        const place = within(inner.steps, [...around, inner]);
        if (place !== undefined) return place;
      }
    }
    return undefined;
  };
  const place = within(def.tasks, []);
  if (place === undefined) throw new Error(`no step ${ref}`);
  return place;
}

/** The loops around a step, outermost first. */
export const loopsAround = (def: WorkflowDef, ref: string): readonly WorkflowTask[] =>
  placeOf(def, ref)
    .around.filter(({ kind }) => kind === 'loop')
    .map(({ container }) => container);

/** Steps directly in a loop: those of its branches too, but not those of a loop inside it. */
export function stepsOfLoop(loop: WorkflowTask): readonly WorkflowTask[] {
  const collect = (steps: readonly WorkflowTask[]): readonly WorkflowTask[] =>
    steps.flatMap((step) => [
      step,
      ...innerLists(step)
        .filter(({ kind }) => kind !== 'loop')
        .flatMap((inner) => collect(inner.steps)),
    ]);
  return collect(loop.loopOver ?? []);
}

/** The next-task rule: the sibling, else what follows the SWITCH or FORK around; a loop sees to itself. */
export function nextOf(def: WorkflowDef, ref: string): WorkflowTask | undefined {
  const { following, around } = placeOf(def, ref);
  if (following !== undefined) return following;
  const inner = around.at(-1);
  return inner === undefined || inner.kind === 'loop'
    ? undefined
    : nextOf(def, inner.container.taskReferenceName);
}

/** The list that a SWITCH goes on with, by the text of its value. */
export const branchFor = (step: WorkflowTask, value: string): readonly WorkflowTask[] =>
  Object.hasOwn(step.decisionCases, value) ? (step.decisionCases[value] ?? []) : step.defaultCase;

export const branchKeyFor = (step: WorkflowTask, value: string): string =>
  Object.hasOwn(step.decisionCases, value) ? `case ${value}` : 'default';
