import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../../src/engine/decider/decide.js';
import { newWorkflow } from '../../../src/engine/decider/new-workflow.js';
import { withTasks } from '../../../src/engine/decider/transition.js';
import type { Command, WorkflowState } from '../../../src/engine/model/command.js';
import type { TaskDef, WorkflowDef, WorkflowTask } from '../../../src/engine/model/definition.js';
import { isTerminalTask } from '../../../src/engine/model/execution.js';
import type { Task } from '../../../src/engine/model/execution.js';
import { definitions, timedTaskDefs, timelessTaskDefs } from './arbitraries.js';
import { START, WORKFLOW_ID, bare, command, terminate, update } from './fixtures.js';

/** Whether attempt n of a step succeeds: fixed beforehand, so that the order of reports is all that varies. */
type Results = (ref: string, attempt: number) => boolean;

const resultsOf =
  (seed: number): Results =>
  (ref, attempt) =>
    ((Number(ref.slice(1)) * 7919 + attempt * 104_729 + seed) >>> 2) % 4 !== 0;

const isReportable = (task: Task): boolean =>
  !isTerminalTask(task.status) && ['SIMPLE', 'HUMAN', 'WAIT'].includes(task.workflowTask.type);

const report = (task: Task, results: Results): Command =>
  results(task.referenceTaskName, task.retryCount)
    ? update(task.taskId, { outputData: { value: `${task.referenceTaskName}#${task.retryCount}` } })
    : update(task.taskId, { status: 'FAILED', reasonForIncompletion: 'as decided' });

function started(def: WorkflowDef, taskDefs: ReadonlyMap<string, TaskDef>): WorkflowState {
  const state = newWorkflow({ workflowId: WORKFLOW_ID, definition: def, taskDefs, now: START });
  return decide(state, [command('start')], START).state;
}

/** Reports one open task after the other, each time the one that `choose` picks. */
function play(state: WorkflowState, results: Results, choose: (open: number) => number): WorkflowState {
  let current = state;
  for (;;) {
    const open = current.tasks.filter(isReportable);
    const picked = open[choose(open.length)];
    if (picked === undefined) return current;
    current = decide(current, [report(picked, results)], START).state;
  }
}

/** What a definition comes to, by walking it: no rows, no queue, no clock. */
function naive(def: WorkflowDef, taskDefs: ReadonlyMap<string, TaskDef>, results: Results) {
  const ran = new Set<string>();
  const attempt = (task: WorkflowTask): boolean => {
    const limit = task.type === 'SIMPLE' ? (taskDefs.get(task.name)?.retryCount ?? 3) : 0;
    for (let n = 0; n <= limit; n++) if (results(task.taskReferenceName, n)) return true;
    return task.optional;
  };
  const run = (tasks: readonly WorkflowTask[]): boolean =>
    tasks.every((task) => {
      ran.add(task.taskReferenceName);
      if (task.type === 'SIMPLE' || task.type === 'HUMAN') return attempt(task);
      if (task.type === 'SWITCH') {
        const value = JSON.stringify(task.inputParameters['on']);
        return run(task.decisionCases[value] ?? task.defaultCase);
      }
      // All branches run to their end, also those that the JOIN does not await.
      if (task.type === 'FORK_JOIN') return task.forkTasks.map((branch) => run(branch)).every(Boolean);
      return true;
    });
  return { status: run(def.tasks) ? 'COMPLETED' : 'FAILED', ran };
}

const timeless = definitions({ permissive: false, waits: false });

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
      { numRuns: 300 },
    );
  });

  it('the outcome is what a naive walk of the definition says', () => {
    fc.assert(
      fc.property(timeless, timelessTaskDefs, fc.nat(), (def, defs, seed) => {
        const results = resultsOf(seed);
        const { workflow, tasks } = play(started(def, defs), results, (open) => open - 1);
        const expected = naive(def, defs, results);
        expect(workflow.status).toBe(expected.status);
        if (workflow.status === 'COMPLETED') {
          expect(new Set(tasks.map(({ referenceTaskName }) => referenceTaskName))).toEqual(expected.ran);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('reports in one batch give what they give one by one', () => {
    fc.assert(
      fc.property(timeless, timelessTaskDefs, fc.nat(), (def, defs, seed) => {
        const results = resultsOf(seed);
        const state = started(def, defs);
        const commands = state.tasks.filter(isReportable).map((task) => report(task, results));
        const together = decide(state, commands, START).state;
        const single = commands.reduce((current, one) => decide(current, [one], START).state, state);
        expect(together.tasks).toEqual(single.tasks);
        const { revision: a, ...one } = together.workflow;
        const { revision: b, ...other } = single.workflow;
        expect(one).toEqual(other);
        expect(a).toBeLessThanOrEqual(b);
      }),
      { numRuns: 200 },
    );
  });
});

type Move =
  | { readonly kind: 'report'; readonly pick: number; readonly how: number }
  | { readonly kind: 'claim'; readonly pick: number }
  | { readonly kind: 'later'; readonly ms: number }
  | { readonly kind: 'wake' }
  | { readonly kind: 'life'; readonly what: 'pause' | 'resume' | 'retry' | 'terminate' };

const moves: fc.Arbitrary<Move[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ kind: fc.constant('report' as const), pick: fc.nat(), how: fc.nat(9) }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('claim' as const), pick: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('later' as const), ms: fc.nat(9000) }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'wake' as const }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('life' as const),
        what: fc.constantFrom(
          'pause' as const,
          'resume' as const,
          'resume' as const,
          'retry' as const,
          'terminate' as const,
        ),
      }),
    },
  ),
  { minLength: 5, maxLength: 40 },
);

