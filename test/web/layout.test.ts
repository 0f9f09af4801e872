import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Task, WorkflowDef } from '../../web/src/api.js';
import { layout } from '../../web/src/graph/layout.js';

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
    expect(taken.map(({ from, to, label }) => [from, to, label])).toContainEqual([
      'presence',
      'verdict',
      'otherwise',
    ]);
  });

  it('shows the newest attempt and keeps the older ones', () => {
    const { nodes } = layout(definition, [task('inspect', 'FAILED'), task('inspect', 'COMPLETED')], false);
    const inspect = nodes.find(({ id }) => id === 'inspect');
    expect(inspect?.state).toBe('COMPLETED');
    expect(inspect?.attempts.map(({ status }) => status)).toEqual(['FAILED', 'COMPLETED']);
  });
});
