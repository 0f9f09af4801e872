import type { Clock } from '../../clock.js';
import { isDatabaseAway } from '../../database/is-away.js';
import { AppError, InvalidInput, Unavailable } from '../../errors.js';
import {
  StoreFailure,
  type BatchResult,
  type ExecutionStore,
  type InboxRow,
  type LockedWorkflow,
} from '../execution-store.js';
import { withTasks } from '../decider/transition.js';
import type { TaskDef } from '../model/definition.js';
import type { ScriptNeed } from '../model/command.js';
import { isTerminalWorkflow, type Task, type Workflow } from '../model/execution.js';
import type { PayloadLimits } from '../model/payload-limits.js';
import { isRecorded, type Entry, type EntryOutcome, type Request } from './entry.js';
import type { FairTags } from './fair-tags.js';
import { tell, type CommitFacts, type CommitObserver } from './commit-observer.js';
import { Patience, refusal } from './patience.js';
import { CommitQueue, type Mailbox, type QueueLimits } from './queue.js';
import { isPayloadFault, type PayloadFaults } from '../payloads/payload-faults.js';
import { PayloadsLost } from '../payloads/payloads-lost.js';
import { roughBytes } from './rough-bytes.js';
import type { Slots } from './slots.js';
import { Trust } from './trust.js';
import { rowOf, transition, type Transition } from './transition.js';
import {
  bytesChange,
  knownWorkflow,
  openChange,
  payloadChange,
  type KnownWorkflow,
  type WorkflowCache,
} from './workflow-cache.js';
import type { CrashPoints } from './crash-points.js';
import type { RuntimeLog } from './runtime-log.js';
import type { Tally } from './tally.js';

/** What must happen in the process after a commit. */
export interface CommitListener {
  /** Tasks that were stored as held by this process, each with its slot; and their workflow's trace. */
  handedOver(tasks: readonly Task[], traceparent: string | undefined): void;
  /** A due task of these types waits to be claimed. */
  queued(taskTypes: readonly string[]): void;
  /** These attempts are over; runs of them must stop. */
  ended(taskIds: readonly string[]): void;
  /** Something becomes due at this time. */
  dueAt(at: number): void;
  /** Effects on other workflows are in the inbox, for whoever claims them. */
  effects(): void;
  /** The same, held by this process from the beginning. */
  held(rows: readonly InboxRow[]): void;
  /** A workflow waits for these scripts. */
  needs(workflow: Workflow, needs: readonly ScriptNeed[]): void;
}

export interface CommitterOptions extends QueueLimits {
  readonly lanes: number;
  readonly maxBatchWorkflows: number;
  readonly maxBatchBytes: number;
  /** A client's call is given up when the database did not answer for so long. */
  readonly giveUpAfterMs: number;
}

export const COMMITTER_DEFAULTS: CommitterOptions = {
  // Two keep the database and this process busy in turn; a third hides an fsync.
  lanes: 3,
  maxBatchWorkflows: 125,
  maxBatchBytes: 4 * 1024 * 1024,
  maxCount: 20_000,
  maxBytes: 64 * 1024 * 1024,
  giveUpAfterMs: 20_000,
};

interface Parts {
  readonly store: ExecutionStore;
  readonly cache: WorkflowCache;
  readonly clock: Clock;
  readonly slots: Slots;
  readonly fairTags: FairTags;
  readonly incarnation: () => string;
  /** Who holds the inbox rows that a batch adds; `undefined` leaves them to whoever claims them. */
  readonly inboxOwner: () => string | undefined;
  /** Whether other nodes work on the same workflows. */
  readonly hasPeers: () => boolean;
  readonly taskDefs: () => ReadonlyMap<string, TaskDef>;
  readonly limits?: PayloadLimits | undefined;
  /** Absent: every value is kept in its row. */
  readonly payloads?: PayloadFaults | undefined;
  readonly crash: CrashPoints;
  readonly listener: CommitListener;
  readonly observers: readonly CommitObserver[];
  readonly tally: Tally;
  readonly log: RuntimeLog;
  readonly options: CommitterOptions;
}

type Batch = { mailbox: Mailbox; entries: Entry[] }[];

// After so many times behind somebody's lock (about half a second), a blocking transaction takes the workflow.
const MAX_BUSY_TIMES = 14;
const MAX_BUSY_PAUSE_MS = 50;
const MAX_BACK_OFF_MS = 2_000;

