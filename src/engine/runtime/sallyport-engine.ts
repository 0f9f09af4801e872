import { randomUUID } from 'node:crypto';
import { v7 as uuid7 } from 'uuid';
import type { Clock, Instant } from '../../clock.js';
import { Conflict, InvalidInput, NotFound } from '../../errors.js';
import { isForPeople } from '../decider/mappers/index.js';
import { newWorkflow } from '../decider/new-workflow.js';
import type { Actor, Command } from '../model/command.js';
import type { Task } from '../model/execution.js';
import type { JsonObject } from '../model/json.js';
import type { ExplainedWhy } from '../model/why.js';
import {
  Engine,
  type StartWorkflowRequest,
  type TaskResult,
  type UpdateOutcome,
  type WorkflowExecution,
  type WorkflowSearch,
} from '../ports.js';
import type { ClaimedTask, Lease, PayloadType, PollRecord, TaskLogLine } from '../execution-store.js';
import { parseTraceparent } from '../observability/trace-context.js';
import { PayloadLocations } from '../payloads/payload-locations.js';
import { wholeTasks } from '../payloads/polled-tasks.js';
import { wholeExecution } from '../payloads/whole-execution.js';
import type { Definitions } from './definitions.js';
import type { EngineRuntime } from './engine-runtime.js';
import { checkPayload, checkText, MAX_ID_LENGTH, storableText } from './payload-check.js';
import type { Poll } from './polls.js';
import { MAX_LOG_CHARACTERS, MAX_LOG_LINES } from './task-logs.js';
import { noTask, noWorkflow, refused, TaskReports, type Reported } from './task-reports.js';
import { explain } from './why.js';

const MAX_SEARCH_LIMIT = 500;
const MAX_SEARCH_SKIP = 10_000;
const MAX_REASON_LENGTH = 10_000;

/** How long a caller of `execute` waits, and for what beside the end. */
export interface ExecuteWait {
  /** Infinity waits as long as it takes. */
  readonly waitMs: number;
  /** Reference names of tasks whose end is enough. */
  readonly references: readonly string[];
  /** Whose bound on waiting calls this counts against; none for callers in this process. */
  readonly client?: string | undefined;
  /** Aborts when nobody waits any more. */
  readonly signal?: AbortSignal | undefined;
}

/** What a caller of `execute` gets. */
export interface Executed {
  readonly execution: WorkflowExecution;
  /** The task that it stopped for, its own or one of a sub-workflow; absent when it has ended. */
  readonly task: Task | undefined;
  /** The time was up first. */
  readonly isLate: boolean;
}

/** The engine of this process: what it does is durable when it resolves. */
export class SallyportEngine extends Engine {
  private readonly reports: TaskReports;

  constructor(
    private readonly runtime: EngineRuntime,
    private readonly definitions: Definitions,
    private readonly clock: Clock,
  ) {
    super();
    this.reports = new TaskReports(runtime);
  }

  /** @throws InvalidInput where every value is kept in its row. */
  get locations(): PayloadLocations {
    const { payloads: vault, store, limits } = this.runtime;
    if (vault === undefined) throw new InvalidInput('This engine keeps no payloads beside its rows.');
    return new PayloadLocations({ vault, store, clock: this.clock, limits });
  }

  /**
   * In the order of time (UUIDv7, RFC 9562): what is started together lies together in every index, so that a start
   * writes to a few pages that are in memory, however many workflows there are.
   */
  private newWorkflowId(): string {
    return uuid7({ msecs: this.clock.now() });
  }