function reportOf(task: Task, how: number): Command {
  if (how < 5) return update(task.taskId, { outputData: { value: how } });
  if (how < 7) return update(task.taskId, { status: 'FAILED' });
  if (how === 7) return update(task.taskId, { status: 'FAILED_WITH_TERMINAL_ERROR' });
  const callback = how === 8 ? { callbackAfterSeconds: 2 } : {};
  return update(task.taskId, { status: 'IN_PROGRESS', ...callback });
}

const claimed = (task: Task, now: number): Task => ({
  ...task,
  status: 'IN_PROGRESS',
  queued: false,
  pollCount: task.pollCount + 1,
  callbackAfterSeconds: 0,
  startTime: task.startTime ?? now,
  updateTime: now,
});

/** Plays the moves and gives `check` each decision: the state before, the commands, the time. */
function perform(
  start: WorkflowState,
  list: readonly Move[],
  check: (state: WorkflowState, commands: readonly Command[], now: number) => WorkflowState,
): void {
  let state = start;
  let now = START;
  let wakeAt: number | undefined;
  const step = (commands: readonly Command[]): void => {
    state = check(state, commands, now);
    wakeAt = decide(bare(state), [], now).wakeAt;
  };
  step([command('start')]);
  for (const move of list) {
    switch (move.kind) {
      case 'report': {
        const rows = state.tasks;
        const picked = rows[move.pick % Math.max(1, rows.length)];
        if (picked !== undefined) step([reportOf(picked, move.how)]);
        break;
      }
      case 'claim': {
        const queued = state.tasks.filter((task) => task.queued && task.dueAt <= now);
        const picked = queued[move.pick % Math.max(1, queued.length)];
        if (picked !== undefined) {
          state = withTasks(state, [claimed(picked, now)]);
          step([]);
        }
        break;
      }
      case 'later':
        now += move.ms;
        break;
      case 'wake':
        now = Math.max(now, wakeAt ?? now);
        step([command('wake')]);
        break;
      case 'life':
        step([move.what === 'terminate' ? terminate('enough') : command(move.what)]);
        break;
      default:
        move satisfies never;
    }
  }
}

const timed = fc.tuple(
  definitions({ permissive: true, waits: true }),
  fc.constantFrom(0, 0, 25),
  timedTaskDefs,
  moves,
);

function always(
  run: (state: WorkflowState, commands: readonly Command[], now: number) => WorkflowState,
  numRuns = 250,
): void {
  fc.assert(
    fc.property(timed, ([def, timeoutSeconds, defs, list]) => {
      const whole: WorkflowDef = {
        ...def,
        timeoutSeconds,
        timeoutPolicy: 'TIME_OUT_WF',
        failureWorkflow: 'after',
      };
      perform(
        newWorkflow({ workflowId: WORKFLOW_ID, definition: whole, taskDefs: defs, now: START }),
        list,
        run,
      );
    }),
    { numRuns },
  );
}

describe('whatever happens to a workflow', () => {
  it('deciding from bare rows gives what deciding from the remembered index gives', () => {
    always((state, commands, now) => {
      const fromRows = decide(bare(state), commands, now);
      const fromIndex = decide(state, commands, now);
      expect(fromIndex).toEqual(fromRows);
      return fromIndex.state;
    });
  });

  it('deciding again on the outcome changes nothing', () => {
    always((state, commands, now) => {
      const outcome = decide(state, commands, now);
      for (const again of [decide(outcome.state, [], now), decide(outcome.state, [command('wake')], now)]) {
        expect(again.state).toBe(outcome.state);
        expect(again.changedTasks).toEqual([]);
        expect(again.effects).toEqual([]);
        expect(again.wakeAt).toBe(outcome.wakeAt);
      }
      return outcome.state;
    });
  });

  it('wakeAt is the first moment at which a look at the clock changes something', () => {
    always((state, commands, now) => {
      const { state: next, wakeAt } = decide(state, commands, now);
      const changesAt = (at: number): boolean => {
        const copy = bare(next);
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
    }, 150);
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
          // Only a JOIN goes back, when its workflow is retried.
          expect(later.taskType).toBe('JOIN');
        }
      });
      if (next.workflow.endTime !== undefined) {
        expect(next.tasks.every(({ status, queued }) => isTerminalTask(status) && !queued)).toBe(true);
      }
      return next;
    });
  });
});