/**
 * Decides and stores, in batches. A lane that is free takes what is queued; there is no timer. Nothing is answered
 * before it is on disk.
 */
export class Committer {
  private readonly queue: CommitQueue;
  private freeLanes: number;
  private isPumping = false;
  private isStopped = false;
  private idleWaiters: (() => void)[] = [];
  private blocking: Promise<void> = Promise.resolve();
  private readonly inFlight = new Set<Batch>();
  private readonly patience: Patience;
  private readonly trust = new Trust();

  constructor(private readonly parts: Parts) {
    this.queue = new CommitQueue(parts.options);
    this.freeLanes = parts.options.lanes;
    const { clock, options } = parts;
    this.patience = new Patience({ queue: this.queue, clock, inFlight: () => this.inFlight, ...options });
  }

  /** Resolves when the outcome is durable. Rejects with Overloaded, InvalidInput or Unavailable. */
  submit(
    workflowId: string,
    request: Request,
    from: { internal?: boolean; timer?: boolean; inboxId?: number } = {},
  ): Promise<EntryOutcome> {
    return new Promise((resolve, reject) => {
      if (this.isStopped) {
        reject(new Unavailable('engine', 'The engine is stopping; try another node or a little later.'));
        return;
      }
      const entry: Entry = {
        workflowId,
        request,
        bytes: bytesOf(request),
        since: this.parts.clock.now(),
        internal: from.internal ?? false,
        timer: from.timer ?? false,
        inboxId: from.inboxId,
        resolve,
        reject,
      };
      try {
        this.queue.add(entry);
      } catch (error) {
        if (request.kind === 'start') this.parts.tally.refusedStarts += 1;
        else this.parts.tally.refusedUpdates += 1;
        reject(error);
        return;
      }
      this.pump();
    });
  }

  get depth(): { count: number; bytes: number } {
    return this.queue.depth;
  }

  /** Resolves when everything that was submitted is answered. */
  idle(): Promise<void> {
    if (this.queue.isEmpty) return Promise.resolve();
    return new Promise((resolve) => this.idleWaiters.push(resolve));
  }

  /** Takes nothing more; what is in flight ends. */
  stop(): void {
    this.isStopped = true;
  }

  /**
   * Reads workflows that will be asked for soon, in a transaction that writes nothing. @returns about how many bytes they
   * take in the cache; whoever is locked by others is left out, and so is what is there already.
   */
  async readAhead(workflowIds: readonly string[]): Promise<number> {
    const { store, cache, clock, taskDefs } = this.parts;
    const cold = workflowIds.filter((id) => !cache.has(id));
    if (cold.length === 0) return 0;
    const members = cold.map((workflowId) => ({ workflowId, knownRevision: -1, commandIds: [] }));
    let bytes = 0;
    await store.commitBatch({ now: clock.now(), wait: false, inboxOwner: undefined, members }, (locked) => {
      for (const { changes } of locked) {
        if (changes === undefined || isTerminalWorkflow(changes.workflow.status)) continue;
        const known = merge(undefined, changes, taskDefs());
        cache.put(known);
        bytes += known.bytes;
      }
      return [];
    });
    return bytes;
  }

  /** All that this turn of the event loop submits goes into the same batch. */
  private pump(): void {
    if (this.isPumping) return;
    this.isPumping = true;
    setImmediate(() => {
      this.isPumping = false;
      const { maxBatchWorkflows, maxBatchBytes } = this.parts.options;
      while (this.freeLanes > 0 && this.queue.hasReady) {
        const batch = this.queue.take(maxBatchWorkflows, maxBatchBytes);
        this.freeLanes -= 1;
        void this.runLane(batch);
      }
    });
  }

  private async runLane(batch: Batch): Promise<void> {
    this.inFlight.add(batch);
    this.patience.begin();
    try {
      await this.commit(batch, false);
    } finally {
      this.inFlight.delete(batch);
      this.freeLanes += 1;
      if (this.queue.hasReady) this.pump();
      this.tellIdle();
    }
  }