  async start(given: StartWorkflowRequest, actor: Actor): Promise<string> {
    const path = given.externalInputPayloadStoragePath;
    const field = 'externalInputPayloadStoragePath';
    const input =
      path === undefined
        ? given.input
        : await this.uploaded(path, 'WORKFLOW_INPUT', actor, field, given.input);
    const request = { ...given, input };
    checkStart(request, this.runtime.limits.workflowMax);
    const definition = await this.definitions.getWorkflow(request.name, request.version);
    const workflowId = request.workflowId ?? this.newWorkflowId();
    const initial = newWorkflow({
      workflowId,
      definition,
      taskDefs: this.definitions.taskDefs(),
      now: this.clock.now(),
      input: request.input,
      correlationId: request.correlationId,
      idempotencyKey: request.idempotencyKey,
      priority: request.priority,
      createdBy: request.createdBy ?? `${actor.kind}:${actor.id}`,
      traceparent: request.traceparent,
    });
    const command = { kind: 'start', commandId: `start:${workflowId}`, actor } as const;
    const outcome = await this.runtime.committer.submit(workflowId, { kind: 'start', command, initial });
    if (outcome.kind !== 'existing') return workflowId;
    if (request.idempotencyStrategy === 'FAIL' && outcome.workflowId !== workflowId) {
      throw new Conflict(
        `Workflow ${outcome.workflowId} was started with this idempotencyKey before. Look at that one, or use another key.`,
        { workflowId: outcome.workflowId },
      );
    }
    return outcome.workflowId;
  }

  /** What a request refers to in `field`, in place of `beside`. */
  private async uploaded(
    path: string,
    payloadType: PayloadType,
    actor: Actor,
    field: string,
    beside: JsonObject | undefined,
  ): Promise<JsonObject> {
    if (beside !== undefined && Object.keys(beside).length > 0)
      throw InvalidInput.field(field, 'stands beside the value itself; send one of the two');
    return await this.locations.uploaded(path, payloadType, actor, field);
  }

  /**
   * Starts a workflow and waits until it has ended or stops for somebody (a WAIT without a time, or the end of a task
   * that `wait` names), for so long at most.
   *
   * @throws Overloaded when the client, or the process, has too many calls waiting.
   */
  async execute(request: StartWorkflowRequest, wait: ExecuteWait, actor: Actor): Promise<Executed> {
    const workflowId = request.workflowId ?? this.newWorkflowId();
    // Before the start: what it leads to may be committed before the start's own answer is here.
    const waiting = this.runtime.waiters.wait(workflowId, wait.references, wait.client);
    try {
      const started = await this.start({ ...request, workflowId }, actor);
      waiting.follow(started);
      const arrival = await this.within(wait, waiting.arrived);
      const execution =
        arrival?.execution === undefined ? await this.get(started) : await this.whole(arrival.execution);
      const task = arrival?.task && ((await this.runtime.payloads?.task(arrival.task)) ?? arrival.task);
      return { execution, task, isLate: arrival === undefined };
    } finally {
      waiting.stop();
    }
  }

  /** What is awaited, or `undefined` when it took too long or nobody waits any more. */
  private async within<T>({ waitMs, signal }: ExecuteWait, awaited: Promise<T>): Promise<T | undefined> {
    if (waitMs === Infinity) return await awaited;
    const nap = new AbortController();
    const leave = (): void => nap.abort();
    signal?.addEventListener('abort', leave, { once: true });
    try {
      const late = this.clock.sleepUntil(this.clock.now() + waitMs, nap.signal).then(() => undefined);
      return await Promise.race([awaited, late]);
    } finally {
      nap.abort();
      signal?.removeEventListener('abort', leave);
    }
  }

  async get(workflowId: string): Promise<WorkflowExecution> {
    const execution = await this.find(workflowId);
    if (execution === undefined) throw noWorkflow(workflowId);
    return execution;
  }

  /** As `get`, with `undefined` for an unknown id. */
  async find(workflowId: string): Promise<WorkflowExecution | undefined> {
    checkText(workflowId, 'workflowId', MAX_ID_LENGTH);
    const stored = await this.runtime.store.load(workflowId);
    return stored === undefined ? undefined : await this.whole({ ...stored.workflow, tasks: stored.tasks });
  }

  /** The workflow, who holds its tasks, and why it does not move; `leftOut` open steps were not asked. */
  async explain(workflowId: string): Promise<{
    execution: WorkflowExecution;
    leases: ReadonlyMap<string, Lease>;
    why: readonly ExplainedWhy[];
    leftOut: number;
    at: Instant;
  }> {
    checkText(workflowId, 'workflowId', MAX_ID_LENGTH);
    const { store } = this.runtime;
    const stored = await store.load(workflowId);
    if (stored === undefined) throw noWorkflow(workflowId);
    const execution = await this.whole({ ...stored.workflow, tasks: stored.tasks });
    const at = this.clock.now();
    const { reasons, leftOut } = await explain(stored, this.definitions.taskDefs(), store, at);
    return { execution, leases: stored.leases, why: reasons, leftOut, at };
  }

