import type { Instant } from '../../clock.js';
import type { WorkflowState } from '../model/command.js';
import type { TaskDef, WorkflowDef } from '../model/definition.js';
import type { JsonObject } from '../model/json.js';

/** What a start says about the run. */
export interface NewWorkflow {
  readonly workflowId: string;
  readonly definition: WorkflowDef;
  /** Registered task definitions by name. */
  readonly taskDefs: ReadonlyMap<string, TaskDef>;
  readonly now: Instant;
  readonly input?: JsonObject | undefined;
  readonly correlationId?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  /** 0..99, higher first; 0 when absent. */
  readonly priority?: number | undefined;
  readonly createdBy?: string | undefined;
  readonly parentWorkflowId?: string | undefined;
  readonly parentWorkflowTaskId?: string | undefined;
  /** How many workflows it is inside of; 0 when absent. */
  readonly depth?: number | undefined;
  readonly traceparent?: string | undefined;
}

/** A run before its first decision: no tasks yet, revision 0. The definition's `inputTemplate` fills missing inputs. */
export function newWorkflow(args: NewWorkflow): WorkflowState {
  const { definition, now } = args;
  const given = Object.entries(args.input ?? {});
  const missing = Object.entries(definition.inputTemplate).filter(
    ([key]) => (args.input?.[key] ?? null) === null,
  );
  return {
    workflow: {
      workflowId: args.workflowId,
      workflowName: definition.name,
      workflowVersion: definition.version,
      workflowDefinition: definition,
      status: 'RUNNING',
      input: Object.fromEntries([...given, ...missing]),
      output: {},
      variables: definition.variables,
      correlationId: args.correlationId,
      idempotencyKey: args.idempotencyKey,
      priority: args.priority ?? 0,
      createTime: now,
      updateTime: now,
      failedReferenceTaskNames: [],
      parentWorkflowId: args.parentWorkflowId,
      parentWorkflowTaskId: args.parentWorkflowTaskId,
      depth: args.depth ?? 0,
      createdBy: args.createdBy,
      traceparent: args.traceparent,
      runEpoch: 0,
      revision: 0,
    },
    tasks: [],
    taskDefs: args.taskDefs,
  };
}