  /** Stores a batch or the parts of it that can be stored; never rejects. */
  private async commit(batch: Batch, wait: boolean): Promise<void> {
    let isUnknown = false;
    let isSure = wait;
    for (let failures = 0; batch.length > 0;) {
      try {
        await this.attempt(batch, wait, !isSure);
        return;
      } catch (error) {
        if (error instanceof StoreFailure && error.kind === 'stale') {
          isSure = true;
          this.trust.betrayed();
          continue;
        }
        for (const { mailbox } of batch) this.parts.cache.drop(mailbox.workflowId);
        if (!(error instanceof StoreFailure)) {
          this.parts.log.error({ err: error }, 'a batch failed for a reason that nobody foresaw');
          this.refuse(batch, error);
          return;
        }
        if (error.kind === 'data') {
          await this.bisect(batch, wait, error);
          return;
        }
        if (error instanceof PayloadsLost) this.parts.payloads?.disown(error.keys);
        failures += 1;
        isUnknown ||= error.kind === 'unknown';
        this.parts.log.warn({ err: error, failures }, 'the database did not take a batch; trying again');
        const backOff = Math.min(MAX_BACK_OFF_MS, 20 * 2 ** Math.min(failures, 10));
        await this.parts.clock.sleepUntil(this.parts.clock.now() + backOff);
        batch = this.giveUpOld(batch, refusal(error, isUnknown));
      }
    }
  }

  /** One of them cannot be stored: halves find out which, and the others are stored. */
  private async bisect(batch: Batch, wait: boolean, error: StoreFailure): Promise<void> {
    if (batch.length > 1) {
      const middle = batch.length >> 1;
      await this.commit(batch.slice(0, middle), wait);
      await this.commit(batch.slice(middle), wait);
      return;
    }
    const [only] = batch;
    if (only === undefined) return;
    if (only.entries.length > 1) {
      // The mailbox stays ours between the single entries: their order is kept.
      for (const entry of only.entries) await this.commit([{ ...only, entries: [entry] }], wait);
      return;
    }
    const [entry] = only.entries;
    if (entry !== undefined && isRepeatedForEver(entry)) {
      const { workflowId } = entry;
      this.parts.log.error(
        { err: error, workflowId },
        'what comes next cannot be stored; the workflow fails',
      );
      await this.commit([{ ...only, entries: [failing(entry, error)] }], wait);
      return;
    }
    this.refuse(batch, new InvalidInput(`This cannot be stored: ${error.message}`, [], { cause: error }));
  }

  private giveUpOld(batch: Batch, answer: Unavailable): Batch {
    const oldest = this.parts.clock.now() - this.parts.options.giveUpAfterMs;
    const kept: Batch = [];
    for (const { mailbox, entries } of batch) {
      const tooOld = entries.filter((entry) => this.isStopped || (!entry.internal && entry.since < oldest));
      const rest = entries.filter((entry) => !tooOld.includes(entry));
      this.queue.settle(tooOld);
      for (const entry of tooOld) entry.reject(answer);
      if (rest.length > 0) kept.push({ mailbox, entries: rest });
      else this.releaseMailbox(mailbox);
    }
    return kept;
  }

  private refuse(batch: Batch, error: unknown): void {
    for (const { mailbox, entries } of batch) {
      this.queue.settle(entries);
      for (const entry of entries) entry.reject(error);
      this.releaseMailbox(mailbox);
    }
  }

  private async attempt(batch: Batch, wait: boolean, mayAssume: boolean): Promise<void> {
    const { store, cache, clock, slots, crash } = this.parts;
    const now = clock.now();
    const starts: Batch = [];
    const updates: Batch = [];
    for (const item of batch) {
      (item.entries[0]?.request.kind === 'start' ? starts : updates).push(item);
    }
    const known = new Map(
      updates.map(({ mailbox: { workflowId } }) => [workflowId, cache.get(workflowId)] as const),
    );
    const entriesOf = new Map(updates.map(({ mailbox, entries }) => [mailbox.workflowId, entries]));
    const decided: Transition[] = [];
    const defects = new Map<string, unknown>();
    let result: BatchResult;
    let decideMs = 0;
    const startedAt = performance.now();
    try {
      result = await store.commitBatch(
        {
          now,
          wait,
          assumed: mayAssume && this.isCertain(starts, updates, known) && this.trust.holds(),
          inboxOwner: this.parts.inboxOwner(),
          members: updates.map(({ mailbox: { workflowId }, entries }) => ({
            workflowId,
            knownRevision: known.get(workflowId)?.state.workflow.revision ?? -1,
            commandIds: entries.flatMap(({ request }) =>
              request.kind !== 'extend' && isRecorded(request.command) ? [request.command.commandId] : [],
            ),
          })),
        },
        (locked) => {
          const decidingSince = performance.now();
          for (const row of locked) {
            this.decideOne(decided, defects, row.workflowId, () =>
              this.decideLocked(row, known.get(row.workflowId), entriesOf.get(row.workflowId) ?? [], now),
            );
          }
          for (const { mailbox, entries } of starts) {
            this.decideOne(decided, defects, mailbox.workflowId, () => this.decideStart(entries, now));
          }
          decideMs = performance.now() - decidingSince;
          return decided.flatMap(({ write }) => (write === undefined ? [] : [write]));
        },
      );
    } catch (error) {
      for (const { handedOver } of decided) for (const task of handedOver) slots.free(task.taskType);
      throw error;
    }
    const commitMs = performance.now() - startedAt - decideMs;
    await crash.reach('batch:before-delivery');
    this.deliver(batch, decided, defects, result);
    if (this.parts.observers.length > 0) this.observe(batch, decided, result, { now, decideMs, commitMs });
  }