  async search(query: WorkflowSearch) {
    if (!Number.isInteger(query.limit) || query.limit < 1 || query.limit > MAX_SEARCH_LIMIT) {
      throw InvalidInput.field('limit', `must be a whole number from 1 to ${MAX_SEARCH_LIMIT}`);
    }
    const { skip = 0 } = query;
    if (!Number.isInteger(skip) || skip < 0 || skip > MAX_SEARCH_SKIP) {
      throw InvalidInput.field('skip', `must be a whole number from 0 to ${MAX_SEARCH_SKIP}`);
    }
    return await this.runtime.store.search(query);
  }

  /** How many executions match; exact to 10,000. */
  count(query: Omit<WorkflowSearch, 'limit' | 'skip' | 'cursor'>): Promise<number> {
    return this.runtime.store.count(query);
  }

  /** Tasks for a worker outside this process. */
  async poll(poll: Poll): Promise<readonly ClaimedTask[]> {
    const { polls, claims, payloads, committer, log, traces } = this.runtime;
    const polled = await polls.poll(poll);
    const claimed =
      payloads === undefined
        ? polled
        : await wholeTasks(polled, payloads, committer, log).catch((error: unknown) => {
            void claims.giveBack(poll.taskType, polled);
            throw error;
          });
    // Who left while the claim was on its way gets nothing; the tasks are there for the next one.
    if (poll.signal?.aborted === true && claimed.length > 0) {
      void claims.giveBack(poll.taskType, claimed);
      return [];
    }
    return claimed.map((one) => ({ ...one, traceparent: traces.ofTask(one.task, one.traceparent) }));
  }

  /** Tasks that wait to be handed out, per type; all types when none is named. */
  queueSizes(taskTypes?: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return this.runtime.store.queueSizes(taskTypes);
  }

  /** Who polled when; of all types when none is named. */
  pollData(taskType?: string): Promise<readonly PollRecord[]> {
    return this.runtime.store.polls(taskType);
  }

  logs(taskId: string): Promise<readonly TaskLogLine[]> {
    return this.runtime.store.logs(taskId);
  }

  async taskByReference(workflowId: string, reference: string): Promise<Task> {
    const task = await this.runtime.store.taskByReference(workflowId, reference);
    if (task === undefined) {
      throw new NotFound(`Workflow ${workflowId} has no task with the reference name ${reference}.`);
    }
    return task;
  }

  async updateTask(result: TaskResult, actor: Actor): Promise<UpdateOutcome> {
    return (await this.report(result, actor)).outcome;
  }

  /** As `updateTask`, with the attempt as it is now. */
  async report(given: TaskResult, actor: Actor): Promise<Reported> {
    const path = given.externalOutputPayloadStoragePath;
    const field = 'externalOutputPayloadStoragePath';
    const result =
      path === undefined
        ? given
        : { ...given, outputData: await this.uploaded(path, 'TASK_OUTPUT', actor, field, given.outputData) };
    const reported = await this.reports.report(result, actor);
    if (result.logs !== undefined && result.logs.length > 0)
      await this.appendLogs(result.taskId, result.logs);
    return reported;
  }

  /**
   * Reports an attempt and takes the next task of its type for the same worker. While others are known to wait, the two go
   * side by side, since neither needs the other; what was taken beside a report that is refused waits again.
   */
  async reportAndPoll(
    result: TaskResult,
    actor: Actor,
    { workerId, signal }: Pick<Poll, 'workerId' | 'signal'>,
  ): Promise<readonly ClaimedTask[]> {
    const next = (taskType: string) => this.poll({ taskType, workerId, count: 1, timeoutMs: 0, signal });
    const waiting = this.waitingBeside(result);
    if (waiting === undefined) {
      const { taskType } = (await this.report(result, actor)).task;
      return isForPeople(taskType) ? [] : await next(taskType);
    }
    // Where this fails, the poll after the report tells.
    const early = next(waiting).catch(() => []);
    const giveBack = async (): Promise<void> => this.runtime.claims.giveBack(waiting, await early);
    try {
      await this.report(result, actor);
    } catch (error) {
      void giveBack();
      throw error;
    }
    if (signal?.aborted === true) {
      void giveBack();
      return [];
    }
    const taken = await early;
    return taken.length > 0 ? taken : await next(waiting);
  }

