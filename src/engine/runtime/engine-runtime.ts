import type { Clock, Instant } from '../../clock.js';
import type { ExecutionStore } from '../execution-store.js';
import { DEFAULT_PAYLOAD_LIMITS, type PayloadLimits } from '../model/payload-limits.js';
import { PayloadFaults } from '../payloads/payload-faults.js';
import { PayloadVault, type PayloadStores } from '../payloads/payload-vault.js';
import type { TaskWorker } from '../ports.js';
import { ScriptPool } from '../scripts/script-pool.js';
import type { ScriptRunner } from '../scripts/script-runner.js';
import { Claims } from './claims.js';
import { tell, type CommitObserver } from './commit-observer.js';
import { Committer, COMMITTER_DEFAULTS, type CommitterOptions } from './committer.js';
import { CrashPoints } from './crash-points.js';
import type { Definitions } from './definitions.js';
import { Dispatcher } from './dispatcher.js';
import { Evaluations } from './evaluations.js';
import { FairTags } from './fair-tags.js';
import { timeoutsOf } from './hand-over.js';
import { Inbox } from './inbox.js';
import { Lookout } from './lookout.js';
import { NodeKeeper, type NodeIdentity } from './node-keeper.js';
import { Polls, type PollLimits } from './polls.js';
import { Runner } from './runner.js';
import { SILENT, type RuntimeLog } from './runtime-log.js';
import { Signal } from './signal.js';
import { Slots } from './slots.js';
import { Tally } from './tally.js';
import { TaskLogs } from './task-logs.js';
import { Timers } from './timers.js';
import { Waiters } from './waiters.js';
import { WakeUps, type NoticeBoard } from './wake-ups.js';
import { PASS_ON, type Traces } from './traces.js';
import { WorkflowCache } from './workflow-cache.js';

export interface RuntimeParts {
  readonly store: ExecutionStore;
  readonly definitions: Definitions;
  readonly clock: Clock;
  readonly identity: NodeIdentity;
  readonly log?: RuntimeLog;
  readonly crash?: CrashPoints;
  readonly committer?: Partial<CommitterOptions>;
  readonly cacheBytes?: number;
  readonly limits?: PayloadLimits;
  /** Absent: every value is kept in its row, and what a workflow's rows take in all is bounded by nothing. */
  readonly payloadStores?: PayloadStores | undefined;
  /** False for a node that decides what its clients ask and fires no timers (role `engine` missing). */
  readonly fires?: boolean;
  /** How long a task waits until it counts one priority higher. */
  readonly priorityAgeingMs?: number;
  readonly polls?: Partial<PollLimits>;
  /** How nodes tell each other what waits; without it each looks once a second. */
  readonly notices?: NoticeBoard | undefined;
  /** Evaluates the scripts of definitions; closed with the runtime. */
  readonly scripts?: ScriptRunner | undefined;
  /** Told of every commit of this process. */
  readonly observers?: readonly CommitObserver[];
  /** How traces go on; only passed through when absent. */
  readonly traces?: Traces;
}

const DEFAULT_CACHE_BYTES = 64 * 1024 * 1024;
const DEFAULT_AGEING_MS = 600_000;
const RUNS_DRAIN_MS = 5_000;
const COMMITS_DRAIN_MS = 2_000;

/** Everything of the engine that runs in one process, wired together; `start` and `stop` are its whole life. */
export class EngineRuntime {
  readonly committer: Committer;
  readonly polls: Polls;
  readonly logs: TaskLogs;
  readonly keeper: NodeKeeper;
  readonly store: ExecutionStore;
  readonly slots: Slots;
  readonly limits: PayloadLimits;
  /** Large values; absent where every value is kept in its row. */
  readonly payloads: PayloadVault | undefined;
  readonly tally = new Tally();
  /** Those who wait for a workflow's end. */
  readonly waiters: Waiters;
  readonly traces: Traces;
  readonly cache: WorkflowCache;
  readonly inbox: Inbox;
  readonly evaluations: Evaluations;
  private readonly fairTags = new FairTags();
  private readonly signal = new Signal();
  readonly claims: Claims;
  private readonly dispatcher: Dispatcher;
  private readonly runner: Runner;
  private readonly timers: Timers;
  private readonly lookout: Lookout;
  private readonly wakeUps: WakeUps;
  readonly log: RuntimeLog;

