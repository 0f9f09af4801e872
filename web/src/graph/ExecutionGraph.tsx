import {
  Background,
  Controls,
  Handle,
  MarkerType,
  MiniMap,
  Position,
  ReactFlow,
  type Edge,
  type Node,
  type NodeProps,
} from '@xyflow/react';
import '@xyflow/react/dist/style.css';
import { memo, useMemo, useRef, useState } from 'react';
import { moment, type Task } from '../api.js';
import { duration } from '../format.js';
import { iconOf, toneOf, wordOf } from '../parts/State.js';
import type { Arrangement, StepKind } from './arrange.js';
import { paint, type Graph, type GraphEdge, type GraphNode } from './layout.js';

type StepNode = Node<{ step: GraphNode; selected: boolean }, 'step'>;

const KIND_MARKS: Readonly<Record<StepKind, string>> = {
  start: '',
  end: '',
  task: '▪',
  switch: '◇',
  fork: '⇉',
  join: '⇥',
  human: '☻',
  wait: '◷',
  loop: '↻',
  again: '↺',
  lane: '',
  sub: '⊞',
};

// Above this, what is off the screen is not drawn, nor the small map of the whole, which looks at every step each time.
const MANY = 200;
const FEW = 12;

const Step = memo(({ data: { step, selected } }: NodeProps<StepNode>) => {
  const last = step.attempts.at(-1);
  const began = moment(last?.startTime);
  const ended = moment(last?.endTime);
  const spent = began === undefined || ended === undefined ? undefined : ended - began;
  if (step.kind === 'lane') return <Lane step={step} />;
  const isMark = step.kind === 'start' || step.kind === 'end';
  return (
    <div
      className={`node kind-${step.kind} tone-${toneOf(step.state)} ${selected ? 'selected' : ''} ${step.state === 'NOT_REACHED' ? 'unreached' : ''} ${hasRetries(step) ? 'stacked' : ''}`}
      style={{ width: step.width, height: step.height }}
      data-testid={`node-${step.id}`}
      data-state={step.state}
    >
      <Handle type="target" position={Position.Top} isConnectable={false} />
      {isMark ? (
        <span className="word">{step.title}</span>
      ) : (
        <>
          <span className="title">
            <span aria-hidden="true">{KIND_MARKS[step.kind]}</span> {step.title}
          </span>
          <span className="subtitle">{step.subtitle}</span>
          <span className="footing">
            <span>
              <span aria-hidden="true">{iconOf(step.state)}</span> {wordOf(step.state)}
            </span>
            <span>
              {countOf(step)}
              {spent === undefined || step.kind === 'again' ? '' : duration(spent)}
            </span>
          </span>
        </>
      )}
      <Handle type="source" position={Position.Bottom} isConnectable={false} />
    </div>
  );
});
Step.displayName = 'Step';

/** Nothing is done here: a line. */
function Lane({ step }: { step: GraphNode }) {
  return (
    <div
      className={`lane ${step.state === 'NOT_REACHED' ? 'faint' : 'taken'}`}
      style={{ height: step.height }}
      data-testid={`node-${step.id}`}
      data-state={step.state}
    >
      <Handle type="target" position={Position.Top} isConnectable={false} />
      <Handle type="source" position={Position.Bottom} isConnectable={false} />
    </div>
  );
}

const hasRetries = ({ attempts, kind }: GraphNode): boolean =>
  kind !== 'again' && (attempts.at(-1)?.retryCount ?? 0) > 0;

/** `#3 ` in the third iteration, `2× ` at the second attempt. */
function countOf(step: GraphNode): string {
  const last = step.attempts.at(-1);
  if (last === undefined) return '';
  return `${last.iteration > 0 ? `#${last.iteration} ` : ''}${hasRetries(step) ? `${last.retryCount + 1}× ` : ''}`;
}

const nodeTypes = { step: Step };

interface Props {
  readonly arrangement: Arrangement;
  readonly tasks: readonly Task[];
  readonly ended: boolean;
  readonly selected: string | undefined;
  readonly onSelect: (ref: string) => void;
}

