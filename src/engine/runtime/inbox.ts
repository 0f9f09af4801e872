import type { Clock, Instant } from '../../clock.js';
import { NotFound, Unavailable } from '../../errors.js';
import { newWorkflow } from '../decider/new-workflow.js';
import type { ExecutionStore, InboxRow } from '../execution-store.js';
import type { Command, Effect } from '../model/command.js';
import type { JsonObject } from '../model/json.js';
import type { PayloadVault } from '../payloads/payload-vault.js';
import type { Committer } from './committer.js';
import type { CrashPoints } from './crash-points.js';
import type { Definitions } from './definitions.js';
import type { EntryOutcome } from './entry.js';
import { LostClaims } from './lost-claims.js';
import { roughBytes } from './rough-bytes.js';
import type { RuntimeLog } from './runtime-log.js';
import type { Traces } from './traces.js';

interface Parts {
  readonly traces: Traces;
  readonly store: ExecutionStore;
  readonly clock: Clock;
  readonly definitions: Definitions;
  readonly committer: () => Committer;
  readonly crash: CrashPoints;
  readonly log: RuntimeLog;
  readonly incarnation: () => string;
  /** Fetches inputs that are kept elsewhere. */
  readonly payloads?: PayloadVault | undefined;
  /** There is room again for what was left in the table. */
  readonly again: () => void;
}

type Start = Extract<Effect, { kind: 'startWorkflow' }>;
type ChildEnded = Extract<Effect, { kind: 'childEnded' }>;

const ROWS_PER_CLAIM = 500;
// What this process holds of the inbox; the rest waits in its table.
const MAX_HELD = 5_000;
const MAX_HELD_BYTES = 32 * 1024 * 1024;
const MAX_ATTEMPTS = 8;
const RETRY_MS = 5_000;
// A child whose start is under way on another node is started within milliseconds.
const START_PENDING_MS = 100;
const MAX_START_PENDING_MS = 60_000;

const SYSTEM = { kind: 'system', id: 'engine' } as const;

/**
 * Carries out what transitions of one workflow mean for another: starts children and failure workflows, tells parents
 * of their children's ends, terminates children.
 *
 * Each is a row, inserted in the source's commit and removed in the target's. A row may be taken up twice, after its
 * holder died or was taken for dead; the second time its target has changed already, and it has no effect.
 */
export class Inbox {
  private readonly held = new Map<number, InboxRow>();
  private readonly lost = new LostClaims<number>();
  private heldBytes = 0;
  private dropping: { readonly ids: number[]; readonly done: Promise<void> } | undefined;
  private hasRefused = false;
  private isStopped = false;
  private consumedCount = 0;
  private abandonedCount = 0;

  constructor(private readonly parts: Parts) {}

  /** Rows under way in this process; since its start, how many were consumed, and given up for good. */
  get facts(): { readonly held: number; readonly consumed: number; readonly abandoned: number } {
    return { held: this.held.size, consumed: this.consumedCount, abandoned: this.abandonedCount };
  }

  /** Whether there is room for more; without, rows stay in their table for whoever has. */
  get hasRoom(): boolean {
    const hasRoom = !this.isStopped && this.held.size < MAX_HELD && this.heldBytes < MAX_HELD_BYTES;
    if (!hasRoom) this.hasRefused = true;
    return hasRoom;
  }

  /** Rows that this process holds. Those of one turn of the event loop are committed together. */
  take(rows: readonly InboxRow[]): void {
    for (const row of rows) {
      if (this.held.has(row.id)) continue;
      this.held.set(row.id, row);
      const bytes = bytesOf(row.effect);
      this.heldBytes += bytes;
      void this.consume(row).finally(() => {
        this.held.delete(row.id);
        this.heldBytes -= bytes;
        this.makeRoom();
      });
    }
  }

  /** Rows that found no room wait in their table; half of it is free again. */
  private makeRoom(): void {
    if (!this.hasRefused || this.held.size > MAX_HELD / 2 || this.heldBytes > MAX_HELD_BYTES / 2) return;
    this.hasRefused = false;
    if (!this.isStopped) this.parts.again();
  }

  /** Takes due rows that nobody holds. @returns whether there may be more, and room for them. */
  async takeDue(now: Instant): Promise<boolean> {
    if (!this.hasRoom) return false;
    const { store, incarnation, crash } = this.parts;
    const limit = Math.min(ROWS_PER_CLAIM, MAX_HELD - this.held.size);
    const rows = await store.claimInbox(incarnation(), now, limit);
    await crash.reach('inbox:claimed');
    this.take(rows);
    return rows.length === limit && this.hasRoom;
  }

