import { describe, expect, it } from 'vitest';
import { decide } from '../../../src/engine/decider/decide.js';
import { planOf } from '../../../src/engine/decider/plan.js';
import { withTasks } from '../../../src/engine/decider/transition.js';
import { Run, definition, fork, simple, update } from './fixtures.js';

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