/** The definition as a graph, coloured by the run. The taken path is solid, the rest is faint. */
export function ExecutionGraph({ arrangement, tasks, ended, selected, onSelect }: Props) {
  const graph = usePainted(arrangement, tasks, ended);
  const nodes = useSame(graph.nodes, (step) => nodeOf(step, step.id === selected), selected);
  const edges = useSame(graph.edges, edgeOf, undefined);
  const [focus] = useState(() => firstLook(graph));
  const isLarge = graph.nodes.length > MANY;
  return (
    <ReactFlow
      nodes={nodes}
      edges={edges}
      nodeTypes={nodeTypes}
      onNodeClick={(_event, node) => onSelect(node.id)}
      onSelectionChange={({ nodes: [chosen] }) => chosen !== undefined && onSelect(chosen.id)}
      fitView
      fitViewOptions={{ padding: 0.06, minZoom: 0.6, maxZoom: 1, nodes: focus }}
      minZoom={0.05}
      nodesDraggable={false}
      nodesConnectable={false}
      onlyRenderVisibleElements={isLarge}
      deleteKeyCode={null}
      colorMode="system"
      proOptions={{ hideAttribution: false }}
    >
      <Background gap={24} />
      <Controls showInteractive={false} />
      {isLarge ? null : (
        <MiniMap
          pannable
          zoomable
          ariaLabel="The whole graph"
          nodeClassName={(node) => `tone-${toneOf((node as StepNode).data.step.state)}`}
        />
      )}
    </ReactFlow>
  );
}

/** What is shown at first: all of a small graph; else what the run went through, and of thousands the beginning. */
function firstLook({ nodes }: Graph): { id: string }[] {
  const reached = nodes.filter((node) => node.state !== 'NOT_REACHED');
  if (nodes.length <= FEW || reached.length <= 1) return nodes.slice(0, MANY);
  if (reached.length <= MANY) return reached;
  const centre = (node: GraphNode | undefined): number => (node?.x ?? 0) + (node?.width ?? 0) / 2;
  const middle = centre(nodes[0]);
  return nodes.filter((node) => Math.abs(centre(node) - middle) < node.width).slice(0, FEW);
}

/** Coloured anew with every change; what looks as before stays the same object. */
function usePainted(arrangement: Arrangement, tasks: readonly Task[], ended: boolean): Graph {
  const before = useRef<Graph | undefined>(undefined);
  return useMemo(
    () => (before.current = paint(arrangement, tasks, ended, before.current)),
    [arrangement, tasks, ended],
  );
}

/** Maps a list, with the former result for every item that is the same object: so React draws only the others. */
function useSame<From extends object, To>(
  items: readonly From[],
  make: (item: From) => To,
  selected: string | undefined,
): To[] {
  const made = useRef({ selected, results: new WeakMap<From, To>() });
  return useMemo(() => {
    if (made.current.selected !== selected) made.current = { selected, results: new WeakMap() };
    const { results } = made.current;
    return items.map((item) => {
      const known = results.get(item) ?? make(item);
      results.set(item, known);
      return known;
    });
    // `make` is made anew each time and depends on nothing but `selected`.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [items, selected]);
}

const nodeOf = (step: GraphNode, selected: boolean): StepNode => ({
  id: step.id,
  type: 'step',
  position: { x: step.x, y: step.y },
  data: { step, selected },
  width: step.width,
  height: step.height,
  draggable: false,
  connectable: false,
  ...(step.kind === 'lane' ? { selectable: false, focusable: false } : {}),
  ariaLabel: `${step.title}: ${wordOf(step.state)}`,
});

// A lane is passed, not arrived at.
const isLane = (id: string): boolean => id.includes('__lane_');

const edgeOf = (edge: GraphEdge): Edge => ({
  id: edge.id,
  source: edge.from,
  target: edge.to,
  ...(edge.label === undefined ? {} : { label: edge.label }),
  className: edge.taken ? 'taken' : 'faint',
  ...(isLane(edge.to) ? {} : { markerEnd: { type: MarkerType.ArrowClosed } }),
  focusable: false,
});