  /** Whether what this process knows is all that the batch goes by, and nobody else is likely to have changed it. */
  private isCertain(starts: Batch, updates: Batch, known: ReadonlyMap<string, unknown>): boolean {
    if (this.parts.hasPeers()) return false;
    const isPlain = ({ request }: Entry): boolean =>
      request.kind === 'start'
        ? request.initial.workflow.idempotencyKey === undefined
        : request.kind === 'extend' || !isRecorded(request.command);
    return (
      updates.every(
        ({ mailbox, entries }) => known.get(mailbox.workflowId) !== undefined && entries.every(isPlain),
      ) && starts.every(({ entries }) => entries.length === 1 && entries.every(isPlain))
    );
  }

  private observe(
    batch: Batch,
    decided: readonly Transition[],
    { existing, statements = 0 }: BatchResult,
    times: Pick<CommitFacts, 'now' | 'decideMs' | 'commitMs'>,
  ): void {
    const stored = existing.size === 0 ? decided : decided.filter((one) => !existing.has(one.workflowId));
    const entries = batch.reduce((sum, item) => sum + item.entries.length, 0);
    const facts = { entries, statements, ...times };
    tell(this.parts.observers, this.parts.log, (observer) => observer.committed(stored, facts));
  }

  private decideOne(
    decided: Transition[],
    defects: Map<string, unknown>,
    workflowId: string,
    work: () => Transition,
  ): void {
    try {
      decided.push(work());
    } catch (error) {
      if (this.parts.payloads !== undefined && isPayloadFault(error)) {
        defects.set(workflowId, error);
        return;
      }
      // A defect met by one workflow must not hold up the others of its batch.
      this.parts.log.error({ err: error, workflowId }, 'deciding a workflow failed; it was left as it was');
      defects.set(workflowId, error);
    }
  }

  private decideLocked(
    { changes, applied, workflowId }: LockedWorkflow,
    known: KnownWorkflow | undefined,
    entries: readonly Entry[],
    now: number,
  ): Transition {
    const current = changes === undefined ? known : merge(known, changes, this.parts.taskDefs());
    if (current === undefined) throw new Error(`The store said that ${workflowId} is known, and it is not`);
    return this.decideOn(current, entries, applied, false, now);
  }

  /** The queue gives starts alone: one that meets an older workflow must not answer for commands to that one. */
  private decideStart(entries: readonly Entry[], now: number): Transition {
    const [start, ...again] = entries;
    if (start?.request.kind !== 'start') throw new Error('No start among the entries');
    const known = knownWorkflow(start.request.initial, undefined, NO_TAGS);
    const decided = this.decideOn(known, [start], new Set(), true, now);
    const { workflowId } = decided;
    const repeated = again.map((entry) => [entry, { kind: 'existing', workflowId }] as const);
    return { ...decided, outcomes: [...decided.outcomes, ...repeated] };
  }

  private decideOn(
    known: KnownWorkflow,
    entries: readonly Entry[],
    applied: ReadonlySet<string>,
    isNew: boolean,
    now: number,
  ): Transition {
    const context = this.context(now);
    const { payloads } = this.parts;
    if (payloads === undefined) return transition(known, entries, applied, isNew, context);
    return payloads.decide(known, (filled, sealing) => {
      const decided = transition(filled, entries, applied, isNew, { ...context, sealing });
      if (filled === known) return decided;
      // What was filled in is counted nowhere, so the difference to it says nothing.
      const { state, timerAt, fairTags } = decided.next;
      return { ...decided, next: knownWorkflow(state, timerAt, fairTags) };
    });
  }

