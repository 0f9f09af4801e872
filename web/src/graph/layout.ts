import dagre from '@dagrejs/dagre';
import type { Task, WorkflowDef, WorkflowTask } from '../api.js';

/** What a node shows; `state` is the task's status, or `NOT_REACHED`. */
export interface GraphNode {
  readonly id: string;
  readonly kind: 'start' | 'end' | 'task' | 'switch' | 'fork' | 'join' | 'human' | 'wait';
  readonly title: string;
  readonly subtitle: string;
  readonly state: string;
  /** All attempts, oldest first; empty when not reached. */
  readonly attempts: readonly Task[];
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface GraphEdge {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** A SWITCH's case. */
  readonly label: string | undefined;
  /** The run went this way. */
  readonly taken: boolean;
}

export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

const NODE_WIDTH = 210;
const NODE_HEIGHT = 62;
const END_SIZE = 44;

interface Draft {
  readonly nodes: Map<string, Omit<GraphNode, 'x' | 'y'>>;
  readonly edges: { from: string; to: string; label: string | undefined }[];
  readonly attempts: ReadonlyMap<string, readonly Task[]>;
}

/** Loose ends: from which node, under which label, the next step is drawn. */
type Tail = { readonly from: string; readonly label: string | undefined };

/**
 * Places a definition's steps from top to bottom and colours them with a run's tasks.
 *
 * Pure: the same definition and tasks give the same picture.
 */
export function layout(def: WorkflowDef, tasks: readonly Task[], workflowEnded: boolean): Graph {
  const draft: Draft = { nodes: new Map(), edges: [], attempts: attemptsByRef(tasks) };
  draft.nodes.set('__start', terminal('__start', 'start', 'COMPLETED'));
  const tails = addSequence(draft, def.tasks, [{ from: '__start', label: undefined }]);
  draft.nodes.set('__end', terminal('__end', 'end', workflowEnded ? 'COMPLETED' : 'NOT_REACHED'));
  connect(draft, tails, '__end');
  return place(draft);
}

function attemptsByRef(tasks: readonly Task[]): Map<string, Task[]> {
  const byRef = new Map<string, Task[]>();
  for (const task of [...tasks].sort((a, b) => a.seq - b.seq)) {
    byRef.set(task.referenceTaskName, [...(byRef.get(task.referenceTaskName) ?? []), task]);
  }
  return byRef;
}

const terminal = (id: string, kind: 'start' | 'end', state: string): Omit<GraphNode, 'x' | 'y'> => ({
  id,
  kind,
  title: kind,
  subtitle: '',
  state,
  attempts: [],
  width: END_SIZE,
  height: END_SIZE,
});

function addSequence(draft: Draft, steps: readonly WorkflowTask[], into: readonly Tail[]): readonly Tail[] {
  return steps.reduce<readonly Tail[]>((tails, step) => addStep(draft, step, tails), into);
}

function addStep(draft: Draft, step: WorkflowTask, tails: readonly Tail[]): readonly Tail[] {
  const id = step.taskReferenceName;
  const attempts = draft.attempts.get(id) ?? [];
  draft.nodes.set(id, {
    id,
    kind: kindOf(step.type),
    title: id,
    subtitle: step.type === 'SIMPLE' ? step.name : step.type,
    state: attempts.at(-1)?.status ?? 'NOT_REACHED',
    attempts,
    width: NODE_WIDTH,
    height: NODE_HEIGHT,
  });
  connect(draft, tails, id);
  if (step.type === 'SWITCH') return addCases(draft, step);
  if (step.type === 'FORK_JOIN')
    return (step.forkTasks ?? []).flatMap((branch) =>
      addSequence(draft, branch, [{ from: id, label: undefined }]),
    );
  return step.type === 'TERMINATE' ? [] : [{ from: id, label: undefined }];
}

function addCases(draft: Draft, step: WorkflowTask): readonly Tail[] {
  const from = step.taskReferenceName;
  const cases = Object.entries(step.decisionCases ?? {});
  return [...cases, ['otherwise', step.defaultCase ?? []] as const].flatMap(([label, branch]) =>
    addSequence(draft, branch, [{ from, label }]),
  );
}

function connect(draft: Draft, tails: readonly Tail[], to: string): void {
  for (const tail of tails) draft.edges.push({ from: tail.from, to, label: tail.label });
}

const KINDS: Readonly<Record<string, GraphNode['kind']>> = {
  SWITCH: 'switch',
  FORK_JOIN: 'fork',
  JOIN: 'join',
  HUMAN: 'human',
  WAIT: 'wait',
};
const kindOf = (type: string): GraphNode['kind'] => KINDS[type] ?? 'task';

function place(draft: Draft): Graph {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: 'TB', nodesep: 40, ranksep: 34, marginx: 16, marginy: 16 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of draft.nodes.values()) graph.setNode(node.id, { width: node.width, height: node.height });
  const edges = draft.edges.map((edge, index) => ({ ...edge, id: `${edge.from}->${edge.to}#${index}` }));
  for (const edge of edges)
    graph.setEdge(edge.from, edge.to, { width: (edge.label?.length ?? 0) * 7, height: 18 }, edge.id);
  dagre.layout(graph);
  const nodes = [...draft.nodes.values()].map((node) => {
    const at = graph.node(node.id) as { x: number; y: number };
    return { ...node, x: at.x - node.width / 2, y: at.y - node.height / 2 };
  });
  return { nodes, edges: edges.map((edge) => ({ ...edge, taken: isTaken(draft, edge) })) };
}

/** Both ends were reached, and a SWITCH at the near end chose this very case. */
function isTaken(draft: Draft, edge: { from: string; to: string; label: string | undefined }): boolean {
  const from = draft.nodes.get(edge.from);
  const to = draft.nodes.get(edge.to);
  if (from?.state === 'NOT_REACHED' || to?.state === 'NOT_REACHED') return false;
  if (from?.kind !== 'switch') return true;
  const chosen = (from.attempts.at(-1)?.outputData as { selectedCase?: string } | undefined)?.selectedCase;
  const isCase = edge.label !== 'otherwise' && edge.label === chosen;
  const caseExists = draft.edges.some(
    (other) => other.from === edge.from && other.label === chosen && other.label !== 'otherwise',
  );
  return isCase || (edge.label === 'otherwise' && !caseExists);
}