  /** Hands back rows that were claimed for this process without its knowing. */
  async reconcile(now: Instant): Promise<void> {
    const { store, incarnation, log } = this.parts;
    const lost = await this.lost.find(
      now,
      () => store.claimedInbox(incarnation()),
      (id) => this.held.has(id),
    );
    if (lost.length === 0) return;
    log.warn(
      { rows: lost.length },
      'messages between workflows were claimed and lost; they are delivered again',
    );
    await store.unclaimInbox(incarnation(), lost);
  }

  /** Takes nothing more. What is under way is answered by the committer, or released with the node's leases. */
  stop(): void {
    this.isStopped = true;
  }

  private async consume(row: InboxRow): Promise<void> {
    const { log, crash } = this.parts;
    const { workflowId, kind } = row.effect;
    try {
      await crash.reach('inbox:held');
      const outcome = await this.deliver(row);
      if (outcome.kind !== 'missing' || (await this.missing(row))) this.consumedCount += 1;
    } catch (error) {
      if (error instanceof Unavailable && this.isStopped) return;
      await this.failed(row, error).catch((failure: unknown) =>
        log.error({ workflowId, kind, err: failure }, 'a message between workflows stays claimed for now'),
      );
    }
  }

  private deliver({ id, effect, sourceWorkflowId }: InboxRow): Promise<EntryOutcome> {
    switch (effect.kind) {
      case 'startWorkflow':
        return this.start(id, effect, sourceWorkflowId);
      case 'childEnded':
        return this.tellParent(id, effect);
      case 'childRetried':
        return this.command(id, effect.workflowId, {
          kind: 'childRetried',
          taskId: effect.taskId,
          childWorkflowId: effect.childWorkflowId,
          retriedAt: effect.retriedAt,
        });
      case 'terminateChild':
        return this.command(id, effect.workflowId, { kind: 'terminate', reason: effect.reason });
      default:
        return effect satisfies never;
    }
  }

  private start(id: number, effect: Start, sourceWorkflowId: string): Promise<EntryOutcome> {
    const { payloads } = this.parts;
    const withInput = (input: JsonObject): Promise<EntryOutcome> =>
      this.startWith(id, { ...effect, input }, sourceWorkflowId);
    return payloads === undefined ? withInput(effect.input) : payloads.alone(effect.input, withInput);
  }

  /** The target's id is derived, so that it is started once. */
  private async startWith(id: number, effect: Start, sourceWorkflowId: string): Promise<EntryOutcome> {
    const { definitions, clock, committer, traces } = this.parts;
    const { workflowId, name, version, parent } = effect;
    let definition = effect.definition;
    try {
      definition ??= await definitions.getWorkflow(name, version === 0 ? undefined : version);
    } catch (error) {
      if (!(error instanceof NotFound) || parent === undefined) throw error;
      // The row is consumed by the parent, in whose commit its task fails.
      return this.tellParent(id, notStarted(effect, error.message, clock.now()));
    }
    const initial = newWorkflow({
      workflowId,
      definition,
      taskDefs: definitions.taskDefs(),
      now: clock.now(),
      input: effect.input,
      correlationId: effect.correlationId,
      priority: effect.priority,
      parentWorkflowId: parent?.workflowId,
      parentWorkflowTaskId: parent?.taskId,
      depth: parent === undefined ? 0 : parent.depth + 1,
      traceparent: traces.following(
        { workflowId: sourceWorkflowId, taskId: parent?.taskId },
        effect.traceparent,
      ),
    });
    const command = { kind: 'start', commandId: `inbox:${id}`, actor: SYSTEM } as const;
    return committer().submit(
      workflowId,
      { kind: 'start', command, initial },
      { internal: true, inboxId: id },
    );
  }

  private tellParent(
    id: number,
    { workflowId, taskId, childWorkflowId, status, output, reason, endTime }: Omit<ChildEnded, 'kind'>,
  ): Promise<EntryOutcome> {
    return this.command(id, workflowId, {
      kind: 'childEnded',
      taskId,
      childWorkflowId,
      status,
      output,
      reason,
      endTime,
    });
  }

