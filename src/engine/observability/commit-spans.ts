import type { Instant } from '../../clock.js';
import { isTerminalTask, isTerminalWorkflow, type Task, type Workflow } from '../model/execution.js';
import type { CommitObserver } from '../runtime/commit-observer.js';
import { rowOf, type Transition } from '../runtime/transition.js';
import { spanIdOf, type DerivedTraces, type WorkflowTrace } from './trace-context.js';

/** A span that is over; times in milliseconds since the epoch. */
export interface FinishedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly startAt: Instant;
  readonly endAt: Instant;
  readonly failed: boolean;
  /** Never a payload, a reason or anything else that a workflow computed. */
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly events: readonly { readonly name: string; readonly at: Instant }[];
}

/** Where finished spans go; must return at once. */
export interface SpanSink {
  add(span: FinishedSpan): void;
}

const MAX_CHARACTERS = 255;
const FAILED: ReadonlySet<string> = new Set(['FAILED', 'FAILED_WITH_TERMINAL_ERROR', 'TIMED_OUT']);
const short = (text: string): string => text.slice(0, MAX_CHARACTERS);

/**
 * A span for every attempt of a task and for every workflow, told by the node whose commit ended it. A workflow that is
 * retried after its end is told again when it ends again, with the same id.
 */
export class CommitSpans implements CommitObserver {
  constructor(
    private readonly traces: DerivedTraces,
    private readonly sink: SpanSink,
  ) {}

  committed(batch: readonly Transition[]): void {
    for (const one of batch) if (one.write !== undefined) this.changed(one, one.write.tasks);
  }

  private changed({ before, next }: Transition, writes: readonly { readonly task: Task }[]): void {
    const { workflow } = next.state;
    const hasEnded =
      isTerminalWorkflow(workflow.status) &&
      (before === undefined || !isTerminalWorkflow(before.workflow.status));
    let trace: WorkflowTrace | undefined;
    for (const { task } of writes) {
      if (!isTerminalTask(task.status)) continue;
      const known = before && rowOf(before.tasks, task);
      if (known !== undefined && isTerminalTask(known.status)) continue;
      trace ??= this.traces.ofWorkflow(workflow.workflowId, workflow.traceparent);
      if (!trace.sampled) return;
      this.sink.add(taskSpan(task, workflow, trace));
    }
    if (!hasEnded) return;
    trace ??= this.traces.ofWorkflow(workflow.workflowId, workflow.traceparent);
    if (trace.sampled) this.sink.add(workflowSpan(workflow, trace));
  }
}

const workflowSpan = (workflow: Workflow, { traceId, parentSpanId }: WorkflowTrace): FinishedSpan => ({
  traceId,
  spanId: spanIdOf(workflow.workflowId),
  parentSpanId,
  name: short(`workflow ${workflow.workflowName}`),
  startAt: workflow.createTime,
  endAt: workflow.endTime ?? workflow.updateTime,
  failed: FAILED.has(workflow.status),
  attributes: {
    'sallyport.workflow.id': workflow.workflowId,
    'sallyport.workflow.name': workflow.workflowName,
    'sallyport.workflow.version': workflow.workflowVersion,
    'sallyport.workflow.status': workflow.status,
  },
  events: [],
});

function taskSpan(task: Task, workflow: Workflow, { traceId }: WorkflowTrace): FinishedSpan {
  const endAt = task.endTime ?? task.updateTime;
  const handedOutAt = task.pollCount > 0 ? task.startTime : undefined;
  return {
    traceId,
    spanId: spanIdOf(task.taskId),
    parentSpanId: spanIdOf(workflow.workflowId),
    name: short(`task ${task.taskDefName}`),
    startAt: task.scheduledTime,
    endAt,
    failed: FAILED.has(task.status),
    attributes: {
      'sallyport.workflow.id': workflow.workflowId,
      'sallyport.workflow.name': workflow.workflowName,
      'sallyport.task.id': task.taskId,
      'sallyport.task.ref': short(task.referenceTaskName),
      'sallyport.task.type': short(task.taskType),
      'sallyport.task.status': task.status,
      'sallyport.task.attempt': task.retryCount,
      'sallyport.task.iteration': task.iteration,
      ...(handedOutAt === undefined
        ? {}
        : {
            'sallyport.task.worker': short(task.workerId ?? ''),
            // Until the worker got it, with the delay that was asked for.
            'sallyport.task.queue_ms': handedOutAt - task.scheduledTime,
            'sallyport.task.run_ms': endAt - handedOutAt,
          }),
    },
    events: handedOutAt === undefined ? [] : [{ name: 'handed out', at: handedOutAt }],
  };
}
