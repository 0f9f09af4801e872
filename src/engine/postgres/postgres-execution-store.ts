import type { Pool, PoolClient } from 'pg';
import type { Instant } from '../../clock.js';
import { dropIdle, rollBack, type Database } from '../../database/database.js';
import type { DatabaseState, Proof } from '../../database/database-state.js';
import { beginOf, isPooled } from '../../database/session-settings.js';
import { endsConnection, troubleOf } from '../../database/trouble.js';
import type { Queryable } from '../../database/queryable.js';
import {
  ClaimUnanswered,
  ExecutionStore,
  StoreFailure,
  type AbandonedInboxRow,
  type BatchRequest,
  type BatchResult,
  type ClaimedTask,
  type InboxRow,
  type LockedWorkflow,
  type NewPayload,
  type NodeRecord,
  type Outlook,
  type PayloadLocation,
  type PollRecord,
  type StoredChange,
  type StoredExecution,
  type StoreReadings,
  type TaskClaim,
  type TaskLogLine,
  type UnusedPayload,
  type WorkflowWrite,
} from '../execution-store.js';
import type { Task } from '../model/execution.js';
import type { WorkflowSearch } from '../ports.js';
import { CrashPoints } from '../runtime/crash-points.js';
import { handOverDeadline } from '../runtime/hand-over.js';
import { encodeCursor } from '../../cursor.js';
import { assumeMembers, lockMembers, writeBatch } from './batch.js';
import { DefinitionSnapshots } from './definition-snapshots.js';
import { Sent } from './sent.js';
import { leaseFrom, summaryFrom, taskFrom, timeoutsFrom, workflowFrom, type TaskRow } from './rows.js';
import {
  classify,
  counting,
  ENGINE_SETTINGS,
  gather,
  isStalePlan,
  openSessions,
  prepared,
  type Session,
} from './session.js';
import { pruneAppliedCommands } from './sql/applied-commands.js';
import { NOT_AS_ASSUMED } from './sql/assume.js';
import { claimTasks } from './sql/claim-tasks.js';
import {
  insertPayloadLocation,
  loadPayloadLocation,
  settlePayloadLocation,
  takePayloadLocation,
  usedPayload,
} from './sql/payload-locations.js';
import { claimTimers, claimedTimers, soonDue, unclaimTimers } from './sql/claim-timers.js';
import {
  abandonedInbox,
  claimedInbox,
  claimInbox,
  deleteInbox,
  isStartPending,
  returnInbox,
  unclaimInbox,
} from './sql/inbox.js';
import { listChanges, revisionsOf } from './sql/list-changes.js';
import { loadWorkflows } from './sql/load-workflows.js';
import { deletePayloadRecords, insertPayloadRecord, takeUnusedPayloads } from './sql/external-payloads.js';
import { beat, deleteNode, deleteSilentNodes, insertNode, listNodes, orphanedOwners } from './sql/nodes.js';
import { outlook } from './sql/outlook.js';
import { promoteDelayed } from './sql/promote-delayed.js';
import { readings } from './sql/readings.js';
import { releaseClaims, releaseLeases } from './sql/release-leases.js';
import { returnTasks } from './sql/return-tasks.js';
import { countWorkflows, searchWorkflows } from './sql/search-workflows.js';
import { tasksAhead } from './sql/tasks-ahead.js';
import { appendLogs, fairTags, listLogs, listPolls, queueSizes, recordPolls } from './sql/queues.js';

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** Through a pooler even one statement needs a transaction: its settings hold nowhere else. */
async function alone<T>(client: PoolClient, work: (db: Queryable) => Promise<T>): Promise<T> {
  await client.query(beginOf(client, ENGINE_SETTINGS));
  try {
    const result = await work(prepared(client));
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // A connection that this breaks is seen by the pool when it comes back.
    await rollBack(client, endsConnection(troubleOf(error)), error);
    throw error;
  }
}

/** Where a batch went wrong because of what it assumed, that is what is thrown. */
function staleOr(error: unknown): never {
  const cause = error instanceof StoreFailure ? error.cause : undefined;
  if (cause instanceof Error && 'code' in cause && cause.code === NOT_AS_ASSUMED)
    throw new StoreFailure('stale', 'A workflow of this batch is not as it was known', { cause });
  throw error;
}

