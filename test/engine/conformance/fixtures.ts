import { decide } from '../../../src/engine/decider/decide.js';
import { newWorkflow } from '../../../src/engine/decider/new-workflow.js';
import { parseWorkflowDef } from '../../../src/engine/decider/parse-definition.js';
import type { ExecutionStore, LockedWorkflow, WorkflowWrite } from '../../../src/engine/execution-store.js';
import type { Command, Effect, WorkflowState } from '../../../src/engine/model/command.js';
import type { Task } from '../../../src/engine/model/execution.js';
import type { Entry } from '../../../src/engine/runtime/entry.js';
import { FairTags } from '../../../src/engine/runtime/fair-tags.js';
import { Slots } from '../../../src/engine/runtime/slots.js';
import { transition } from '../../../src/engine/runtime/transition.js';
import { knownWorkflow } from '../../../src/engine/runtime/workflow-cache.js';
import { chain, TESTER } from '../../support/engine.js';

export const NOW = Date.UTC(2026, 10, 23, 12);

let counter = 0;
export const freshId = (): string => `00000000-0000-4000-8000-${String(++counter).padStart(12, '0')}`;

const definitions = new Map<string, ReturnType<typeof parseWorkflowDef>>();

/** The definition object for this JSON; the same one each time, as the registry gives it. */
export function definitionOf(json: object = chain('two', 'work', 'work')) {
  const key = JSON.stringify(json);
  let def = definitions.get(key);
  if (def === undefined) definitions.set(key, (def = parseWorkflowDef(json)));
  return def;
}

export interface StartOptions {
  readonly workflowId?: string;
  readonly definition?: object;
  readonly now?: number;
  readonly priority?: number;
  readonly correlationId?: string;
  readonly idempotencyKey?: string;
  readonly traceparent?: string;
  readonly input?: WorkflowState['workflow']['input'];
}

export const fairTags = new FairTags();

function context(now: number) {
  return { now, incarnation: 'node-a', slots: new Slots([]), fairTags, taskDefs: new Map() };
}

const entryOf = (workflowId: string, request: Entry['request'], timer = false, inboxId?: number): Entry => ({
  workflowId,
  request,
  bytes: 1,
  since: 0,
  internal: true,
  timer,
  inboxId,
  resolve() {},
  reject() {},
});

/** The write of a new workflow, as the committer makes it. */
export function startWrite(options: StartOptions = {}, inboxId?: number): WorkflowWrite {
  const now = options.now ?? NOW;
  const workflowId = options.workflowId ?? freshId();
  const initial = newWorkflow({
    ...options,
    workflowId,
    definition: definitionOf(options.definition),
    taskDefs: new Map(),
    now,
  });
  const starting = { kind: 'start', commandId: `start:${workflowId}`, actor: TESTER } as const;
  const known = knownWorkflow(initial, undefined, new Map());
  const entry = entryOf(workflowId, { kind: 'start', command: starting, initial }, false, inboxId);
  const { write } = transition(known, [entry], new Set(), true, context(now));
  if (write === undefined) throw new Error('a start writes');
  return write;
}

/** Starts a workflow. @returns its id, or the id of the one that stood in the way. */
export async function start(store: ExecutionStore, options: StartOptions = {}): Promise<string> {
  const write = startWrite(options);
  const { workflowId } = write.workflow;
  const result = await store.commitBatch({ now: options.now ?? NOW, members: [], wait: false }, () => [
    write,
  ]);
  return result.existing.get(workflowId) ?? workflowId;
}

/** Decides one command on what is stored and stores the outcome. */
export async function command(
  store: ExecutionStore,
  workflowId: string,
  what: Record<string, unknown> & { kind: Command['kind'] },
  options: {
    now?: number;
    timer?: boolean;
    commandId?: string;
    inboxOwner?: string;
    /** Tasks whose lease is extended, instead of the command. */
    extends?: readonly string[];
    /** Stored beside what was decided. */
    effects?: readonly Effect[];
  } = {},
) {
  const now = options.now ?? NOW;
  const commandId = options.commandId ?? freshId();
  let locked: LockedWorkflow | undefined;
  const result = await store.commitBatch(
    {
      now,
      wait: false,
      inboxOwner: options.inboxOwner,
      members: [{ workflowId, knownRevision: -1, commandIds: [commandId] }],
    },
    ([row]) => {
      locked = row;
      if (row?.changes === undefined) return [];
      const { workflow, tasks, timerAt } = row.changes;
      const state: WorkflowState = { workflow, tasks: tasks.map(({ task }) => task), taskDefs: new Map() };
      const tags = new Map<string, number>();
      for (const { task, fairTag } of tasks) tags.set(task.taskType, fairTag);
      const asked = { commandId, actor: TESTER, ...what } as Command;
      const request =
        options.extends === undefined
          ? ({ kind: 'command', command: asked } as const)
          : ({ kind: 'extend', taskIds: options.extends } as const);
      const { write } = transition(
        knownWorkflow(state, timerAt, tags),
        [entryOf(workflowId, request, options.timer)],
        row.applied,
        false,
        context(now),
      );
      if (write === undefined) return [];
      return [{ ...write, effects: [...write.effects, ...(options.effects ?? [])] }];
    },
  );
  return { result, locked };
}

export const complete = (store: ExecutionStore, task: Task, output = {}, now = NOW) =>
  command(
    store,
    task.workflowInstanceId,
    { kind: 'updateTask', taskId: task.taskId, status: 'COMPLETED', outputData: output },
    { now },
  );

/** Keeps a task's lease fresh. */
export const extendLease = (store: ExecutionStore, { workflowInstanceId, taskId }: Task, now: number) =>
  command(store, workflowInstanceId, { kind: 'wake' }, { now, extends: [taskId] });

/** The state that a full re-decide from rows gives, which must be what is stored. */
export const redecide = (state: WorkflowState, now: number) => decide(state, [], now);
