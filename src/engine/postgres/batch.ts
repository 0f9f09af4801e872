import { appendAudit } from '../../audit/audit.js';
import type { Queryable } from '../../database/queryable.js';
import {
  StoreFailure,
  type BatchMember,
  type BatchRequest,
  type BatchResult,
  type InboxRow,
  type LockedWorkflow,
  type WorkflowWrite,
} from '../execution-store.js';
import { sourceTaskOf } from '../effect-source.js';
import { toRow } from '../payloads/placeholder.js';
import { PayloadsLost } from '../payloads/payloads-lost.js';
import type { DefinitionSnapshots } from './definition-snapshots.js';
import {
  advancedParameters,
  changedTaskParameters,
  changedWorkflowParameters,
  endedTaskParameters,
  newTaskValues,
  newWorkflowParameters,
  taskFrom,
  workflowFrom,
  type TaskRow,
} from './rows.js';
import type { Sent } from './sent.js';
import type { Session } from './session.js';
import { advanceWorkflows } from './sql/advance-workflows.js';
import { findAppliedCommands, insertAppliedCommands } from './sql/applied-commands.js';
import { endTasks } from './sql/end-tasks.js';
import { deleteInbox, insertInbox } from './sql/inbox.js';
import { markPayloadsUsed } from './sql/external-payloads.js';
import { insertTasks } from './sql/insert-tasks.js';
import { lockAsKnown } from './sql/assume.js';
import { findWinners, insertNewWorkflows, insertWorkflows } from './sql/insert-workflows.js';
import { loadWorkflows } from './sql/load-workflows.js';
import { loadTasks } from './sql/load-tasks.js';
import { MAX_READ_BYTES, workflowBytes } from './sql/stored-bytes.js';
import { lockWorkflows, type LockedRow } from './sql/lock-workflows.js';
import { updateTasks } from './sql/update-tasks.js';
import { updateWorkflows } from './sql/update-workflows.js';
import { insertPayloads, updatePayloads } from './sql/write-payloads.js';
import { clearTimers, writeTimers } from './sql/write-timers.js';

/** Locks the members of a batch and reads what their caller does not know. */
export async function lockMembers(
  tx: Queryable,
  { members, wait }: BatchRequest,
  snapshots: DefinitionSnapshots,
): Promise<{ locked: readonly LockedWorkflow[]; busy: string[]; missing: string[] }> {
  if (members.length === 0) return { locked: [], busy: [], missing: [] };
  const asked = members.flatMap(({ workflowId, commandIds }) =>
    commandIds.map((commandId) => ({ workflowId, commandId })),
  );
  const [rows, applied] = await Promise.all([
    lockWorkflows(
      tx,
      members.map(({ workflowId }) => workflowId),
      wait,
    ),
    // Runs after the locks are had, because a connection's statements run in their order.
    asked.length === 0 ? undefined : findAppliedCommands(tx, asked),
  ]);
  const byId = new Map(rows.map((row) => [row.id, row]));
  const { stale, left } = await staleMembers(tx, members, byId);
  const changes = await loadChanges(tx, stale, snapshots);
  const absent = members.map(({ workflowId }) => workflowId).filter((id) => !byId.has(id));
  const existing = absent.length === 0 ? new Set<string>() : await existingOf(tx, absent);
  return {
    locked: rows
      .filter(({ id }) => !left.has(id))
      .map((row) => ({
        workflowId: row.id,
        applied: applied?.get(row.id) ?? NONE,
        changes: changes.get(row.id),
      })),
    busy: [...absent.filter((id) => existing.has(id)), ...left],
    missing: absent.filter((id) => !existing.has(id)),
  };
}

/** The same, where the caller is sure of what it knows: nothing is waited for, and the server fails what was wrong. */
export function assumeMembers(
  tx: Queryable,
  sent: Sent,
  { members }: BatchRequest,
): { locked: readonly LockedWorkflow[]; busy: string[]; missing: string[] } {
  if (members.length > 0) sent.add(lockAsKnown(tx, members));
  const locked = members.map(({ workflowId }) => ({ workflowId, applied: NONE, changes: undefined }));
  return { locked, busy: [], missing: [] };
}

const NONE: ReadonlySet<string> = new Set();

async function existingOf(tx: Queryable, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ id: string }>('SELECT id FROM workflow WHERE id = ANY ($1)', [ids]);
  return new Set(rows.map(({ id }) => id));
}

// The values in the rows of one workflow are bounded; of so few they are not worth a question.
const FEW = 4;

/** Those of whom something has to be read; `left`: whose values would be too much together, for another batch. */
async function staleMembers(
  tx: Queryable,
  members: readonly BatchMember[],
  rows: ReadonlyMap<string, LockedRow>,
): Promise<{ stale: readonly BatchMember[]; left: ReadonlySet<string> }> {
  const stale = members.filter(({ workflowId, knownRevision }) => {
    const row = rows.get(workflowId);
    return row !== undefined && row.revision !== knownRevision;
  });
  if (stale.length <= FEW) return { stale, left: NONE };
  const sizes = await workflowBytes(tx, stale);
  const left = new Set<string>();
  let bytes = 0;
  for (const { workflowId } of stale) {
    const size = sizes.get(workflowId) ?? 0;
    if (bytes > 0 && bytes + size > MAX_READ_BYTES) left.add(workflowId);
    else bytes += size;
  }
  return { stale: stale.filter(({ workflowId }) => !left.has(workflowId)), left };
}

