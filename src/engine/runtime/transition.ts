import type { AuditEvent } from '../../audit/audit.js';
import type { Instant } from '../../clock.js';
import type { Lease, TaskWrite, TimerWrite, WorkflowWrite } from '../execution-store.js';
import { decide } from '../decider/decide.js';
import { taskOf, withTasks } from '../decider/transition.js';
import type {
  Actor,
  Command,
  DeciderOutcome,
  Effect,
  RejectedCommand,
  ScriptNeed,
  WorkflowState,
} from '../model/command.js';
import type { TaskDef } from '../model/definition.js';
import { isTerminalTask, isTerminalWorkflow, type Task, type Workflow } from '../model/execution.js';
import type { PayloadLimits } from '../model/payload-limits.js';
import { isSameValue } from '../payloads/placeholder.js';
import { sealOutcome, wholeCommands, type Sealing } from '../payloads/seal.js';
import { isRecorded, type Entry, type EntryOutcome } from './entry.js';
import type { FairTags } from './fair-tags.js';
import { handedOver, handOverDeadline, leaseUntil, timeoutsOf } from './hand-over.js';
import type { Slots } from './slots.js';
import { bytesChange, openChange, payloadChange, type KnownWorkflow } from './workflow-cache.js';

/** What a transition uses of its process. */
export interface TransitionContext {
  readonly now: Instant;
  readonly incarnation: string;
  readonly slots: Slots;
  readonly fairTags: FairTags;
  readonly taskDefs: ReadonlyMap<string, TaskDef>;
  readonly limits?: PayloadLimits | undefined;
  /** Absent: every value is kept in its row. */
  readonly sealing?: Sealing | undefined;
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
  const sorted = sortOut(base, entries, applied);
  const extended = sorted.extends ? extendLeases(base, entries, context.now) : base;
  const { sealing } = context;
  const decision = decide(
    extended,
    sealing === undefined ? sorted.commands : wholeCommands(sorted.commands, sealing),
    context.now,
  );
  const { outcome, keys } =
    sealing === undefined
      ? { outcome: decision, keys: undefined }
      : sealOutcome(decision, extended, (task) => rowOf(known.state.tasks, task), isNew, sealing);
  const accepted = acceptedOf(sorted.commands, outcome.rejected);

  const changed = withExtended(outcome.changedTasks, base, extended);
  const handing = hand(known, isNew ? NO_TASKS : known.state.tasks, changed, sorted.commands, context);

  const timer = timerWrite(
    known,
    outcome.state,
    earliest(outcome.wakeAt, handing.deadline),
    sorted.isTimer,
    outcome,
    context.now,
  );
  const isChanged =
    isNew ||
    outcome.state.workflow !== known.state.workflow ||
    changed.length > 0 ||
    accepted.some(({ kind }) => kind !== 'wake');
  const needsWrite = isChanged || timer.kind !== 'keep' || sorted.consumed.length > 0;

  // What is handed over was changed by this decision, which made the list.
  const decided = withTasks(outcome.state, handing.handedOver, true);
  const revision = known.state.workflow.revision + 1;
  // A decision that changed something counted the revision up already.
  const state: WorkflowState =
    needsWrite && decided.workflow.revision !== revision
      ? { ...decided, workflow: { ...decided.workflow, revision } }
      : decided;
  const next: KnownWorkflow = {
    state,
    timerAt: timerAfter(known.timerAt, timer),
    fairTags: handing.fairTags,
    openTasks: known.openTasks + handing.openChange,
    bytes: known.bytes + handing.bytesChange + payloadChange(known.state.workflow, state.workflow),
  };

  return {
    workflowId: state.workflow.workflowId,
    before: isNew ? undefined : known.state,
    next,
    outcomes: answers(sorted, outcome.rejected, state),
    handedOver: handing.handedOver,
    queuedTypes: handing.queuedTypes,
    delayedUntil: handing.delayedUntil,
    endedTaskIds: handing.endedTaskIds,
    effects: outcome.effects,
    needs: outcome.needs,
    unfinished: outcome.unfinished,
    firedTimer:
      sorted.isTimer && known.timerAt !== undefined && known.timerAt <= context.now
        ? known.timerAt
        : undefined,
    write: needsWrite
      ? {
          workflow: state.workflow,
          isNew,
          headChanged: isNew || isHeadChanged(known.state.workflow, state.workflow),
          payloadChanged: isNew || isPayloadChanged(known.state.workflow, state.workflow),
          taskCount: state.tasks.length,
          openTaskCount: next.openTasks,
          tasks: handing.writes,
          timer,
          effects: outcome.effects,
          ...(keys !== undefined && keys.length > 0 && { payloadKeys: keys }),
          commandIds: accepted.filter(isRecorded).map(({ commandId }) => commandId),
          consumed: sorted.consumed,
          audit: accepted.flatMap((command) => auditOf(command, state, context.now)),
        }
      : undefined,
  };
}

