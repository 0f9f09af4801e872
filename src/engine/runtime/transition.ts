import { isDeepStrictEqual } from 'node:util';
import type { AuditEvent } from '../../audit/audit.js';
import type { Instant } from '../../clock.js';
import type { Lease, TaskWrite, TimerWrite, WorkflowWrite } from '../execution-store.js';
import { decide } from '../decider/decide.js';
import { withTasks } from '../decider/transition.js';
import type { Actor, Command, DeciderOutcome, Effect, ScriptNeed, WorkflowState } from '../model/command.js';
import type { TaskDef } from '../model/definition.js';
import { isTerminalTask, isTerminalWorkflow, type Task, type Workflow } from '../model/execution.js';
import type { PayloadLimits } from '../model/payload-limits.js';
import { isRecorded, type Entry, type EntryOutcome } from './entry.js';
import type { FairTags } from './fair-tags.js';
import { handedOver, handOverDeadline, leaseUntil, timeoutsOf } from './hand-over.js';
import type { Slots } from './slots.js';
import type { KnownWorkflow } from './workflow-cache.js';

/** What a transition uses of its process. */
export interface TransitionContext {
  readonly now: Instant;
  readonly incarnation: string;
  readonly slots: Slots;
  readonly fairTags: FairTags;
  readonly taskDefs: ReadonlyMap<string, TaskDef>;
  readonly limits?: PayloadLimits | undefined;
}

/** One workflow's part of a batch, decided and not yet stored. */
export interface Transition {
  readonly workflowId: string;
  /** What was decided on; `undefined` for a new workflow. */
  readonly before: WorkflowState | undefined;
  /** `undefined` when nothing changed. */
  readonly write: WorkflowWrite | undefined;
  readonly next: KnownWorkflow;
  readonly outcomes: readonly (readonly [Entry, EntryOutcome])[];
  /** Each holds a slot, which a rollback frees. */
  readonly handedOver: readonly Task[];
  /** Types with a new task that has to be claimed. */
  readonly queuedTypes: readonly string[];
  /** The earliest time at which a task that must wait first becomes claimable. */
  readonly delayedUntil: Instant | undefined;
  readonly endedTaskIds: readonly string[];
  readonly effects: readonly Effect[];
  /** Scripts to evaluate after the commit. */
  readonly needs: readonly ScriptNeed[];
  readonly unfinished: boolean;
  /** When the timer was due that brought this about; `undefined` when none did. */
  readonly firedTimer: Instant | undefined;
}

// An unfinished transition's wake is given at once in memory, and a needed script is evaluated at once; the row is there
// for a crash in between, and for a script that found no room.
const RESERVE_MS = 5_000;

// A deadline that lies in the past again right after its wake would spin.
const REPEATED_WAKE_MS = 1_000;

