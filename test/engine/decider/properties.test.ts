import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { decide } from '../../../src/engine/decider/decide.js';
import { newWorkflow } from '../../../src/engine/decider/new-workflow.js';
import type { Command, ScriptNeed, WorkflowState } from '../../../src/engine/model/command.js';
import type { TaskDef, WorkflowDef } from '../../../src/engine/model/definition.js';
import { isTerminalTask } from '../../../src/engine/model/execution.js';
import type { Task } from '../../../src/engine/model/execution.js';
import { definitions, timedTaskDefs, timelessTaskDefs } from './arbitraries.js';
import { START, WORKFLOW_ID, bare, childEnded, command, evaluated, forgetful, update } from './fixtures.js';
import { moves, perform } from './moves.js';
import { TIME_LIMIT_MS, runs } from './runs.js';

/** Whether attempt n of a step succeeds: fixed beforehand, so that the order of reports is all that varies. */
type Results = (ref: string, attempt: number) => boolean;

const resultsOf =
  (seed: number): Results =>
  (ref, attempt) =>
    ((numberOf(ref) * 7919 + attempt * 104_729 + seed) >>> 2) % 4 !== 0;

const isReportable = (task: Task): boolean =>
  !isTerminalTask(task.status) &&
  ['SIMPLE', 'HUMAN', 'WAIT', 'SUB_WORKFLOW'].includes(task.workflowTask.type);

function report(task: Task, results: Results): Command {
  const isGood = results(task.referenceTaskName, task.retryCount);
  const output = { value: `${task.referenceTaskName}#${task.retryCount}` };
  const reason = 'as decided';
  if (task.subWorkflowId !== undefined)
    return childEnded(task, isGood ? { output } : { status: 'FAILED', reason });
  return isGood
    ? update(task.taskId, { outputData: output })
    : update(task.taskId, { status: 'FAILED', reasonForIncompletion: reason });
}

/** Each loop has its number of iterations. */
const goesOn = (ref: string, iteration: number): boolean => iteration < 1 + (numberOf(ref) % 3);
const numberOf = (ref: string): number => Number(/\d+/.exec(ref)?.[0]);
const iterationOf = (state: WorkflowState, { taskId }: ScriptNeed): number =>
  state.tasks.find((task) => task.taskId === taskId)!.iteration;

/** What can be told now, in no particular order. */
const tellable = (state: WorkflowState, results: Results): Command[] => [
  ...state.tasks.filter(isReportable).map((task) => report(task, results)),
  ...decide(forgetful(state), [], START).needs.map((need) =>
    evaluated(need, { ok: true, value: goesOn(need.ref, iterationOf(state, need)) }),
  ),
];

function started(def: WorkflowDef, taskDefs: ReadonlyMap<string, TaskDef>): WorkflowState {
  const state = newWorkflow({ workflowId: WORKFLOW_ID, definition: def, taskDefs, now: START });
  return decide(state, [command('start')], START).state;
}

/** Reports one open task after the other, each time the one that `choose` picks. */
function play(state: WorkflowState, results: Results, choose: (open: number) => number): WorkflowState {
  let current = state;
  for (;;) {
    const open = tellable(current, results);
    const picked = open[choose(open.length)];
    if (picked === undefined) return current;
    current = decide(current, [picked], START).state;
  }
}

vi.setConfig({ testTimeout: TIME_LIMIT_MS });

const timeless = definitions({ permissive: false, waits: false, races: false });

describe('without time-outs and with a fixed result per attempt', () => {
  it('any order of reports gives the same status, and the same output when it completes', () => {
    fc.assert(
      fc.property(
        timeless,
        timelessTaskDefs,
        fc.nat(),
        fc.infiniteStream(fc.nat()),
        (def, defs, seed, choices) => {
          const results = resultsOf(seed);
          const inOrder = play(started(def, defs), results, () => 0);
          const shuffled = play(started(def, defs), results, (open) => Number(choices.next().value) % open);
          expect(shuffled.workflow.status).toBe(inOrder.workflow.status);
          if (inOrder.workflow.status === 'COMPLETED') {
            expect(shuffled.workflow.output).toEqual(inOrder.workflow.output);
            expect(shuffled.workflow.variables).toEqual(inOrder.workflow.variables);
            const rows = (state: WorkflowState) =>
              new Map(state.tasks.map(({ taskId, status, outputData }) => [taskId, { status, outputData }]));
            expect(rows(shuffled)).toEqual(rows(inOrder));
          }
        },
      ),
      { numRuns: runs(200) },
    );
  });

  it('reports in one batch give what they give one by one', () => {
    fc.assert(
      fc.property(timeless, timelessTaskDefs, fc.nat(), (def, defs, seed) => {
        const results = resultsOf(seed);
        const state = started(def, defs);
        const commands = tellable(state, results);
        const together = decide(state, commands, START).state;
        const single = commands.reduce((current, one) => decide(current, [one], START).state, state);
        expect(together.tasks).toEqual(single.tasks);
        const { revision: a, ...one } = together.workflow;
        const { revision: b, ...other } = single.workflow;
        expect(one).toEqual(other);
        expect(a).toBeLessThanOrEqual(b);
      }),
      { numRuns: runs(200) },
    );
  });
});