// A blocking batch holds one connection; another node's batch takes milliseconds.
const LOCK_TIMEOUT = '2s';
// A figure for a graph is worth no more of the database's time.
const READINGS_TIMEOUT = '1s';

/** The store on PostgreSQL 15 or newer, shared by any number of nodes. Row locks are the fence. */
export class PostgresExecutionStore extends ExecutionStore {
  private readonly snapshots = new DefinitionSnapshots();
  private readonly pool: Pool;
  private readonly state: DatabaseState;

  constructor(
    database: Database,
    private readonly crash: CrashPoints = new CrashPoints(),
  ) {
    super();
    this.pool = openSessions(database);
    this.state = database.state;
  }

  /** Ends the connections; nothing may be asked after. */
  async close(): Promise<void> {
    await this.pool.end();
  }

  async commitBatch(
    request: BatchRequest,
    decide: (locked: readonly LockedWorkflow[]) => readonly WorkflowWrite[],
  ): Promise<BatchResult> {
    let fresh: string[] = [];
    let isStored = false;
    const stored = this.tryTransaction(async (client, sent) => {
      const tx = counting(client);
      if (request.wait) sent.add(tx.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`));
      const { locked, busy, missing } =
        request.assumed === true
          ? assumeMembers(tx, sent, request)
          : await lockMembers(tx, request, this.snapshots);
      const writes = decide(locked);
      await this.crash.reach('batch:before-write');
      const { existing, held } = await writeBatch(tx, sent, writes, request, this.snapshots);
      fresh = writes.flatMap(({ isNew, workflow }) =>
        isNew && !existing.has(workflow.workflowId)
          ? [this.snapshots.of(workflow.workflowDefinition).digest]
          : [],
      );
      isStored = writes.length > 0;
      await this.crash.reach('batch:before-commit');
      return { busy, missing, existing, held, statements: tx.count + 2 };
    });
    const result = await (request.assumed === true ? stored.catch(staleOr) : stored);
    if (isStored && this.state.isTroubled) this.state.succeeded('growth');
    this.snapshots.markStored(fresh);
    await this.crash.reach('batch:after-commit');
    return { ...result, held: await result.held };
  }

  private inTransaction<T>(work: (tx: Session, sent: Sent) => Promise<T>, proof: Proof = 'read'): Promise<T> {
    return this.withFreshPlans(() => this.tryTransaction(work, proof));
  }

  private run<T>(work: (db: Queryable) => Promise<T>, proof: Proof = 'read'): Promise<T> {
    return this.withFreshPlans(() => this.tryRun(work, proof));
  }

  /** A migration by a newer version must not be felt: what it made stale is prepared anew, on other connections. */
  private async withFreshPlans<T>(attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt();
    } catch (error) {
      if (!isStalePlan(error)) throw error;
      return await attempt();
    }
  }

  /**
   * One try: sends BEGIN, what `work` sends, and COMMIT, waiting only where `work` does.
   *
   * Errors come out as StoreFailure where they are the database's; a lost COMMIT says `unknown`. A batch is tried again
   * by the committer, which decides anew.
   */
  private async tryTransaction<T>(
    work: (tx: Session, sent: Sent) => Promise<T>,
    proof: Proof = 'read',
  ): Promise<T> {
    const sent = new Sent();
    let client: PoolClient | undefined;
    let committing = false;
    let broken: Error | undefined;
    try {
      client = await this.pool.connect();
      gather(client);
      sent.add(client.query(beginOf(client, ENGINE_SETTINGS)));
      const result = await work(prepared(client), sent);
      gather(client);
      const committed = client.query('COMMIT');
      committing = true;
      await sent.followedBy(committed);
      if (this.state.isTroubled) this.state.succeeded(proof);
      return result;
    } catch (thrown) {
      if (client !== undefined) await sent.settled();
      const error = sent.cause(thrown);
      const isLost = this.isLost(error);
      if (client !== undefined) {
        broken = await rollBack(client, isLost, error);
      }
      throw classify(error, committing && !sent.hasFailed(error));
    } finally {
      client?.release(broken);
    }
  }

  private isLost(error: unknown): boolean {
    if (!isStalePlan(error)) return endsConnection(this.state.failed(error));
    // The others of the pool have the same plans.
    dropIdle(this.pool);
    return true;
  }

  private async tryRun<T>(work: (db: Queryable) => Promise<T>, proof: Proof): Promise<T> {
    let client: PoolClient | undefined;
    let broken: Error | undefined;
    try {
      client = await this.pool.connect();
      const result = await (isPooled(client) ? alone(client, work) : work(prepared(client)));
      if (this.state.isTroubled) this.state.succeeded(proof);
      return result;
    } catch (error) {
      const isLost = this.isLost(error);
      const failure = classify(error, false);
      if (isLost || (failure instanceof StoreFailure && failure.kind === 'transient'))
        broken = asError(error);
      throw failure;
    } finally {
      client?.release(broken);
    }
  }

  async claimTasks(
    claim: TaskClaim,
    taken?: (tasks: readonly ClaimedTask[]) => void,
  ): Promise<readonly ClaimedTask[]> {
    let claimed: readonly ClaimedTask[] = [];
    const work = async (db: Queryable): Promise<void> => {
      claimed = await this.claim(db, claim);
      taken?.(claimed);
    };
    try {
      // One statement more, so that what was taken is known before it is stored: a worker outside has no heartbeat that
      // would find it.
      await (claim.takers.some(({ owner }) => owner === undefined)
        ? this.inTransaction(work)
        : this.run(work));
      await this.crash.reach('claim:after-commit');
      return claimed;
    } catch (error) {
      if (claimed.length === 0 || !(error instanceof StoreFailure) || error.kind !== 'unknown') throw error;
      throw new ClaimUnanswered(claimed, { cause: error });
    }
  }

  private async claim(db: Queryable, claim: TaskClaim): Promise<readonly ClaimedTask[]> {
    const rows = await claimTasks(db, claim);
    const snapshots = await this.snapshots.load(
      db,
      rows.map((row) => row.definition_digest),
    );
    return rows.flatMap((row): ClaimedTask[] => {
      const snapshot = snapshots.get(row.definition_digest);
      if (snapshot === undefined) return [];
      const task = taskFrom(row, snapshot);
      const lease = leaseFrom(row) ?? { owner: undefined, until: claim.now };
      return [
        {
          task,
          lease,
          // As the statement reckoned it.
          deadline: handOverDeadline(task, timeoutsFrom(row), claim.now, lease.owner !== undefined),
          fairTag: row.fair_tag,
          taker: row.taker,
          definition: snapshot.definition,
          traceparent: row.traceparent ?? undefined,
          revisionBefore: row.revision_before,
          revision: row.changed_rev,
        },
      ];
    });
  }

  async returnTasks(tasks: readonly Pick<Task, 'taskId' | 'pollCount'>[], now: Instant) {
    return { busy: await this.run((db) => returnTasks(db, tasks, now)) };
  }

  async heldBy(owner: string): Promise<ReadonlySet<string>> {
    const rows = await this.run((db) =>
      db.query<{ id: string }>('SELECT id FROM task WHERE lease_owner = $1', [owner]),
    );
    return new Set(rows.map(({ id }) => id));
  }

  release(owners: readonly string[], now: Instant, tasks?: readonly string[]) {
    return this.inTransaction(async (tx) => {
      const released = await releaseLeases(tx, owners, now, tasks);
      if (tasks === undefined) await releaseClaims(tx, owners);
      return released;
    });
  }

  registerNode(node: NodeRecord): Promise<readonly string[]> {
    return this.inTransaction((tx) => insertNode(tx, node), 'write');
  }

  heartbeat(incarnation: string, now: Instant): Promise<boolean> {
    return this.run((db) => beat(db, incarnation, now), 'write');
  }

  removeNodes(
    silent: readonly Pick<NodeRecord, 'incarnation' | 'heartbeatAt'>[],
  ): Promise<readonly string[]> {
    return this.run((db) => deleteSilentNodes(db, silent));
  }

  orphanedOwners(): Promise<readonly string[]> {
    return this.run(orphanedOwners);
  }

  async removeNode(incarnation: string): Promise<void> {
    await this.run((db) => deleteNode(db, incarnation));
  }

  listNodes(): Promise<readonly NodeRecord[]> {
    return this.run(listNodes);
  }

  outlook(now: Instant, taskTypes: readonly string[]): Promise<Outlook> {
    return this.run((db) => outlook(db, now, taskTypes));
  }

  claimTimers(owner: string, now: Instant, limit: number): Promise<readonly string[]> {
    return this.run((db) => claimTimers(db, owner, now, limit));
  }

  soonDue(after: Instant, until: Instant, limit: number): Promise<readonly string[]> {
    return this.run((db) => soonDue(db, after, until, limit));
  }

  async returnTimer(workflowId: string, at: Instant): Promise<void> {
    await this.run((db) =>
      db.query('UPDATE workflow_timer SET due_at = $2, claimed_by = NULL WHERE workflow_id = $1', [
        workflowId,
        at,
      ]),
    );
  }

  claimedTimers(owner: string): Promise<readonly string[]> {
    return this.run((db) => claimedTimers(db, owner));
  }

  async unclaimTimers(owner: string, workflowIds: readonly string[]): Promise<void> {
    await this.run((db) => unclaimTimers(db, owner, workflowIds));
  }

  promoteDelayed(now: Instant, limit: number): Promise<readonly string[]> {
    return this.run((db) => promoteDelayed(db, now, limit));
  }

  claimInbox(owner: string, now: Instant, limit: number): Promise<readonly InboxRow[]> {
    return this.run((db) => claimInbox(db, owner, now, limit));
  }

  async returnInbox(id: number, problem: string, retryAt: Instant | undefined): Promise<void> {
    await this.run((db) => returnInbox(db, id, problem, retryAt));
  }

  async dropInbox(ids: readonly number[]): Promise<void> {
    await this.run((db) => deleteInbox(db, ids));
  }

  claimedInbox(owner: string): Promise<readonly number[]> {
    return this.run((db) => claimedInbox(db, owner));
  }

  async unclaimInbox(owner: string, ids: readonly number[]): Promise<void> {
    await this.run((db) => unclaimInbox(db, owner, ids));
  }

  isStartPending(parentWorkflowId: string, taskId: string, childWorkflowId: string): Promise<boolean> {
    return this.run((db) => isStartPending(db, parentWorkflowId, taskId, childWorkflowId));
  }

  abandonedInbox(limit: number): Promise<readonly AbandonedInboxRow[]> {
    return this.run((db) => abandonedInbox(db, limit));
  }

  async load(workflowId: string): Promise<StoredExecution | undefined> {
    return this.inTransaction(async (tx) => {
      // Both reads show one moment.
      await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const [row] = await loadWorkflows(tx, [workflowId]);
      if (row === undefined) return undefined;
      const rows = await tx.query<TaskRow>('SELECT * FROM task WHERE workflow_id = $1 ORDER BY seq', [
        workflowId,
      ]);
      const snapshots = await this.snapshots.load(tx, [row.definition_digest]);
      const snapshot = snapshots.get(row.definition_digest);
      if (snapshot === undefined) throw new Error(`The definition snapshot of ${workflowId} is gone`);
      return {
        workflow: workflowFrom(row, snapshot.definition),
        tasks: rows.map((task) => taskFrom(task, snapshot)),
        timerAt: row.timer_at ?? undefined,
        leases: new Map(
          rows.flatMap((task) => {
            const lease = leaseFrom(task);
            return lease === undefined ? [] : [[task.id, lease] as const];
          }),
        ),
      };
    });
  }

  task(taskId: string): Promise<Task | undefined> {
    return this.oneTask('WHERE t.id = $1', [taskId]);
  }

  taskByReference(workflowId: string, reference: string): Promise<Task | undefined> {
    return this.oneTask(
      `WHERE t.workflow_id = $1 AND (t.ref = $2 OR starts_with(t.ref, $2 || '__'))
       ORDER BY t.ref = $2 DESC, t.seq DESC LIMIT 1`,
      [workflowId, reference],
    );
  }

  private oneTask(condition: string, values: readonly unknown[]): Promise<Task | undefined> {
    return this.run(async (db) => {
      const [row] = await db.query<TaskRow & { definition_digest: string }>(
        `SELECT t.*, p.definition_digest FROM task t JOIN workflow_payload p USING (workflow_id) ${condition}`,
        values,
      );
      if (row === undefined) return undefined;
      const snapshot = (await this.snapshots.load(db, [row.definition_digest])).get(row.definition_digest);
      return snapshot === undefined ? undefined : taskFrom(row, snapshot);
    });
  }

  async search(query: WorkflowSearch) {
    const rows = await this.run((db) => searchWorkflows(db, query));
    const items = rows.slice(0, query.limit).map(summaryFrom);
    const last = items.at(-1);
    return rows.length > query.limit && last !== undefined
      ? { items, nextCursor: encodeCursor({ at: last.createTime, id: last.workflowId }) }
      : { items };
  }

  revisions(workflowIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return this.run((db) => revisionsOf(db, workflowIds));
  }

  changes(
    known: readonly { workflowId: string; since: number }[],
    maxTasks: number,
  ): Promise<readonly StoredChange[]> {
    return this.run((db) => listChanges(db, known, maxTasks));
  }

  count(query: Omit<WorkflowSearch, 'limit' | 'skip' | 'cursor'>): Promise<number> {
    return this.run((db) => countWorkflows(db, query));
  }

  queueSizes(taskTypes?: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return this.run((db) => queueSizes(db, taskTypes));
  }

  async appendLogs(lines: readonly TaskLogLine[]): Promise<void> {
    if (lines.length > 0) await this.run((db) => appendLogs(db, lines));
  }

  logs(taskId: string): Promise<readonly TaskLogLine[]> {
    return this.run((db) => listLogs(db, taskId));
  }

  async recordPolls(polls: readonly PollRecord[]): Promise<void> {
    if (polls.length > 0) await this.run((db) => recordPolls(db, polls));
  }

  polls(taskType?: string): Promise<readonly PollRecord[]> {
    return this.run((db) => listPolls(db, taskType));
  }

  tasksAhead(taskId: string): Promise<number | undefined> {
    return this.run((db) => tasksAhead(db, taskId));
  }

  readings(taskTypes: readonly string[]): Promise<StoreReadings> {
    return this.inTransaction(async (tx) => {
      await tx.query(`SET LOCAL statement_timeout = '${READINGS_TIMEOUT}'`);
      return await readings(tx, taskTypes);
    });
  }

  override get connections() {
    const { totalCount, idleCount, waitingCount } = this.pool;
    return { total: totalCount, idle: idleCount, waiting: waitingCount };
  }

  fairTags(taskTypes: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return this.run((db) => fairTags(db, taskTypes));
  }

  async registerPayload(payload: NewPayload): Promise<void> {
    await this.run((db) => insertPayloadRecord(db, payload));
  }

  takeUnusedPayloads(writtenBefore: Instant, limit: number): Promise<readonly UnusedPayload[]> {
    return this.run((db) => takeUnusedPayloads(db, writtenBefore, limit));
  }

  async issuePayloadLocation(location: PayloadLocation): Promise<void> {
    await this.run((db) => insertPayloadLocation(db, location), 'write');
  }

  payloadLocation(token: string): Promise<PayloadLocation | undefined> {
    return this.run((db) => loadPayloadLocation(db, token));
  }

  takePayloadLocation(token: string, now: Instant): Promise<boolean> {
    return this.run((db) => takePayloadLocation(db, token, now), 'write');
  }

  async settlePayloadLocation(token: string, ref: string | undefined): Promise<void> {
    await this.run((db) => settlePayloadLocation(db, token, ref), 'write');
  }

  usedPayload(key: string): Promise<string | undefined> {
    return this.run((db) => usedPayload(db, key));
  }

  async forgetPayloads(keys: readonly string[]): Promise<void> {
    if (keys.length > 0) await this.run((db) => deletePayloadRecords(db, keys));
  }

  pruneCommands(before: Instant, limit: number): Promise<number> {
    return this.run((db) => pruneAppliedCommands(db, before, limit));
  }
}