/** Decides the entries of one locked workflow. `isNew`: it has no row yet. */
export function transition(
  known: KnownWorkflow,
  entries: readonly Entry[],
  applied: ReadonlySet<string>,
  isNew: boolean,
  context: TransitionContext,
): Transition {
  const base = equipped(known.state, context);
  const { commands, early } = sortOut(base, entries, applied);
  const extended = extendLeases(base, entries, context.now);
  const outcome = decide(
    extended,
    commands.flatMap(({ request }) => commandOf(request) ?? []),
    context.now,
  );
  const rejected = new Map(outcome.rejected.map((rejection) => [rejection.commandId, rejection]));
  const accepted = commands.filter(({ request }) => !rejected.has(commandOf(request)?.commandId ?? ''));

  const changed = withExtended(outcome.changedTasks, base, extended);
  const reported = new Set(
    commands.flatMap(({ request }) => {
      const command = commandOf(request);
      return command?.kind === 'updateTask' ? [command.taskId] : [];
    }),
  );
  const handing = hand(
    isNew ? { ...known, state: { ...known.state, tasks: [] } } : known,
    changed,
    reported,
    context,
  );

  const timerEntry = entries.some((entry) => entry.timer);
  const timer = timerWrite(
    known,
    outcome.state,
    earliest(outcome.wakeAt, ...handing.deadlines),
    timerEntry,
    outcome,
    context.now,
  );
  const isChanged =
    isNew ||
    outcome.state.workflow !== known.state.workflow ||
    changed.length > 0 ||
    accepted.some((entry) => commandOf(entry.request)?.kind !== 'wake');
  const needsWrite = isChanged || timer.kind !== 'keep' || entries.some((e) => e.inboxId !== undefined);

  const decided = withTasks(outcome.state, handing.handedOver);
  const revision = known.state.workflow.revision + 1;
  const state: WorkflowState = needsWrite
    ? { ...decided, workflow: { ...decided.workflow, revision } }
    : decided;
  const next: KnownWorkflow = {
    state,
    timerAt: timerAfter(known.timerAt, timer),
    fairTags: handing.fairTags,
  };

  return {
    workflowId: state.workflow.workflowId,
    before: isNew ? undefined : known.state,
    next,
    outcomes: [
      ...early.map(([entry, outcomeIn]) => [entry, outcomeIn(state)] as const),
      ...commands.map((entry) => {
        const command = commandOf(entry.request);
        const rejection = rejected.get(command?.commandId ?? '');
        return [
          entry,
          rejection === undefined
            ? ({ kind: 'applied', state } as const)
            : saysWhatIsStored(state, command)
              ? ({ kind: 'repeated', state } as const)
              : ({ kind: 'rejected', rejection, state } as const),
        ] as const;
      }),
      ...entries
        .filter(({ request }) => request.kind === 'extend')
        .map((entry) => [entry, { kind: 'applied', state }] as const),
    ],
    handedOver: handing.handedOver,
    queuedTypes: handing.queuedTypes,
    delayedUntil: handing.delayedUntil,
    endedTaskIds: changed.filter((task) => isTerminalTask(task.status)).map((task) => task.taskId),
    effects: outcome.effects,
    needs: outcome.needs,
    unfinished: outcome.unfinished,
    firedTimer:
      timerEntry && known.timerAt !== undefined && known.timerAt <= context.now ? known.timerAt : undefined,
    write: needsWrite
      ? {
          workflow: state.workflow,
          isNew,
          headChanged: isNew || isHeadChanged(known.state.workflow, state.workflow),
          payloadChanged:
            isNew ||
            state.workflow.output !== known.state.workflow.output ||
            state.workflow.variables !== known.state.workflow.variables ||
            state.workflow.input !== known.state.workflow.input,
          taskCount: state.tasks.length,
          openTaskCount: state.tasks.reduce((n, task) => (isTerminalTask(task.status) ? n : n + 1), 0),
          tasks: handing.writes,
          timer,
          effects: outcome.effects,
          commandIds: accepted.flatMap(({ request }) => {
            const command = commandOf(request);
            return command !== undefined && isRecorded(command) ? [command.commandId] : [];
          }),
          consumed: entries.flatMap(({ inboxId }) => (inboxId === undefined ? [] : [inboxId])),
          audit: accepted.flatMap(({ request }) => auditOf(commandOf(request), state, context.now)),
        }
      : undefined,
  };
}

const isHeadChanged = (before: Workflow, after: Workflow): boolean =>
  before.status !== after.status ||
  before.runEpoch !== after.runEpoch ||
  before.endTime !== after.endTime ||
  before.lastRetriedTime !== after.lastRetriedTime ||
  before.reasonForIncompletion !== after.reasonForIncompletion ||
  before.failedReferenceTaskNames !== after.failedReferenceTaskNames;

const commandOf = (request: Entry['request']): Command | undefined =>
  request.kind === 'extend' ? undefined : request.command;

/** The state with this process's registered definitions and limits, which no row holds. */
const equipped = (state: WorkflowState, { taskDefs, limits }: TransitionContext): WorkflowState =>
  state.taskDefs === taskDefs && state.limits === limits ? state : { ...state, taskDefs, limits };

