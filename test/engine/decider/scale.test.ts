import { describe, expect, it } from 'vitest';
import { decide } from '../../../src/engine/decider/decide.js';
import { planOf } from '../../../src/engine/decider/plan.js';
import { withTasks } from '../../../src/engine/decider/transition.js';
import type { Command } from '../../../src/engine/model/command.js';
import type { Task } from '../../../src/engine/model/execution.js';
import { Run, definition, evaluated, fork, loop, loopOver, simple, update } from './fixtures.js';

/** Not the clock on the wall: other work on this machine is none of ours. */
const cpuMs = (): number => process.cpuUsage().user / 1000;

/** CPU milliseconds that a fork of so many branches takes: a claim and a report for each, one decision each. */
function forkMs(branches: number): number {
  const def = definition(
    fork(
      'f',
      Array.from({ length: branches }, (_, i) => [simple(`b${i}`)]),
    ),
  );
  planOf(def);
  const began = cpuMs();
  const run = new Run(def);
  for (const task of run.state.tasks) {
    if (task.workflowTask.type !== 'SIMPLE') continue;
    const claimed = {
      ...task,
      status: 'IN_PROGRESS',
      queued: false,
      startTime: run.now,
      updateTime: run.now,
    } as const;
    run.state = withTasks(run.state, [claimed]);
    run.state = decide(run.state, [update(task.taskId, { outputData: { ok: true } })], run.now).state;
  }
  expect(run.workflow.status).toBe('COMPLETED');
  return cpuMs() - began;
}

describe('a fork of thousands of branches', () => {
  it('costs each report about the same, however many there are', () => {
    forkMs(500);
    const small = Math.min(forkMs(1000), forkMs(1000));
    const large = forkMs(5000);
    // Five times the reports. Reading all rows for each would cost twenty-five times as much.
    expect(large / small).toBeLessThan(15);
  });
});

/** Decides while it counts how often a row is looked into. */
class Counting {
  reads = 0;
  private readonly watched = new WeakSet<Task>();

  constructor(readonly run: Run) {}

  /** Rows keep their list, which the decider's index belongs to. */
  private watch(rows: readonly Task[]): void {
    const count = (): number => (this.reads += 1);
    const list = this.run.state.tasks as Task[];
    for (const row of rows) {
      if (this.watched.has(row)) continue;
      const watched = new Proxy(row, {
        get(target, key): unknown {
          count();
          return Reflect.get(target, key);
        },
      });
      this.watched.add(watched);
      list[row.seq - 1] = watched;
    }
  }

  decide(command: Command): void {
    this.watch(this.run.decide(command).changedTasks);
  }
}

/** Reads per iteration, of the first and of the last so many. */
function readsPerIteration(
  def: ReturnType<typeof definition>,
  iterations: number,
  sample: number,
): [number, number] {
  const run = new Run(def, { input: { list: Array.from({ length: iterations }, () => 0) } });
  const counting = new Counting(run);
  const marks: number[] = [];
  for (let i = 1; i <= iterations; i++) {
    const task = run.state.tasks.at(-1)!;
    expect(task.iteration).toBe(i);
    counting.decide(update(task.taskId, { outputData: { i } }));
    const [need] = run.last.needs;
    if (need !== undefined && i < iterations) counting.decide(evaluated(need, { ok: true, value: true }));
    marks.push(counting.reads);
  }
  const between = (from: number, to: number): number => (marks[to - 1]! - marks[from - 1]!) / (to - from);
  // The very last one shows the outputs of all.
  return [between(10, 10 + sample), between(iterations - 1 - sample, iterations - 1)];
}

describe('a loop of thousands of iterations', () => {
  it.each([
    ['by a condition', definition([loop('l', [simple('a')], '$.l.iteration < 1500')])],
    ['over a list', definition([loopOver('l', '${workflow.input.list}', [simple('a')])])],
    ['in a fork', definition(fork('f', [[loop('l', [simple('a')], '$.a.i < 1500')]]))],
  ])('%s looks into as many rows for its last iterations as for its first', (_, def) => {
    const [first, last] = readsPerIteration(def, 1500, 300);
    expect(first).toBeGreaterThan(10);
    expect(last / first).toBeLessThan(1.02);
  });
});