const timed = fc.tuple(
  definitions({ permissive: true, waits: true, races: true }),
  fc.constantFrom(0, 0, 25),
  timedTaskDefs,
  moves,
);

function always(
  run: (state: WorkflowState, commands: readonly Command[], now: number) => WorkflowState,
  numRuns = 200,
): void {
  fc.assert(
    fc.property(timed, ([def, timeoutSeconds, defs, list]) => {
      const whole: WorkflowDef = {
        ...def,
        timeoutSeconds,
        timeoutPolicy: 'TIME_OUT_WF',
        failureWorkflow: 'after',
      };
      perform(newWorkflow({ workflowId: WORKFLOW_ID, definition: whole, taskDefs: defs, now: START }), list, {
        decided: run,
      });
    }),
    { numRuns: runs(numRuns) },
  );
}

describe('whatever happens to a workflow', () => {
  it('deciding from bare rows gives what deciding from the remembered index gives', () => {
    always((state, commands, now) => {
      const fromRows = decide(bare(state), commands, now);
      const fromIndex = decide(state, commands, now);
      expect(fromIndex).toEqual(fromRows);
      return fromIndex.state;
    }, 120);
  });

  it('deciding again on the outcome changes nothing', () => {
    always((state, commands, now) => {
      const outcome = decide(state, commands, now);
      for (const again of [decide(outcome.state, [], now), decide(outcome.state, [command('wake')], now)]) {
        expect(again.state).toBe(outcome.state);
        expect(again.changedTasks).toEqual([]);
        expect(again.effects).toEqual([]);
        expect(again.wakeAt).toBe(outcome.wakeAt);
        for (const need of outcome.needs) expect(again.needs).toContainEqual(need);
      }
      return outcome.state;
    });
  });

  it('wakeAt is the first moment at which a look at the clock changes something', () => {
    always((state, commands, now) => {
      const { state: next, wakeAt } = decide(state, commands, now);
      const changesAt = (at: number): boolean => {
        const copy = forgetful(next);
        return decide(copy, [command('wake')], at).state !== copy;
      };
      if (wakeAt === undefined) {
        expect(changesAt(now + 1e12)).toBe(false);
      } else {
        expect(wakeAt).toBeGreaterThan(now);
        expect(changesAt(wakeAt - 1)).toBe(false);
        expect(changesAt(wakeAt)).toBe(true);
      }
      return next;
    });
  });

  it('a state that was decided on stays as it was, and can be decided on again', () => {
    always((state, commands, now) => {
      const before = bare(state);
      const first = decide(state, commands, now);
      expect(bare(state)).toEqual(before);
      expect(decide(state, commands, now)).toEqual(first);
      return first.state;
    }, 80);
  });

  it('rows keep their place, an end is final, and an ended workflow has no open row', () => {
    always((state, commands, now) => {
      const { state: next, changedTasks } = decide(state, commands, now);
      expect(next.tasks.map(({ seq }) => seq)).toEqual(next.tasks.map((_, i) => i + 1));
      state.tasks.forEach((task, i) => {
        const later = next.tasks[i];
        expect(later?.taskId).toBe(task.taskId);
        if (later !== task) expect(changedTasks).toContain(later);
        if (isTerminalTask(task.status) && later !== undefined && !isTerminalTask(later.status)) {
          // Only JOINs and loops go back, when their workflow is retried, and what waits for a child that is.
          expect(['JOIN', 'DO_WHILE', 'SUB_WORKFLOW']).toContain(later.taskType);
        }
      });
      if (next.workflow.endTime !== undefined) {
        expect(next.tasks.every(({ status, queued }) => isTerminalTask(status) && !queued)).toBe(true);
      }
      return next;
    });
  });
});
