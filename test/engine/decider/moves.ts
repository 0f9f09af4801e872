import * as fc from 'fast-check';
import { decide } from '../../../src/engine/decider/decide.js';
import { withTasks } from '../../../src/engine/decider/transition.js';
import type { Command, ScriptNeed, WorkflowState } from '../../../src/engine/model/command.js';
import { isTerminalTask } from '../../../src/engine/model/execution.js';
import type { EndedStatus, Task } from '../../../src/engine/model/execution.js';
import {
  START,
  childEnded,
  childRetried,
  command,
  evaluated,
  forgetful,
  terminate,
  update,
} from './fixtures.js';

type Life = 'pause' | 'resume' | 'retry' | 'terminate';

/** Something that happens to a workflow, before it is known what it meets there. */
export type Move =
  /** `late`: on whatever there is, ended or not. */
  | { readonly kind: 'report'; readonly pick: number; readonly how: number; readonly late: boolean }
  | { readonly kind: 'claim'; readonly pick: number }
  | { readonly kind: 'answer'; readonly pick: number; readonly how: number }
  | { readonly kind: 'child'; readonly pick: number; readonly status: EndedStatus; readonly late: boolean }
  /** `agoMs`: the message was a while on its way. */
  | { readonly kind: 'again'; readonly pick: number; readonly agoMs: number }
  | { readonly kind: 'later'; readonly ms: number }
  | { readonly kind: 'wake' }
  | { readonly kind: 'life'; readonly what: Life };

const picked = <K extends string>(kind: K) => ({ kind: fc.constant(kind), pick: fc.nat() });

const oneIn = (n: number): fc.Arbitrary<boolean> => fc.nat(n - 1).map((i) => i === 0);
const good = (n: number): 'COMPLETED'[] => Array.from({ length: n }, () => 'COMPLETED');

export const moves: fc.Arbitrary<Move[]> = fc.array(
  fc.oneof(
    { weight: 10, arbitrary: fc.record({ ...picked('report'), how: fc.nat(19), late: oneIn(8) }) },
    { weight: 3, arbitrary: fc.record(picked('claim')) },
    { weight: 6, arbitrary: fc.record({ ...picked('answer'), how: fc.nat(9) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        ...picked('child'),
        late: oneIn(8),
        status: fc.constantFrom<EndedStatus>(...good(7), 'FAILED', 'FAILED', 'TIMED_OUT', 'TERMINATED'),
      }),
    },
    { weight: 3, arbitrary: fc.record({ ...picked('again'), agoMs: fc.constantFrom(0, 0, 0, 1, 3_000) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('later' as const), ms: fc.nat(9000) }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'wake' as const }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('life' as const),
        what: fc.constantFrom<Life>('pause', 'resume', 'resume', 'retry', 'retry', 'retry', 'terminate'),
      }),
    },
  ),
  { minLength: 5, maxLength: 60, size: 'max' },
);

function reportOf(task: Task, how: number): Command {
  if (how < 14) return update(task.taskId, { outputData: { value: how % 5 } });
  if (how < 17) return update(task.taskId, { status: 'FAILED' });
  if (how === 17) return update(task.taskId, { status: 'FAILED_WITH_TERMINAL_ERROR' });
  const callback = how === 18 ? { callbackAfterSeconds: 2 } : {};
  return update(task.taskId, { status: 'IN_PROGRESS', ...callback });
}

const answerOf = (need: ScriptNeed, how: number): Command =>
  evaluated(
    need,
    how === 9
      ? { ok: false, message: 'broken' }
      : { ok: true, value: [true, 1, 2, true, false, 0, 'true', null, -1][how] ?? null },
  );

const claimed = (task: Task, now: number): Task => ({
  ...task,
  status: 'IN_PROGRESS',
  queued: false,
  pollCount: task.pollCount + 1,
  callbackAfterSeconds: 0,
  startTime: task.startTime ?? now,
  updateTime: now,
});

/** What is done with a workflow on its way. */
export interface Witness {
  /** A decision: on which state, about what, when. @returns the state after it. */
  decided(state: WorkflowState, commands: readonly Command[], now: number): WorkflowState;
  /** A worker has taken the task in this position. */
  claimed?(position: number, now: number): void;
}

/** Plays the moves on whatever they meet: also on tasks that have ended, and on what was answered before. */
export function perform(start: WorkflowState, list: readonly Move[], witness: Witness): void {
  let state = start;
  let now = START;
  let wakeAt: number | undefined;
  let needs: readonly ScriptNeed[] = [];
  const step = (commands: readonly Command[]): void => {
    state = witness.decided(state, commands, now);
    const look = decide(forgetful(state), [], now);
    ({ wakeAt } = look);
    // Now and then a result comes twice.
    needs = [...look.needs, ...needs.slice(0, 1)];
  };
  const pick = <T>(from: readonly T[], n: number): T | undefined => from[n % Math.max(1, from.length)];
  step([command('start')]);
  for (const move of list) {
    switch (move.kind) {
      case 'report': {
        const isOpen = (task: Task): boolean =>
          !isTerminalTask(task.status) && ['SIMPLE', 'HUMAN', 'WAIT'].includes(task.workflowTask.type);
        const task = pick(move.late ? state.tasks : state.tasks.filter(isOpen), move.pick);
        if (task !== undefined) step([reportOf(task, move.how)]);
        break;
      }
      case 'answer': {
        const need = pick(needs, move.pick);
        if (need !== undefined) step([answerOf(need, move.how)]);
        break;
      }
      case 'child': {
        const task = pick(
          state.tasks.filter(
            ({ subWorkflowId, status }) =>
              subWorkflowId !== undefined && (move.late || !isTerminalTask(status)),
          ),
          move.pick,
        );
        const { status } = move;
        const endTime = move.late ? now - 1_000 : now + 1;
        if (task !== undefined) step([childEnded(task, { status, output: { value: task.seq }, endTime })]);
        break;
      }
      case 'again': {
        const task = pick(
          state.tasks.filter(({ subWorkflowId }) => subWorkflowId !== undefined),
          move.pick,
        );
        if (task !== undefined) step([childRetried(task, { retriedAt: now + 2 - move.agoMs })]);
        break;
      }
      case 'claim': {
        const queued = state.tasks.filter((task) => task.queued && task.dueAt <= now);
        const task = pick(queued, move.pick);
        if (task !== undefined) {
          state = withTasks(state, [claimed(task, now)]);
          witness.claimed?.(
            state.tasks.findIndex(({ taskId }) => taskId === task.taskId),
            now,
          );
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