async function loadChanges(
  tx: Queryable,
  stale: readonly BatchMember[],
  snapshots: DefinitionSnapshots,
): Promise<ReadonlyMap<string, NonNullable<LockedWorkflow['changes']>>> {
  const changes = new Map<string, NonNullable<LockedWorkflow['changes']>>();
  if (stale.length === 0) return changes;
  const loaded = await loadWorkflows(
    tx,
    stale.map(({ workflowId }) => workflowId),
  );
  const definitions = await snapshots.load(
    tx,
    loaded.map((row) => row.definition_digest),
  );
  const tasks = new Map<string, TaskRow[]>();
  for (const row of await loadTasks(tx, stale)) {
    const rowsOfOne = tasks.get(row.workflow_id);
    if (rowsOfOne === undefined) tasks.set(row.workflow_id, [row]);
    else rowsOfOne.push(row);
  }
  for (const row of loaded) {
    const snapshot = definitions.get(row.definition_digest);
    if (snapshot === undefined) continue;
    changes.set(row.id, {
      workflow: workflowFrom(row, snapshot.definition),
      timerAt: row.timer_at ?? undefined,
      tasks: (tasks.get(row.id) ?? []).map((task: TaskRow) => ({
        task: taskFrom(task, snapshot),
        fairTag: task.fair_tag,
      })),
    });
  }
  return changes;
}

/**
 * Writes a batch: one statement per table and kind of change, sent together; waited for is only what decides about the
 * rest.
 *
 * @returns new workflows that met an older one, and (once all is written) the new inbox rows that the batch's owner
 * holds.
 */
export async function writeBatch(
  tx: Session,
  sent: Sent,
  writes: readonly WorkflowWrite[],
  { now, inboxOwner, assumed }: Pick<BatchRequest, 'now' | 'inboxOwner' | 'assumed'>,
  snapshots: DefinitionSnapshots,
): Promise<{ existing: BatchResult['existing']; held: Promise<readonly InboxRow[]> }> {
  const consumed = writes.flatMap((write) => write.consumed);
  if (consumed.length > 0) sent.add(deleteInbox(tx, consumed));
  changeWorkflows(
    tx,
    sent,
    writes.filter(({ isNew }) => !isNew),
    snapshots,
  );
  const existing = await startWorkflows(
    tx,
    sent,
    writes.filter(({ isNew }) => isNew),
    assumed ?? false,
    snapshots,
  );
  const kept =
    existing.size === 0 ? writes : writes.filter(({ workflow }) => !existing.has(workflow.workflowId));
  const payloadKeys = kept.flatMap((write) => write.payloadKeys ?? []);
  if (payloadKeys.length > 0) {
    const lost = await markPayloadsUsed(tx, payloadKeys);
    if (lost.length > 0) throw new PayloadsLost(lost);
  }
  writeTasks(tx, sent, kept, now, snapshots);
  const held = writeInbox(tx, kept, now, inboxOwner);
  sent.add(held);
  await writeFollowUps(tx, sent, kept, now);
  return { existing, held };
}

function changeWorkflows(
  tx: Session,
  sent: Sent,
  writes: readonly WorkflowWrite[],
  snapshots: DefinitionSnapshots,
): void {
  const advanced = writes.filter(({ headChanged }) => !headChanged);
  if (advanced.length > 0) sent.add(advanceWorkflows(tx, advanced.map(advancedParameters)));
  const changed = writes.filter(({ headChanged }) => headChanged);
  if (changed.length > 0) sent.add(updateWorkflows(tx, changed.map(changedWorkflowParameters)));
  const payloads = writes.filter(({ payloadChanged }) => payloadChanged);
  if (payloads.length === 0) return;
  sent.add(
    updatePayloads(
      tx,
      payloads.map((write) => payloadParameters(write, snapshots)),
    ),
  );
}

async function startWorkflows(
  tx: Queryable,
  sent: Sent,
  starts: readonly WorkflowWrite[],
  assumed: boolean,
  snapshots: DefinitionSnapshots,
): Promise<ReadonlyMap<string, string>> {
  if (starts.length === 0) return new Map();
  const rows = starts.map(newWorkflowParameters);
  if (assumed) {
    sent.add(insertNewWorkflows(tx, rows));
    storeStarts(tx, sent, starts, snapshots);
    return new Map();
  }
  const inserted = await insertWorkflows(tx, rows);
  const losers = rows.filter(({ id }) => !inserted.has(id));
  const winners = losers.length === 0 ? new Map<string, string>() : await findWinners(tx, losers);
  if (winners.size < losers.length) {
    // The one that stood in the way was rolled back, or is not committed where we can see it.
    throw new StoreFailure('transient', 'A start with the same key is being decided elsewhere');
  }
  const kept = starts.filter(({ workflow }) => inserted.has(workflow.workflowId));
  if (kept.length > 0) storeStarts(tx, sent, kept, snapshots);
  return winners;
}