  private command(
    id: number,
    workflowId: string,
    what: Extract<Unnamed<Command>, { kind: 'childEnded' | 'childRetried' | 'terminate' }>,
  ): Promise<EntryOutcome> {
    const command = { ...what, commandId: `inbox:${id}`, actor: SYSTEM };
    return this.parts
      .committer()
      .submit(workflowId, { kind: 'command', command }, { internal: true, inboxId: id });
  }

  /** Nobody is there to consume the row. @returns whether it is settled all the same. */
  private async missing({ id, effect, sourceWorkflowId, attempts }: InboxRow): Promise<boolean> {
    const { store, clock, log } = this.parts;
    if (effect.kind === 'terminateChild') {
      if (await store.isStartPending(sourceWorkflowId, effect.taskId, effect.workflowId)) {
        const pause = Math.min(MAX_START_PENDING_MS, START_PENDING_MS * 2 ** Math.min(attempts, 20));
        await store.returnInbox(id, 'the child has yet to start', clock.now() + pause);
        return false;
      }
      // It may have been started between the two looks; by now it has been, or never will be.
      const outcome = await this.deliver({ id, effect, sourceWorkflowId, attempts });
      if (outcome.kind !== 'missing') return true;
    }
    const facts = { workflowId: effect.workflowId, sourceWorkflowId, kind: effect.kind };
    log.info(facts, 'a message for a workflow that is not there was dropped');
    await this.drop(id);
    return true;
  }

  /** Rows of one turn of the event loop go with one statement. */
  private drop(id: number): Promise<void> {
    this.dropping ??= {
      ids: [],
      done: new Promise((resolve) => setImmediate(resolve)).then(() => {
        const ids = this.dropping?.ids ?? [];
        this.dropping = undefined;
        return this.parts.store.dropInbox(ids);
      }),
    };
    this.dropping.ids.push(id);
    return this.dropping.done;
  }

  private async failed(row: InboxRow, error: unknown): Promise<void> {
    const { store, clock, log } = this.parts;
    const { id, effect, attempts, sourceWorkflowId } = row;
    const isLast = attempts + 1 >= MAX_ATTEMPTS;
    const facts = { workflowId: effect.workflowId, sourceWorkflowId, kind: effect.kind, isLast };
    const level = error instanceof NotFound && !isLast ? 'warn' : 'error';
    log[level]({ ...facts, err: error }, 'a message between workflows could not be delivered');
    if (isLast && (await this.deliverInstead(row, error))) return;
    if (isLast) this.abandonedCount += 1;
    await store.returnInbox(id, String(error), isLast ? undefined : clock.now() + RETRY_MS * 2 ** attempts);
  }

  /** A parent must not wait for ever for a child that cannot start, or whose end it cannot take: its task fails. */
  private async deliverInstead({ id, effect }: InboxRow, error: unknown): Promise<boolean> {
    const problem = error instanceof Error ? error.message : String(error);
    try {
      if (effect.kind === 'startWorkflow' && effect.parent !== undefined) {
        return await this.isTaken(
          id,
          this.tellParent(id, notStarted(effect, problem, this.parts.clock.now())),
        );
      }
      if (effect.kind === 'childEnded') {
        const reason = `The sub workflow ended with ${effect.status}, but its end could not be taken over: ${problem}`;
        const told = this.tellParent(id, { ...effect, status: 'FAILED', output: {}, reason });
        return await this.isTaken(id, told);
      }
    } catch (failure) {
      this.parts.log.error({ workflowId: effect.workflowId, err: failure }, 'nor could its parent be told');
    }
    return false;
  }

  private async isTaken(id: number, told: Promise<EntryOutcome>): Promise<boolean> {
    const outcome = await told;
    if (outcome.kind === 'missing') await this.drop(id);
    return true;
  }
}

function bytesOf(effect: Effect): number {
  if (effect.kind === 'startWorkflow') return 1_000 + roughBytes(effect.input);
  return effect.kind === 'childEnded' ? 500 + roughBytes(effect.output) : 500;
}

type Unnamed<C> = C extends unknown ? Omit<C, 'commandId' | 'actor'> : never;

const notStarted = (
  { workflowId, parent, name }: Start,
  problem: string,
  endTime: Instant,
): Omit<ChildEnded, 'kind'> => ({
  workflowId: parent?.workflowId ?? '',
  taskId: parent?.taskId ?? '',
  childWorkflowId: workflowId,
  status: 'FAILED',
  output: {},
  reason: `Sub workflow ${name} could not be started: ${problem}`,
  endTime,
});