/** Takes out what was applied before and reports of runs that lost their lease. */
function sortOut(state: WorkflowState, entries: readonly Entry[], applied: ReadonlySet<string>) {
  const early: (readonly [Entry, (state: WorkflowState) => EntryOutcome])[] = [];
  const commands: Entry[] = [];
  const seen = new Set<string>();
  for (const entry of entries) {
    const { request } = entry;
    if (request.kind === 'extend') continue;
    const { commandId } = request.command;
    if (applied.has(commandId) || seen.has(commandId)) {
      early.push([entry, (after) => ({ kind: 'repeated', state: after })]);
    } else if (request.kind === 'command' && lostLease(state, request.command, request.lease)) {
      const message = 'The task was handed out again since.';
      const rejection = { commandId, reason: 'late', message } as const;
      early.push([entry, (after) => ({ kind: 'rejected', rejection, state: after })]);
    } else {
      seen.add(commandId);
      commands.push(entry);
    }
  }
  return { commands, early };
}

function lostLease(state: WorkflowState, command: Command, lease: number | undefined): boolean {
  if (lease === undefined || command.kind !== 'updateTask') return false;
  const task = state.tasks.find(({ taskId }) => taskId === command.taskId);
  return task !== undefined && task.pollCount !== lease;
}

/**
 * A report of an attempt's end that agrees with how it did end is the same report again: its first answer was lost, or
 * COMMIT's was.
 */
function saysWhatIsStored(state: WorkflowState, command: Command | undefined): boolean {
  if (command?.kind !== 'updateTask') return false;
  const task = state.tasks.find(({ taskId }) => taskId === command.taskId);
  return task?.status === command.status && isDeepStrictEqual(task.outputData, command.outputData);
}

function extendLeases(state: WorkflowState, entries: readonly Entry[], now: Instant): WorkflowState {
  const taskIds = new Set(
    entries.flatMap(({ request }) => (request.kind === 'extend' ? request.taskIds : [])),
  );
  if (taskIds.size === 0) return state;
  return withTasks(
    state,
    state.tasks
      .filter(({ taskId, status }) => taskIds.has(taskId) && status === 'IN_PROGRESS')
      .map((task) => ({ ...task, updateTime: now })),
  );
}

/** The decider names the rows that it changed; the rows whose lease was extended before are added. */
function withExtended(
  changed: readonly Task[],
  base: WorkflowState,
  extended: WorkflowState,
): readonly Task[] {
  if (base.tasks === extended.tasks) return changed;
  const named = new Set(changed.map(({ taskId }) => taskId));
  return [
    ...changed,
    ...extended.tasks.filter((task, index) => task !== base.tasks[index] && !named.has(task.taskId)),
  ];
}

/** Says for each changed row whether it goes to a worker of this process now, or waits, or neither. */
function hand(
  known: KnownWorkflow,
  changed: readonly Task[],
  reported: ReadonlySet<string>,
  { now, incarnation, slots, fairTags, taskDefs }: TransitionContext,
) {
  const tags = new Map(known.fairTags);
  const writes: TaskWrite[] = [];
  const given: Task[] = [];
  const queuedTypes = new Set<string>();
  const deadlines: Instant[] = [];
  let delayedUntil = Infinity;
  for (const task of changed) {
    const old = rowOf(known.state.tasks, task);
    const timeouts = timeoutsOf(task, taskDefs);
    let stored = task;
    let lease: 'keep' | Lease | undefined =
      old !== undefined && !task.queued && task.status === 'IN_PROGRESS' && !reported.has(task.taskId)
        ? 'keep'
        : undefined;
    let fairTag = 0;
    if (task.queued && !isTerminalTask(task.status)) {
      fairTag = fairTags.next(task.taskType, tags.get(task.taskType) ?? 0);
      tags.set(task.taskType, fairTag);
      if (task.dueAt <= now) {
        if (slots.tryReserve(task.taskType)) {
          stored = handedOver(task, incarnation, now);
          lease = { owner: incarnation, until: leaseUntil(now, timeouts) };
          given.push(stored);
          const deadline = handOverDeadline(stored, timeouts, now, true);
          if (deadline !== undefined) deadlines.push(deadline);
        } else {
          queuedTypes.add(task.taskType);
        }
      } else {
        delayedUntil = Math.min(delayedUntil, task.dueAt);
      }
    }
    writes.push({
      task: stored,
      kind: old === undefined ? 'new' : isOnlyEnded(old, stored, fairTag) ? 'ended' : 'changed',
      inputChanged: old?.inputData !== task.inputData,
      outputChanged: old?.outputData !== task.outputData,
      lease,
      fairTag,
      ...timeouts,
    });
  }
  return {
    writes,
    handedOver: given,
    queuedTypes: [...queuedTypes],
    deadlines,
    delayedUntil: delayedUntil === Infinity ? undefined : delayedUntil,
    fairTags: tags,
  };
}