const NO_TASKS: readonly Task[] = [];

const acceptedOf = (
  commands: readonly Command[],
  rejected: readonly RejectedCommand[],
): readonly Command[] =>
  rejected.length === 0
    ? commands
    : commands.filter((command) => !rejected.some(({ commandId }) => commandId === command.commandId));

/** What each entry is told, once the transition is stored. */
function answers(
  { decided, early, again }: Sorted,
  rejected: readonly RejectedCommand[],
  state: WorkflowState,
): (readonly [Entry, EntryOutcome])[] {
  const applied = { kind: 'applied', state } as const;
  const answered: (readonly [Entry, EntryOutcome])[] = early.map(([entry, late]) => [
    entry,
    late === undefined ? { kind: 'repeated', state } : { kind: 'rejected', rejection: late, state },
  ]);
  for (const entry of decided) {
    const command = commandOf(entry.request);
    const rejection = command && rejected.find(({ commandId }) => commandId === command.commandId);
    if (rejection === undefined) answered.push([entry, applied]);
    else if (rejection.reason === 'late' && saysWhatIsStored(state, command))
      answered.push([entry, { kind: 'repeated', state }]);
    else answered.push([entry, { kind: 'rejected', rejection, state }]);
  }
  if (again.length === 0) return answered;
  const told = new Map(answered.map(([entry, outcome]) => [entry, outcome]));
  for (const [entry, first] of again) {
    const outcome = told.get(first);
    answered.push([entry, outcome?.kind === 'rejected' ? outcome : { kind: 'repeated', state }]);
  }
  return answered;
}

const isPayloadChanged = (before: Workflow, after: Workflow): boolean =>
  before.output !== after.output || before.variables !== after.variables || before.input !== after.input;

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

/** The entries of a batch for one workflow, looked through. */
interface Sorted {
  /** To be decided, in their order. */
  readonly commands: readonly Command[];
  /** The entries that the decision answers: those of `commands`, and extensions of leases. */
  readonly decided: readonly Entry[];
  /** Answered without a decision: repeated (`undefined`), or reports of runs that lost their lease. */
  readonly early: readonly (readonly [Entry, RejectedCommand | undefined])[];
  /** Those that say what another entry of the batch says, and are told what that one is told. */
  readonly again: readonly (readonly [Entry, Entry])[];
  readonly extends: boolean;
  readonly isTimer: boolean;
  /** Inbox rows. */
  readonly consumed: readonly number[];
}

function sortOut(state: WorkflowState, entries: readonly Entry[], applied: ReadonlySet<string>): Sorted {
  const commands: Command[] = [];
  const decided: Entry[] = [];
  const early: (readonly [Entry, RejectedCommand | undefined])[] = [];
  const again: (readonly [Entry, Entry])[] = [];
  const consumed: number[] = [];
  let isExtending = false;
  let isTimer = false;
  for (const entry of entries) {
    const { request } = entry;
    isTimer ||= entry.timer;
    if (entry.inboxId !== undefined) consumed.push(entry.inboxId);
    if (request.kind === 'extend') {
      isExtending = true;
      decided.push(entry);
      continue;
    }
    const { command } = request;
    const { commandId } = command;
    const first = decided.find((earlier) => commandOf(earlier.request)?.commandId === commandId);
    if (applied.has(commandId)) {
      early.push([entry, undefined]);
    } else if (first !== undefined) {
      again.push([entry, first]);
    } else if (request.kind === 'command' && lostLease(state, command, request.lease)) {
      early.push([entry, { commandId, reason: 'late', message: 'The task was handed out again since.' }]);
    } else {
      commands.push(command);
      decided.push(entry);
    }
  }
  return { commands, decided, early, again, extends: isExtending, isTimer, consumed };
}

