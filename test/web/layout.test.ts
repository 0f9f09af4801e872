import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Task, WorkflowDef } from '../../web/src/api.js';
import { arrange } from '../../web/src/graph/arrange.js';
import { layout, paint } from '../../web/src/graph/layout.js';

const definition = JSON.parse(
  readFileSync(new URL('../../workflows/scan_upload.json', import.meta.url), 'utf8'),
) as WorkflowDef;

let seq = 0;
const task = (referenceTaskName: string, status = 'COMPLETED', outputData: unknown = {}): Task => ({
  taskId: `${referenceTaskName}-${seq}`,
  referenceTaskName,
  taskType: referenceTaskName,
  taskDefName: referenceTaskName,
  status,
  inputData: {},
  outputData,
  seq: seq++,
  retryCount: 0,
  iteration: 0,
  pollCount: 1,
  scheduledTime: 1,
  updateTime: 2,
});

const untilReview = [
  task('inspect'),
  task('presence', 'COMPLETED', { selectedCase: 'present' }),
  task('scan'),
  task('secrets'),
  task('malware'),
  task('scanned'),
  task('verdict'),
  task('route', 'COMPLETED', { selectedCase: 'review' }),
  task('quarantine'),
  task('review', 'IN_PROGRESS'),
];

describe('the layout of an execution', () => {
  it('draws every step of the definition once, also those that were not reached', () => {
    const { nodes } = layout(definition, [], false);
    const refs = nodes.map(({ id }) => id).sort((a, b) => a.localeCompare(b));
    expect(new Set(refs).size).toBe(refs.length);
    for (const ref of ['__start', '__end', 'malware', 'tag_released', 'keep', 'close'])
      expect(refs).toContain(ref);
    expect(nodes.find(({ id }) => id === 'malware')?.state).toBe('NOT_REACHED');
  });

  it('places no two steps on top of each other and the flow from top to bottom', () => {
    const { nodes, edges } = layout(definition, [], false);
    for (const [index, a] of nodes.entries()) {
      for (const b of nodes.slice(index + 1)) {
        const apart =
          a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
        expect(`${a.id} and ${b.id} ${apart ? 'apart' : 'overlap'}`).toBe(`${a.id} and ${b.id} apart`);
      }
    }
    const y = new Map(nodes.map((node) => [node.id, node.y]));
    for (const edge of edges) expect(y.get(edge.to)).toBeGreaterThan(y.get(edge.from) ?? Number.NaN);
  });

  it('marks the way that the run took, and of a SWITCH only the chosen case', () => {
    const { edges } = layout(definition, untilReview, false);
    const taken = edges.filter((edge) => edge.taken).map(({ from, to }) => `${from}>${to}`);
    expect(taken).toContain('scan>secrets');
    expect(taken).toContain('scan>malware');
    expect(taken).toContain('route>quarantine');
    expect(taken).not.toContain('route>tag');
    expect(taken).not.toContain('presence>verdict');
  });

  it('goes through "otherwise" when the SWITCH knew no such case', () => {
    const gone = [task('inspect'), task('presence', 'COMPLETED', { selectedCase: 'gone' }), task('verdict')];
    const taken = layout(definition, gone, false).edges.filter((edge) => edge.taken);
    const lane = 'presence__lane_otherwise';
    const ways = taken.map(({ from, to, label }) => [from, to, label]);
    expect(ways).toContainEqual(['presence', lane, 'otherwise']);
    expect(ways).toContainEqual([lane, 'verdict', undefined]);
  });

  it('shows the newest attempt and keeps the older ones', () => {
    const { nodes } = layout(definition, [task('inspect', 'FAILED'), task('inspect', 'COMPLETED')], false);
    const inspect = nodes.find(({ id }) => id === 'inspect');
    expect(inspect?.state).toBe('COMPLETED');
    expect(inspect?.attempts.map(({ status }) => status)).toEqual(['FAILED', 'COMPLETED']);
  });

  const looped: WorkflowDef = {
    name: 'looped',
    version: 1,
    tasks: [
      {
        name: 'loop',
        taskReferenceName: 'loop',
        type: 'DO_WHILE',
        loopOver: [{ name: 'work', taskReferenceName: 'work', type: 'SIMPLE' }],
      },
    ],
  };

  it('gathers the iterations of a loop at its steps', () => {
    const rows = [
      { ...task('loop', 'IN_PROGRESS'), iteration: 2 },
      { ...task('work__1'), iteration: 1 },
      { ...task('work__2', 'IN_PROGRESS'), iteration: 2 },
    ];
    const { nodes } = layout(looped, rows, false);
    const work = nodes.find(({ id }) => id === 'work');
    expect(work?.attempts.map(({ iteration }) => iteration)).toEqual([1, 2]);
    expect(work?.state).toBe('IN_PROGRESS');
    expect(nodes.find(({ id }) => id === 'loop__again')?.state).toBe('IN_PROGRESS');
  });

  it('moves nothing and makes nothing anew but what a change touched', () => {
    const arrangement = arrange(definition);
    const before = paint(arrangement, untilReview, false);
    const after = paint(
      arrangement,
      untilReview.map((row) => (row.referenceTaskName === 'review' ? { ...row, status: 'COMPLETED' } : row)),
      false,
      before,
    );
    const anew = after.nodes.filter((node, index) => node !== before.nodes[index]).map(({ id }) => id);
    expect(anew).toEqual(['review']);
    expect(after.edges.filter((edge, index) => edge !== before.edges[index])).toEqual([]);
  });

  it('places a fork of thousands in rows, in time that grows with its size', () => {
    const wide = (size: number): WorkflowDef => ({
      name: 'wide',
      version: 1,
      tasks: [
        {
          name: 'fork',
          taskReferenceName: 'fork',
          type: 'FORK_JOIN',
          forkTasks: Array.from({ length: size }, (_, n) => [
            { name: 'part', taskReferenceName: `part_${n}`, type: 'SIMPLE' },
          ]),
        },
        { name: 'all', taskReferenceName: 'all', type: 'JOIN' },
      ],
    });
    const { steps } = arrange(wide(5_000));
    expect(steps).toHaveLength(5_004);
    const places = new Set(steps.map(({ x, y }) => `${x},${y}`));
    expect(places.size).toBe(steps.length);
    expect(Math.max(...steps.map(({ x }) => x)) - Math.min(...steps.map(({ x }) => x))).toBeLessThan(25_000);
  });
});