/** Whether an attempt's end is all that sets a row apart from what is stored. */
const isOnlyEnded = (old: Task, task: Task, fairTag: number): boolean =>
  fairTag === 0 &&
  isTerminalTask(task.status) &&
  !old.queued &&
  !task.queued &&
  !task.retried &&
  old.inputData === task.inputData &&
  old.workerId === task.workerId &&
  old.pollCount === task.pollCount &&
  old.startTime === task.startTime &&
  old.iteration === task.iteration &&
  old.subWorkflowId === task.subWorkflowId &&
  old.reasonForIncompletion === task.reasonForIncompletion &&
  old.callbackAfterSeconds === task.callbackAfterSeconds &&
  old.dueAt === task.dueAt &&
  !old.retried;

/** The row of the same task; `tasks` is ordered by `seq`. */
export function rowOf(tasks: readonly Task[], { seq, taskId }: Task): Task | undefined {
  let low = 0;
  let high = tasks.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const row = tasks[middle];
    if (row === undefined) return undefined;
    if (row.seq === seq) return row.taskId === taskId ? row : undefined;
    if (row.seq < seq) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
}

const earliest = (...times: readonly (Instant | undefined)[]): Instant | undefined => {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
};

function timerWrite(
  known: KnownWorkflow,
  state: WorkflowState,
  wakeAt: Instant | undefined,
  wasTimer: boolean,
  { unfinished, needs }: DeciderOutcome,
  now: Instant,
): TimerWrite {
  if (isTerminalWorkflow(state.workflow.status)) {
    return known.timerAt === undefined && !wasTimer ? { kind: 'keep' } : { kind: 'clear' };
  }
  const reserve = unfinished || needs.length > 0 ? now + RESERVE_MS : undefined;
  const at = unfinished ? reserve : earliest(wakeAt, reserve);
  if (wasTimer) {
    if (at === undefined) return { kind: 'clear' };
    return { kind: 'exactly', at: at <= now ? now + REPEATED_WAKE_MS : at };
  }
  if (at === undefined || (known.timerAt !== undefined && known.timerAt <= at)) return { kind: 'keep' };
  return { kind: 'earlier', at };
}

const timerAfter = (before: Instant | undefined, timer: TimerWrite): Instant | undefined =>
  timer.kind === 'keep' ? before : timer.kind === 'clear' ? undefined : timer.at;

const PAST_TENSE = {
  start: 'started',
  terminate: 'terminated',
  pause: 'paused',
  resume: 'resumed',
  retry: 'retried',
} as const;

/** What somebody asked for, as against what the engine and its workers report. */
const isLifeCycle = (command: Command): command is Extract<Command, { kind: keyof typeof PAST_TENSE }> =>
  Object.hasOwn(PAST_TENSE, command.kind);

export const actorName = (actor: Actor): string => `${actor.kind}:${actor.id}`;

function auditOf(command: Command | undefined, { workflow }: WorkflowState, now: Instant): AuditEvent[] {
  if (command === undefined || !isLifeCycle(command)) return [];
  // What the service starts by itself stands in the workflow's own row; the trail is for what people and keys do.
  if (command.kind === 'start' && command.actor.kind === 'system') return [];
  return [
    {
      at: now,
      actor: actorName(command.actor),
      action: `workflow.${PAST_TENSE[command.kind]}`,
      subject: `workflow:${workflow.workflowId}`,
      data: {
        name: workflow.workflowName,
        version: workflow.workflowVersion,
        ...(command.kind === 'terminate' ? { reason: command.reason } : {}),
      },
    },
  ];
}