  /** The type of the task that this ends, when it is known to be running and others of its type to wait. */
  private waitingBeside({ workflowInstanceId, taskId, status }: TaskResult): string | undefined {
    if (status === 'IN_PROGRESS') return undefined;
    const task = this.runtime.cache.runningTask(workflowInstanceId, taskId);
    if (task === undefined || isForPeople(task.taskType)) return undefined;
    return this.runtime.claims.expectsMore(task.taskType) ? task.taskType : undefined;
  }

  async appendLogs(taskId: string, lines: readonly string[]): Promise<void> {
    const createdTime = this.clock.now();
    await this.runtime.store.appendLogs(
      lines
        .slice(0, MAX_LOG_LINES)
        .map((line) => ({ taskId, createdTime, log: storableText(line, MAX_LOG_CHARACTERS) })),
    );
  }

  async getTask(taskId: string): Promise<Task> {
    checkText(taskId, 'taskId', MAX_ID_LENGTH);
    const task = await this.runtime.store.task(taskId);
    if (task === undefined) throw noTask(taskId);
    return (await this.runtime.payloads?.task(task)) ?? task;
  }

  /** With the values that are kept beside the rows. */
  private whole(execution: WorkflowExecution): Promise<WorkflowExecution> {
    return wholeExecution(execution, this.runtime.payloads);
  }

  async terminate(workflowId: string, reason: string, actor: Actor): Promise<void> {
    checkText(reason, 'reason', MAX_REASON_LENGTH);
    await this.command(workflowId, { kind: 'terminate', reason }, actor);
  }

  async pause(workflowId: string, actor: Actor): Promise<void> {
    await this.command(workflowId, { kind: 'pause' }, actor);
  }

  async resume(workflowId: string, actor: Actor): Promise<void> {
    await this.command(workflowId, { kind: 'resume' }, actor);
  }

  async retry(workflowId: string, actor: Actor): Promise<void> {
    await this.command(workflowId, { kind: 'retry' }, actor);
  }

  private async command(
    workflowId: string,
    what: { kind: 'terminate'; reason: string } | { kind: 'pause' | 'resume' | 'retry' },
    actor: Actor,
  ): Promise<void> {
    checkText(workflowId, 'workflowId', MAX_ID_LENGTH);
    const command: Command = { ...what, commandId: randomUUID(), actor };
    const outcome = await this.runtime.committer.submit(workflowId, { kind: 'command', command });
    if (outcome.kind === 'missing') throw noWorkflow(workflowId);
    if (outcome.kind === 'rejected') throw refused(outcome.rejection);
  }
}

function checkStart(request: StartWorkflowRequest, maxInputBytes: number): void {
  const { priority, version, workflowId, idempotencyKey, correlationId, createdBy, traceparent } = request;
  if (priority !== undefined && (!Number.isInteger(priority) || priority < 0 || priority > 99)) {
    throw InvalidInput.field('priority', 'must be a whole number from 0 to 99');
  }
  if (version !== undefined && (!Number.isInteger(version) || version < 1)) {
    throw InvalidInput.field('version', 'must be a whole number from 1');
  }
  if (workflowId === '') throw InvalidInput.field('workflowId', 'must not be empty');
  checkText(request.name, 'name', MAX_ID_LENGTH);
  checkText(workflowId, 'workflowId', MAX_ID_LENGTH);
  checkText(idempotencyKey, 'idempotencyKey', MAX_ID_LENGTH);
  checkText(correlationId, 'correlationId', MAX_ID_LENGTH);
  checkText(createdBy, 'createdBy', MAX_ID_LENGTH);
  if (traceparent !== undefined && parseTraceparent(traceparent) === undefined) {
    throw InvalidInput.field('traceparent', 'must be a W3C traceparent: 00-<32 hex>-<16 hex>-<2 hex>');
  }
  if (request.input !== undefined) checkPayload(request.input, 'input', maxInputBytes);
}