  constructor(private readonly parts: RuntimeParts) {
    const { store, clock, definitions, identity } = parts;
    const crash = parts.crash ?? new CrashPoints();
    const log = (this.log = parts.log ?? SILENT);
    this.store = store;
    this.limits = parts.limits ?? DEFAULT_PAYLOAD_LIMITS;
    const vault = (this.payloads =
      parts.payloadStores &&
      new PayloadVault({ stores: parts.payloadStores, records: store, clock, crash, log }));
    this.slots = new Slots();
    this.traces = parts.traces ?? PASS_ON;
    this.cache = new WorkflowCache(parts.cacheBytes ?? DEFAULT_CACHE_BYTES);
    this.logs = new TaskLogs(store, clock, log);
    const incarnation = (): string => this.keeper.incarnation();
    const hasPeers = (): boolean => this.keeper.hasPeers;
    const committer = (): Committer => this.committer;
    const wake = (taskType: string): void => this.dispatcher.wake(taskType);
    const wakeAll = (taskType: string): void => {
      wake(taskType);
      this.wakeUps.tasks(taskType);
    };
    const fires = parts.fires ?? true;
    const dueAt = (at: Instant): void => (fires ? this.lookout.dueAt(at) : this.wakeUps.due(at));
    this.wakeUps = new WakeUps({
      board: parts.notices,
      clock,
      hasPeers,
      peerJoined: () => this.keeper.peerJoined(),
      wake,
      fire: () => (fires ? this.lookout.dueAt(0) : undefined),
      look: () => this.lookout.dueAt(0),
    });
    this.runner = new Runner({
      clock,
      slots: this.slots,
      logs: this.logs,
      committer,
      crash,
      log,
      tally: this.tally,
      traces: this.traces,
      incarnation,
      whole: vault && ((task) => vault.task(task)),
      responseTimeoutMs: (task) => timeoutsOf(task, definitions.taskDefs()).responseTimeoutMs,
      freed: (taskType) => this.dispatcher.freed(taskType),
      answered: (taskType) => this.claims.answered(taskType),
      started: (extendAt) => this.lookout.dueAt(extendAt),
    });
    this.keeper = new NodeKeeper({
      store,
      clock,
      runner: this.runner,
      log,
      tally: this.tally,
      identity,
      wake: wakeAll,
      released: () => tell(observers, log, (observer) => observer.released?.()),
    });
    this.waiters = new Waiters(store, clock, log);
    const observers = [this.waiters, ...(parts.observers ?? [])];
    const claims = (this.claims = new Claims({
      store,
      clock,
      cache: this.cache,
      fairTags: this.fairTags,
      ageingMs: parts.priorityAgeingMs ?? DEFAULT_AGEING_MS,
      refused: (taskType, now) => this.slots.refused(taskType, now),
      again: wake,
      returned: wakeAll,
      observers,
      log,
    }));
    this.dispatcher = new Dispatcher({
      clock,
      slots: this.slots,
      claims,
      runner: this.runner,
      signal: this.signal,
      log,
      incarnation,
    });
    this.polls = new Polls({ claims, clock, signal: this.signal, store, log, limits: parts.polls });
    this.inbox = new Inbox({
      traces: this.traces,
      store,
      clock,
      definitions,
      committer,
      crash,
      log,
      incarnation,
      again: () => this.lookout.dueAt(0),
      payloads: vault,
    });
    const scripts = parts.scripts ?? new ScriptPool();
    this.evaluations = new Evaluations({ scripts, clock, committer, crash, log });
    this.timers = new Timers({ store, clock, committer, crash, log, incarnation });
    this.lookout = new Lookout({
      store,
      clock,
      timers: this.timers,
      log,
      wake,
      promoted: wakeAll,
      fires,
      wantedTypes: () => this.wantedTypes(),
      takeInbox: (now) => this.inbox.takeDue(now),
      everySecond: (now) => this.everySecond(now),
      extend: (now) => this.runner.extend(now),
    });
    this.committer = new Committer({
      store,
      cache: this.cache,
      clock,
      slots: this.slots,
      fairTags: this.fairTags,
      incarnation,
      inboxOwner: () => (fires && this.inbox.hasRoom ? incarnation() : undefined),
      hasPeers,
      taskDefs: definitions.taskDefs,
      limits: this.limits,
      payloads: vault && new PayloadFaults(vault),
      crash,
      log,
      observers,
      tally: this.tally,
      options: { ...COMMITTER_DEFAULTS, ...parts.committer },
      listener: {
        handedOver: (tasks, traceparent) => {
          for (const task of tasks) this.runner.start(task, traceparent);
        },
        queued: (taskTypes) => {
          for (const taskType of taskTypes) {
            this.dispatcher.queued(taskType);
            this.wakeUps.tasks(taskType);
          }
        },
        ended: (taskIds) => this.runner.ended(taskIds),
        dueAt,
        effects: () => dueAt(0),
        held: (rows) => this.inbox.take(rows),
        needs: (workflow, needs) => this.evaluations.need(workflow, needs),
      },
    });
  }

