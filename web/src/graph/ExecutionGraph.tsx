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
import { memo, useMemo } from 'react';
import { moment, type Task, type WorkflowDef } from '../api.js';
import { duration } from '../format.js';
import { iconOf, toneOf, wordOf } from '../parts/State.js';
import { layout, type GraphNode } from './layout.js';

type StepNode = Node<{ step: GraphNode; selected: boolean }, 'step'>;

const KIND_MARKS: Readonly<Record<GraphNode['kind'], string>> = {
  start: '',
  end: '',
  task: '▪',
  switch: '◇',
  fork: '⇉',
  join: '⇥',
  human: '☻',
  wait: '⧖',
};

const Step = memo(({ data: { step, selected } }: NodeProps<StepNode>) => {
  const last = step.attempts.at(-1);
  const began = moment(last?.startTime);
  const ended = moment(last?.endTime);
  const spent = began === undefined || ended === undefined ? undefined : ended - began;
  const isMark = step.kind === 'start' || step.kind === 'end';
  return (
    <div
      className={`node kind-${step.kind} tone-${toneOf(step.state)} ${selected ? 'selected' : ''} ${step.state === 'NOT_REACHED' ? 'unreached' : ''}`}
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
              {step.attempts.length > 1 ? `${step.attempts.length}× ` : ''}
              {spent === undefined ? '' : duration(spent)}
            </span>
          </span>
        </>
      )}
      <Handle type="source" position={Position.Bottom} isConnectable={false} />
    </div>
  );
});
Step.displayName = 'Step';

const nodeTypes = { step: Step };

interface Props {
  readonly def: WorkflowDef;
  readonly tasks: readonly Task[];
  readonly ended: boolean;
  readonly selected: string | undefined;
  readonly onSelect: (ref: string) => void;
}

/** The definition as a graph, coloured by the run. The taken path is solid, the rest is faint. */
export function ExecutionGraph({ def, tasks, ended, selected, onSelect }: Props) {
  const graph = useMemo(() => layout(def, tasks, ended), [def, tasks, ended]);
  const nodes = useMemo<StepNode[]>(
    () =>
      graph.nodes.map((step) => ({
        id: step.id,
        type: 'step',
        position: { x: step.x, y: step.y },
        data: { step, selected: step.id === selected },
        width: step.width,
        height: step.height,
        draggable: false,
        connectable: false,
        ariaLabel: `${step.title}: ${wordOf(step.state)}`,
      })),
    [graph, selected],
  );
  const edges = useMemo<Edge[]>(
    () =>
      graph.edges.map((edge) => ({
        id: edge.id,
        source: edge.from,
        target: edge.to,
        ...(edge.label === undefined ? {} : { label: edge.label }),
        className: edge.taken ? 'taken' : 'faint',
        markerEnd: { type: MarkerType.ArrowClosed },
        focusable: false,
      })),
    [graph],
  );
  // At first what the run went through; the rest is a scroll away.
  const focus = useMemo(() => {
    const reached = graph.nodes.filter((node) => node.state !== 'NOT_REACHED');
    return (reached.length > 1 ? reached : graph.nodes).map(({ id }) => ({ id }));
  }, [graph]);
  return (
    <ReactFlow
      nodes={nodes}
      edges={edges}
      nodeTypes={nodeTypes}
      onNodeClick={(_event, node) => onSelect(node.id)}
      onSelectionChange={({ nodes: [chosen] }) => chosen !== undefined && onSelect(chosen.id)}
      fitView
      fitViewOptions={{ padding: 0.06, minZoom: 0.6, maxZoom: 1, nodes: focus }}
      minZoom={0.2}
      nodesDraggable={false}
      nodesConnectable={false}
      deleteKeyCode={null}
      colorMode="system"
      proOptions={{ hideAttribution: false }}
    >
      <Background gap={24} />
      <Controls showInteractive={false} />
      <MiniMap
        pannable
        zoomable
        ariaLabel="The whole graph"
        nodeClassName={(node) => `tone-${toneOf((node as StepNode).data.step.state)}`}
      />
    </ReactFlow>
  );
}