  private context(now: number) {
    const { incarnation, slots, fairTags, taskDefs, limits } = this.parts;
    return { now, incarnation: incarnation(), slots, fairTags, taskDefs: taskDefs(), limits };
  }

  /** After the commit: the cache, then the waiters, then what follows in this process. */
  private deliver(
    batch: Batch,
    decided: readonly Transition[],
    defects: ReadonlyMap<string, unknown>,
    result: BatchResult,
  ): void {
    const byId = new Map(decided.map((one) => [one.workflowId, one]));
    const busy = new Set(result.busy);
    const missing = new Set(result.missing);
    for (const { mailbox, entries } of batch) {
      const { workflowId } = mailbox;
      const one = byId.get(workflowId);
      const winner = result.existing.get(workflowId);
      if (busy.has(workflowId)) {
        this.putAside(mailbox, entries);
        continue;
      }
      const defect = defects.get(workflowId);
      if (isPayloadFault(defect) && this.parts.payloads !== undefined) {
        this.parts.cache.drop(workflowId);
        void this.meet(this.parts.payloads, { mailbox, entries }, defect);
        continue;
      }
      this.queue.settle(entries);
      if (defects.has(workflowId)) {
        for (const entry of entries) entry.reject(defects.get(workflowId));
        this.parts.cache.drop(workflowId);
      } else if (winner !== undefined) {
        for (const task of one?.handedOver ?? []) this.parts.slots.free(task.taskType);
        for (const entry of entries) entry.resolve({ kind: 'existing', workflowId: winner });
      } else if (missing.has(workflowId) || one === undefined) {
        for (const entry of entries) entry.resolve({ kind: 'missing' });
      } else {
        if (one.write !== undefined) this.remember(one.next);
        for (const [entry, outcome] of one.outcomes) entry.resolve(outcome);
        this.follow(one);
      }
      this.releaseMailbox(mailbox);
    }
    this.passOn(decided, result.held);
    if (this.queue.hasReady) this.pump();
  }

  private passOn(decided: readonly Transition[], held: readonly InboxRow[]): void {
    if (held.length > 0) this.parts.listener.held(held);
    else if (decided.some(({ effects }) => effects.length > 0)) this.parts.listener.effects();
  }

  /** What has ended is rarely asked again, and keeping it would fill the cache with nothing else. */
  private remember(known: KnownWorkflow): void {
    const { workflow } = known.state;
    if (isTerminalWorkflow(workflow.status)) this.parts.cache.drop(workflow.workflowId);
    else this.parts.cache.put(known);
  }

  /** The workflow stays out of other batches until what its decision stopped at is fetched or stored. */
  private async meet(
    payloads: PayloadFaults,
    { mailbox, entries }: Batch[number],
    fault: Parameters<PayloadFaults['settle']>[1],
  ): Promise<void> {
    let batch: Batch = [{ mailbox, entries }];
    for (let failures = 1; batch.length > 0; failures++) {
      try {
        await payloads.settle(mailbox.workflowId, fault);
        break;
      } catch (error) {
        if (!isPassing(error)) {
          this.parts.log.error(
            { err: error, workflowId: mailbox.workflowId },
            'a stored value is out of reach',
          );
          this.refuse(batch, error);
          batch = [];
          break;
        }
        this.parts.log.warn({ err: error, failures }, 'the payload store does not answer; trying again');
        const backOff = Math.min(MAX_BACK_OFF_MS, 20 * 2 ** Math.min(failures, 10));
        await this.parts.clock.sleepUntil(this.parts.clock.now() + backOff);
        batch = this.giveUpOld(
          batch,
          new Unavailable('payload store', 'A stored value is out of reach for now; nothing was changed.', {
            cause: error,
          }),
        );
      }
    }
    await this.commit(batch, false);
    if (this.queue.hasReady) this.pump();
    this.tellIdle();
  }

  private releaseMailbox(mailbox: Mailbox): void {
    this.parts.payloads?.release(mailbox.workflowId);
    this.queue.releaseMailbox(mailbox);
  }

  private tellIdle(): void {
    if (this.queue.isEmpty) for (const resolve of this.idleWaiters.splice(0)) resolve();
  }