function storeStarts(
  tx: Queryable,
  sent: Sent,
  starts: readonly WorkflowWrite[],
  snapshots: DefinitionSnapshots,
): void {
  storeSnapshots(tx, sent, starts, snapshots);
  sent.add(
    insertPayloads(
      tx,
      starts.map((write) => payloadParameters(write, snapshots)),
    ),
  );
}

function storeSnapshots(
  tx: Queryable,
  sent: Sent,
  starts: readonly WorkflowWrite[],
  snapshots: DefinitionSnapshots,
): void {
  const fresh = new Map(
    starts.flatMap(({ workflow: { workflowDefinition } }) => {
      const { digest } = snapshots.of(workflowDefinition);
      return snapshots.isStored(digest) ? [] : [[digest, workflowDefinition] as const];
    }),
  );
  // In one order everywhere: two batches that insert the same ones must not wait for each other in a ring.
  for (const [digest, definition] of [...fresh].sort(([a], [b]) => (a < b ? -1 : 1))) {
    sent.add(
      tx.query(
        'INSERT INTO definition_snapshot (digest, definition) VALUES ($1, $2) ON CONFLICT DO NOTHING',
        [digest, JSON.stringify(definition)],
      ),
    );
  }
}

const payloadParameters = ({ workflow }: WorkflowWrite, snapshots: DefinitionSnapshots) => ({
  workflow_id: workflow.workflowId,
  definition_digest: snapshots.of(workflow.workflowDefinition).digest,
  input: toRow(workflow.input),
  output: toRow(workflow.output),
  variables: workflow.variables,
  traceparent: workflow.traceparent,
});

function writeTasks(
  tx: Session,
  sent: Sent,
  writes: readonly WorkflowWrite[],
  now: number,
  snapshots: DefinitionSnapshots,
): void {
  const fresh: ReturnType<typeof newTaskValues>[] = [];
  const ended: ReturnType<typeof endedTaskParameters>[] = [];
  const changed: ReturnType<typeof changedTaskParameters>[] = [];
  for (const { workflow, tasks } of writes) {
    const snapshot = snapshots.of(workflow.workflowDefinition);
    for (const task of tasks) {
      if (task.kind === 'new') fresh.push(newTaskValues(task, workflow.revision, now, snapshot));
      else if (task.kind === 'ended') ended.push(endedTaskParameters(task, workflow.revision));
      else changed.push(changedTaskParameters(task, workflow.revision, now));
    }
  }
  if (fresh.length > 0) sent.add(insertTasks(tx, fresh));
  if (ended.length > 0) sent.add(endTasks(tx, ended));
  if (changed.length > 0) sent.add(updateTasks(tx, changed));
}

/** @returns the new rows, when they have an owner. */
async function writeInbox(
  tx: Queryable,
  writes: readonly WorkflowWrite[],
  now: number,
  owner: string | undefined,
): Promise<readonly InboxRow[]> {
  const rows = writes.flatMap(({ workflow, effects }) =>
    effects.map((effect) => ({
      kind: effect.kind,
      source_workflow_id: workflow.workflowId,
      source_task_id: sourceTaskOf(effect),
      target_workflow_id: effect.workflowId,
      effect,
    })),
  );
  if (rows.length === 0) return [];
  const inserted = await insertInbox(tx, rows, now, owner);
  return owner === undefined ? [] : inserted;
}

async function writeFollowUps(
  tx: Queryable,
  sent: Sent,
  writes: readonly WorkflowWrite[],
  now: number,
): Promise<void> {
  const timers = writes.flatMap(({ workflow, timer }) =>
    timer.kind === 'earlier' || timer.kind === 'exactly'
      ? [{ workflow_id: workflow.workflowId, due_at: timer.at, exactly: timer.kind === 'exactly' }]
      : [],
  );
  if (timers.length > 0) sent.add(writeTimers(tx, timers));
  const cleared = writes.filter(({ timer }) => timer.kind === 'clear');
  if (cleared.length > 0) {
    sent.add(
      clearTimers(
        tx,
        cleared.map(({ workflow }) => workflow.workflowId),
      ),
    );
  }
  const commands = writes.flatMap(({ workflow: { workflowId }, commandIds }) =>
    commandIds.map((commandId) => ({ workflowId, commandId })),
  );
  if (commands.length > 0 && !(await insertAppliedCommands(tx, commands, now))) {
    throw new StoreFailure('transient', 'A command of this batch was applied elsewhere at the same moment');
  }
  const audit = writes.flatMap((write) => write.audit);
  if (audit.length > 0) sent.add(appendAudit(tx, audit));
}