  /** How many tasks run in workers of this process. */
  get running(): number {
    return this.runner.size;
  }

  /** Takes its place among the nodes; from now on commands are decided, and nothing runs yet. */
  async open(): Promise<void> {
    await this.parts.definitions.refresh(true);
    await this.readFairTags([...(await this.store.queueSizes()).keys()]);
    await this.keeper.start();
    this.wakeUps.start();
  }

  /** Runs these workers, and fires timers where that is this node's role. */
  run(workers: readonly TaskWorker[]): void {
    for (const worker of workers) this.slots.add(worker);
    this.lookout.start();
    for (const taskType of this.slots.taskTypes) this.dispatcher.wake(taskType);
  }

  /**
   * Claims nothing more, lets runs end for up to 5 s, stores what they report, and hands back the rest. Bounded: under
   * 8 s also when the database does not answer.
   */
  async stop(): Promise<void> {
    const { clock } = this.parts;
    this.slots.close();
    this.dispatcher.stop();
    this.polls.stop();
    this.claims.stop();
    this.wakeUps.stop();
    this.waiters.stop();
    this.inbox.stop();
    await this.within(1_000, this.lookout.stop());
    await this.within(1_000, this.evaluations.stop());
    const left = await this.runner.drain(clock.now() + RUNS_DRAIN_MS);
    if (left.length > 0) this.log.info({ left: left.length }, 'tasks that still run are handed back');
    this.runner.abortAll('The service stops');
    await this.within(COMMITS_DRAIN_MS / 2, this.committer.idle());
    this.committer.stop();
    await this.within(
      COMMITS_DRAIN_MS / 2,
      (async () => {
        await this.keeper.stop();
        await this.logs.flush();
        await this.polls.flush();
        await this.keeper.leave();
      })(),
    );
  }

  private async within(ms: number, work: Promise<unknown>): Promise<void> {
    const { clock } = this.parts;
    const timer = new AbortController();
    await Promise.race([
      work.catch((error: unknown) => this.log.warn({ err: error }, 'a step of the shutdown failed')),
      clock.sleepUntil(clock.now() + ms, timer.signal),
    ]);
    timer.abort();
  }

  /** Types with a free worker here or a poll that waits. */
  private wantedTypes(): readonly string[] {
    const idle = this.slots.taskTypes.filter((taskType) => this.slots.freeCount(taskType) > 0);
    return [...new Set([...idle, ...this.signal.keys])];
  }

  private async everySecond(now: Instant): Promise<void> {
    await this.parts.definitions.refresh();
    await this.readFairTags(this.fairTags.takeUsed());
    await this.logs.flush();
    this.polls.rememberLocal(this.slots.taskTypes, this.parts.identity.host);
    await this.polls.flush();
    await this.inbox.reconcile(now);
    await this.timers.reconcile(now);
    if (this.parts.fires !== false) await this.timers.readAhead(this.parts.clock.now());
  }

  /** What waits longest says how far the round robin has come, also when other nodes went on with it. */
  private async readFairTags(taskTypes: readonly string[]): Promise<void> {
    if (taskTypes.length === 0) return;
    for (const [taskType, tag] of await this.store.fairTags(taskTypes)) this.fairTags.advance(taskType, tag);
  }
}