  private follow(one: Transition): void {
    const { listener } = this.parts;
    if (one.handedOver.length > 0) {
      listener.handedOver(one.handedOver, one.next.state.workflow.traceparent);
    }
    if (one.queuedTypes.length > 0) listener.queued(one.queuedTypes);
    if (one.endedTaskIds.length > 0) listener.ended(one.endedTaskIds);
    if (one.next.timerAt !== undefined) listener.dueAt(one.next.timerAt);
    if (one.delayedUntil !== undefined) listener.dueAt(one.delayedUntil);
    if (one.needs.length > 0) listener.needs(one.next.state.workflow, one.needs);
    if (one.unfinished) {
      const command = { kind: 'wake', commandId: `unfinished:${one.next.state.workflow.revision}` } as const;
      void this.submit(
        one.workflowId,
        { kind: 'command', command: { ...command, actor: SYSTEM } },
        { internal: true, timer: true },
      ).catch((error: unknown) =>
        this.parts.log.error({ err: error, workflowId: one.workflowId }, 'an unfinished transition waits'),
      );
    }
  }

  /**
   * Locked by a claim or another node, for milliseconds as a rule: try again soon; after several times wait for the
   * lock, alone. The pauses are real time, not the clock's: nothing is stored of them.
   */
  private putAside(mailbox: Mailbox, entries: readonly Entry[]): void {
    if (mailbox.busyTimes >= MAX_BUSY_TIMES) {
      // One at a time: each holds a connection while it waits.
      this.blocking = this.blocking.then(() => this.commit([{ mailbox, entries: [...entries] }], true));
      return;
    }
    this.queue.park(mailbox, entries);
    setTimeout(
      () => {
        this.queue.unpark(mailbox);
        if (this.queue.hasReady) this.pump();
      },
      Math.min(MAX_BUSY_PAUSE_MS, 2 ** mailbox.busyTimes),
    );
  }
}

const SYSTEM = { kind: 'system', id: 'engine' } as const;

/**
 * Whether nobody is there to read the refusal: a timer would fire again, and a run be repeated, to the same end. Who
 * sends the other commands of the engine's own knows what to do instead.
 */
const isRepeatedForEver = ({ internal, request }: Entry): boolean =>
  internal &&
  request.kind === 'command' &&
  (request.command.kind === 'wake' || request.command.kind === 'updateTask');

/** In the place of a command whose outcome no row can hold; it consumes and answers what that would have. */
function failing(entry: Entry, { message }: StoreFailure): Entry {
  const reason = `What comes next in this workflow cannot be stored: ${message}. Mend its definition and start it anew.`;
  const command = { kind: 'fail', commandId: 'unstorable', actor: SYSTEM, reason } as const;
  return { ...entry, request: { kind: 'command', command } };
}

/** The database or another store is away for now, and waiting helps. */
const isPassing = (error: unknown): boolean =>
  (error instanceof AppError && error.retryable) || isDatabaseAway(error);

function bytesOf(request: Request): number {
  if (request.kind === 'start') return 1_000 + roughBytes(request.initial.workflow.input);
  if (request.kind !== 'command') return 500;
  const { command } = request;
  if (command.kind === 'updateTask') return 500 + roughBytes(command.outputData);
  if (command.kind === 'childEnded') return 500 + roughBytes(command.output);
  if (command.kind === 'evaluated' && command.result.ok) return 500 + roughBytes(command.result.value);
  return 500;
}

/** Brings what the process knew up to what is stored. */
function merge(
  known: KnownWorkflow | undefined,
  changes: NonNullable<LockedWorkflow['changes']>,
  taskDefs: ReadonlyMap<string, TaskDef>,
): KnownWorkflow {
  const { workflow, timerAt } = changes;
  const fairTags = new Map(known?.fairTags);
  for (const { task, fairTag } of changes.tasks) {
    if (fairTag > (fairTags.get(task.taskType) ?? 0)) fairTags.set(task.taskType, fairTag);
  }
  const tasks = changes.tasks.map(({ task }) => task);
  // An index that belongs to the known rows moves on with them.
  const before = known?.state.tasks ?? [];
  const state = withTasks({ workflow, tasks: before, taskDefs }, tasks);
  if (known === undefined) return knownWorkflow(state, timerAt, fairTags);
  let { openTasks, bytes } = known;
  for (const task of tasks) {
    const old = rowOf(before, task);
    openTasks += openChange(old, task);
    bytes += bytesChange(old, task);
  }
  return {
    state,
    timerAt,
    fairTags,
    openTasks,
    bytes: bytes + payloadChange(known.state.workflow, workflow),
  };
}

const NO_TAGS: ReadonlyMap<string, number> = new Map();
