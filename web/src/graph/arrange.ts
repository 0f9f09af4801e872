import type { WorkflowDef, WorkflowTask } from '../api.js';

export type StepKind =
  | 'start'
  | 'end'
  | 'task'
  | 'switch'
  | 'fork'
  | 'join'
  | 'human'
  | 'wait'
  | 'loop'
  | 'again'
  | 'lane'
  | 'sub';

/**
 * A step's place. `again` closes a loop: from there it goes back or on. `lane` is the line of a case in which nothing
 * is done, beside the steps of the others; its title is the case.
 */
export interface PlacedStep {
  readonly id: string;
  readonly kind: StepKind;
  readonly title: string;
  readonly subtitle: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedEdge {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** A SWITCH's case. */
  readonly label: string | undefined;
}

/** Where everything is; depends on the definition alone, so that a run's changes move nothing. */
export interface Arrangement {
  readonly steps: readonly PlacedStep[];
  readonly edges: readonly PlacedEdge[];
}

const NODE_WIDTH = 210;
const NODE_HEIGHT = 62;
const END_SIZE = 44;
const GAP_X = 40;
const GAP_Y = 50;
/** Where a SWITCH has nothing to do: only a line passes. */
const LANE_WIDTH = 60;
// A fork of thousands side by side would be a line; from here on its branches stand in rows.
const MAX_PER_ROW = 12;

/** Loose ends: from which step, under which label, the next one is drawn. */
type Tail = { readonly from: string; readonly label: string | undefined };

/** What a step takes: itself on top, its branches below, and where a loop closes. */
interface Block {
  readonly step: WorkflowTask;
  readonly rows: readonly (readonly Branch[])[];
  readonly width: number;
  readonly height: number;
}

interface Branch {
  readonly label: string | undefined;
  readonly blocks: readonly Block[];
  readonly width: number;
  readonly height: number;
}

/**
 * Places a definition's steps from top to bottom, branches side by side. A definition is nested, so one walk measures
 * and a second places: time grows with the number of steps, also for thousands.
 */
export function arrange(def: WorkflowDef): Arrangement {
  const whole = branchOf(undefined, def.tasks);
  const draft: Draft = { steps: [], edges: [] };
  const centre = whole.width / 2;
  put(draft, { id: '__start', kind: 'start', title: 'start', subtitle: '' }, centre, 0, END_SIZE, END_SIZE);
  const first: Tail[] = [{ from: '__start', label: undefined }];
  const tails = placeSequence(draft, whole.blocks, centre, END_SIZE + GAP_Y, first);
  const bottom = END_SIZE + GAP_Y + whole.height + GAP_Y;
  put(draft, { id: '__end', kind: 'end', title: 'end', subtitle: '' }, centre, bottom, END_SIZE, END_SIZE);
  connect(draft, tails, '__end');
  return draft;
}

interface Draft {
  readonly steps: PlacedStep[];
  readonly edges: PlacedEdge[];
}

function branchOf(label: string | undefined, steps: readonly WorkflowTask[]): Branch {
  const blocks = steps.map(measure);
  const width = blocks.reduce((widest, block) => Math.max(widest, block.width), LANE_WIDTH);
  const height = blocks.reduce((sum, block) => sum + block.height + GAP_Y, -GAP_Y);
  return { label, blocks, width, height: Math.max(0, height) };
}

function measure(step: WorkflowTask): Block {
  const branches = branchesOf(step);
  const rows = inRows(branches);
  const widest = Math.max(NODE_WIDTH, ...rows.map(widthOf));
  const below = rows.reduce((sum, row) => sum + GAP_Y + heightOf(row), 0);
  const closing = isLoop(step) ? GAP_Y + NODE_HEIGHT : 0;
  return { step, rows, width: widest, height: NODE_HEIGHT + below + closing };
}

const widthOf = (row: readonly Branch[]): number =>
  row.reduce((sum, branch) => sum + branch.width + GAP_X, -GAP_X);
const heightOf = (row: readonly Branch[]): number =>
  row.reduce((highest, branch) => Math.max(highest, branch.height), 0);

function branchesOf(step: WorkflowTask): readonly Branch[] {
  if (step.type === 'FORK_JOIN') return (step.forkTasks ?? []).map((branch) => branchOf(undefined, branch));
  if (isLoop(step)) return [branchOf(undefined, step.loopOver ?? [])];
  if (step.type !== 'SWITCH') return [];
  const cases = Object.entries(step.decisionCases ?? {}).map(([label, branch]) => branchOf(label, branch));
  return [...cases, branchOf('otherwise', step.defaultCase ?? [])];
}

function inRows(branches: readonly Branch[]): readonly (readonly Branch[])[] {
  if (branches.length <= MAX_PER_ROW) return branches.length === 0 ? [] : [branches];
  const perRow = Math.max(MAX_PER_ROW, Math.ceil(Math.sqrt(branches.length)));
  const rows: Branch[][] = [];
  for (let at = 0; at < branches.length; at += perRow) rows.push(branches.slice(at, at + perRow));
  return rows;
}

function placeSequence(
  draft: Draft,
  blocks: readonly Block[],
  centre: number,
  top: number,
  into: readonly Tail[],
): readonly Tail[] {
  let tails = into;
  let y = top;
  for (const block of blocks) {
    tails = placeBlock(draft, block, centre, y, tails);
    y += block.height + GAP_Y;
  }
  return tails;
}

function placeBlock(
  draft: Draft,
  block: Block,
  centre: number,
  top: number,
  into: readonly Tail[],
): readonly Tail[] {
  const { step, rows } = block;
  const id = step.taskReferenceName;
  const subtitle = step.type === 'SIMPLE' ? step.name : step.type;
  put(draft, { id, kind: kindOf(step.type), title: id, subtitle }, centre, top, NODE_WIDTH, NODE_HEIGHT);
  connect(draft, into, id);
  const tails: Tail[] = [];
  let y = top + NODE_HEIGHT + GAP_Y;
  for (const row of rows) {
    let left = centre - widthOf(row) / 2;
    for (const branch of row) {
      const from = [{ from: id, label: branch.label }];
      const middle = left + branch.width / 2;
      // Without any steps in the row the line goes straight on.
      const isLane = branch.blocks.length === 0 && heightOf(row) > 0;
      tails.push(
        ...(isLane
          ? placeLane(draft, `${id}__lane_${branch.label}`, branch.label, middle, y, heightOf(row), from)
          : placeSequence(draft, branch.blocks, middle, y, from)),
      );
      left += branch.width + GAP_X;
    }
    y += heightOf(row) + GAP_Y;
  }
  if (isLoop(step)) {
    const again = `${id}__again`;
    const close = { id: again, kind: 'again', title: id, subtitle: 'once more, or on' } as const;
    put(draft, close, centre, y, NODE_WIDTH, NODE_HEIGHT);
    connect(draft, tails, again);
    return [{ from: again, label: undefined }];
  }
  if (step.type === 'TERMINATE') return [];
  return rows.length > 0 ? tails : [{ from: id, label: undefined }];
}

function placeLane(
  draft: Draft,
  id: string,
  label: string | undefined,
  centre: number,
  y: number,
  height: number,
  into: readonly Tail[],
): readonly Tail[] {
  put(draft, { id, kind: 'lane', title: label ?? '', subtitle: '' }, centre, y, 2, height);
  connect(draft, into, id);
  return [{ from: id, label: undefined }];
}

function put(
  draft: Draft,
  step: Pick<PlacedStep, 'id' | 'kind' | 'title' | 'subtitle'>,
  centre: number,
  y: number,
  width: number,
  height: number,
): void {
  draft.steps.push({ ...step, x: centre - width / 2, y, width, height });
}

function connect(draft: Draft, tails: readonly Tail[], to: string): void {
  for (const { from, label } of tails)
    draft.edges.push({ id: `${from}->${to}#${draft.edges.length}`, from, to, label });
}

const isLoop = ({ type }: WorkflowTask): boolean => type === 'DO_WHILE';

const KINDS: Readonly<Record<string, StepKind>> = {
  SWITCH: 'switch',
  FORK_JOIN: 'fork',
  JOIN: 'join',
  HUMAN: 'human',
  WAIT: 'wait',
  DO_WHILE: 'loop',
  SUB_WORKFLOW: 'sub',
};
const kindOf = (type: string): StepKind => KINDS[type] ?? 'task';
