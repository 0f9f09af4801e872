import type { Task, WorkflowDef } from '../api.js';
import { arrange, type Arrangement, type PlacedEdge, type PlacedStep } from './arrange.js';

/** What a node shows; `state` is the newest attempt's status, or `NOT_REACHED`. */
export interface GraphNode extends PlacedStep {
  readonly state: string;
  /** All attempts in all iterations, oldest first; empty when not reached. */
  readonly attempts: readonly Task[];
}

export interface GraphEdge extends PlacedEdge {
  /** The run went this way. */
  readonly taken: boolean;
}

export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** A definition's picture, coloured with a run's tasks. Pure: the same arguments give the same picture. */
export const layout = (def: WorkflowDef, tasks: readonly Task[], workflowEnded: boolean): Graph =>
  paint(arrange(def), tasks, workflowEnded);

/**
 * Colours the places with a run's tasks. What looks as in `former` stays the same object, so that only what changed is
 * drawn again.
 */
export function paint(
  { steps, edges }: Arrangement,
  tasks: readonly Task[],
  workflowEnded: boolean,
  former?: Graph,
): Graph {
  const attempts = attemptsByStep(steps, tasks);
  const named = casesOf(edges);
  const switches = new Map(edges.map(({ from, to }) => [to, from]));
  const nodes = steps.map((step, index) => {
    const own = attempts.get(step.kind === 'again' ? step.title : step.id) ?? [];
    const before = step.kind === 'lane' ? switches.get(step.id) : undefined;
    const state =
      before === undefined
        ? stateOf(step, own, workflowEnded)
        : goesTo(step.title, attempts.get(before) ?? [], named.get(before))
          ? 'COMPLETED'
          : 'NOT_REACHED';
    const node = { ...step, state, attempts: own };
    const old = former?.nodes[index];
    return old !== undefined && looksSame(old, node) ? old : node;
  });
  const byId = new Map(nodes.map((node) => [node.id, node]));
  return {
    nodes,
    edges: edges.map((edge, index) => {
      const taken = isTaken(byId.get(edge.from), byId.get(edge.to), edge, named);
      const old = former?.edges[index];
      return old?.id === edge.id && old.taken === taken ? old : { ...edge, taken };
    }),
  };
}

/** The step that a row belongs to: inside of loops rows are called `step__2`, `step__2__1`. */
export function stepOf(reference: string, known: ReadonlySet<string>): string | undefined {
  for (let name = reference; ;) {
    if (known.has(name)) return name;
    const shorter = name.replace(/__\d+$/, '');
    if (shorter === name) return undefined;
    name = shorter;
  }
}

function attemptsByStep(steps: readonly PlacedStep[], tasks: readonly Task[]): Map<string, Task[]> {
  const known = new Set(steps.map(({ id }) => id));
  const byStep = new Map<string, Task[]>();
  for (const task of [...tasks].sort((a, b) => a.seq - b.seq)) {
    const id = stepOf(task.referenceTaskName, known);
    if (id === undefined) continue;
    const own = byStep.get(id);
    if (own === undefined) byStep.set(id, [task]);
    else own.push(task);
  }
  return byStep;
}

function stateOf({ kind }: PlacedStep, attempts: readonly Task[], workflowEnded: boolean): string {
  if (kind === 'start') return 'COMPLETED';
  if (kind === 'end') return workflowEnded ? 'COMPLETED' : 'NOT_REACHED';
  const state = attempts.at(-1)?.status ?? 'NOT_REACHED';
  // The closing of a loop is reached when the loop is over, or went round.
  if (kind === 'again' && state === 'IN_PROGRESS' && (attempts.at(-1)?.iteration ?? 0) < 2)
    return 'NOT_REACHED';
  return state;
}

const looksSame = (a: GraphNode, b: GraphNode): boolean =>
  a.id === b.id &&
  a.x === b.x &&
  a.y === b.y &&
  a.state === b.state &&
  a.attempts.length === b.attempts.length &&
  a.attempts.every((task, index) => task === b.attempts[index]);

function casesOf(edges: readonly PlacedEdge[]): ReadonlyMap<string, ReadonlySet<string>> {
  const cases = new Map<string, Set<string>>();
  for (const { from, label } of edges) {
    if (label !== undefined && label !== 'otherwise')
      cases.set(from, (cases.get(from) ?? new Set()).add(label));
  }
  return cases;
}

/** Both ends were reached, and a SWITCH at the near end chose this very case. */
function isTaken(
  from: GraphNode | undefined,
  to: GraphNode | undefined,
  { label }: PlacedEdge,
  cases: ReadonlyMap<string, ReadonlySet<string>>,
): boolean {
  if (from === undefined || to === undefined) return false;
  if (from.state === 'NOT_REACHED' || to.state === 'NOT_REACHED') return false;
  return from.kind !== 'switch' || goesTo(label, from.attempts, cases.get(from.id));
}

/** Whether a SWITCH chose this case; `otherwise` when it chose none that is named. */
function goesTo(
  label: string | undefined,
  attempts: readonly Task[],
  named: ReadonlySet<string> | undefined,
): boolean {
  const last = attempts.at(-1);
  if (last === undefined) return false;
  const output = last.outputData as { selectedCase?: string } | undefined;
  const chosen = last.selectedCase ?? output?.selectedCase;
  if (label !== 'otherwise') return label === chosen;
  return chosen === undefined || named?.has(chosen) !== true;
}