function lostLease(state: WorkflowState, command: Command, lease: number | undefined): boolean {
  if (lease === undefined || command.kind !== 'updateTask') return false;
  const task = taskOf(state, command.taskId);
  return task !== undefined && task.pollCount !== lease;
}

/**
 * A report of an attempt's end that agrees with how it did end is the same report again: its first answer was lost, or
 * COMMIT's was.
 */
function saysWhatIsStored(state: WorkflowState, command: Command | undefined): boolean {
  if (command?.kind !== 'updateTask') return false;
  const task = taskOf(state, command.taskId);
  return task?.status === command.status && isSameValue(task.outputData, command.outputData);
}

function extendLeases(state: WorkflowState, entries: readonly Entry[], now: Instant): WorkflowState {
  const leases = new Map<string, readonly (number | undefined)[]>();
  for (const { request } of entries) {
    if (request.kind !== 'extend') continue;
    for (const id of request.taskIds) leases.set(id, [...(leases.get(id) ?? []), request.lease]);
  }
  if (leases.size === 0) return state;
  const isExtended = ({ taskId, status, pollCount }: Task): boolean => {
    const asked = leases.get(taskId);
    return (
      status === 'IN_PROGRESS' &&
      asked !== undefined &&
      (asked.includes(undefined) || asked.includes(pollCount))
    );
  };
  return withTasks(
    state,
    state.tasks.filter(isExtended).map((task) => ({ ...task, updateTime: now })),
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
  stored: readonly Task[],
  changed: readonly Task[],
  commands: readonly Command[],
  { now, incarnation, slots, fairTags, taskDefs }: TransitionContext,
) {
  const tags = new Map(known.fairTags);
  const writes: TaskWrite[] = [];
  const given: Task[] = [];
  const queuedTypes: string[] = [];
  const endedTaskIds: string[] = [];
  let deadline: Instant | undefined;
  let delayedUntil: Instant | undefined;
  let open = 0;
  let bytes = 0;
  for (const task of changed) {
    const old = rowOf(stored, task);
    const timeouts = timeoutsOf(task, taskDefs);
    let row = task;
    let lease: 'keep' | Lease | undefined =
      old !== undefined && !task.queued && task.status === 'IN_PROGRESS' && !isReported(task, commands)
        ? 'keep'
        : undefined;
    let fairTag = 0;
    if (isTerminalTask(task.status)) {
      endedTaskIds.push(task.taskId);
    } else if (task.queued) {
      fairTag = fairTags.next(task.taskType, tags.get(task.taskType) ?? 0);
      tags.set(task.taskType, fairTag);
      if (task.dueAt > now) {
        delayedUntil = earliest(delayedUntil, task.dueAt);
      } else if (slots.tryReserve(task, now)) {
        row = handedOver(task, incarnation, now);
        lease = { owner: incarnation, until: leaseUntil(now, timeouts) };
        given.push(row);
        deadline = earliest(deadline, handOverDeadline(row, timeouts, now, true));
      } else if (!queuedTypes.includes(task.taskType)) {
        queuedTypes.push(task.taskType);
      }
    }
    open += openChange(old, row);
    bytes += bytesChange(old, row);
    writes.push({
      task: row,
      kind: old === undefined ? 'new' : isOnlyEnded(old, row, fairTag) ? 'ended' : 'changed',
      inputChanged: old?.inputData !== task.inputData,
      outputChanged: old?.outputData !== task.outputData,
      lease,
      fairTag,
      responseTimeoutMs: timeouts.responseTimeoutMs,
      executionTimeoutMs: timeouts.executionTimeoutMs,
    });
  }
  return {
    writes,
    handedOver: given,
    queuedTypes,
    endedTaskIds,
    deadline,
    delayedUntil,
    openChange: open,
    bytesChange: bytes,
    fairTags: tags,
  };
}

const isReported = ({ taskId }: Task, commands: readonly Command[]): boolean =>
  commands.some((command) => command.kind === 'updateTask' && command.taskId === taskId);

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

const earliest = (a: Instant | undefined, b: Instant | undefined): Instant | undefined =>
  a === undefined || (b !== undefined && b < a) ? b : a;

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
