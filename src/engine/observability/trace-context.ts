import { createHash } from 'node:crypto';
import type { Workflow } from '../model/execution.js';
import type { Traces } from '../runtime/traces.js';

/*
 * Ids of traces and spans follow from the ids of workflows and tasks, so that any node emits spans of the same trace and
 * nothing has to be stored. They are UUIDs as a rule, whose digits serve as they are: the trace of a workflow is its id
 * without the dashes.
 */

export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits: the span of whoever sent this. */
  readonly spanId: string;
  readonly sampled: boolean;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const MAX_CHARACTERS = 255;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const isZero = (digits: string): boolean => /^0+$/.test(digits);

/** Reads a `traceparent` as W3C has it; `undefined` for one that must be ignored. */
export function parseTraceparent(text: string): TraceContext | undefined {
  if (text.length > MAX_CHARACTERS) return undefined;
  const [, version, traceId, spanId, flags, rest] = TRACEPARENT.exec(text.trim()) ?? [];
  if (version === undefined || traceId === undefined || spanId === undefined || flags === undefined) {
    return undefined;
  }
  // Later versions may say more at the end; this one must not.
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (isZero(traceId) || isZero(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export const formatTraceparent = ({ traceId, spanId, sampled }: TraceContext): string =>
  `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

function digitsOf(id: string): string {
  const digits = UUID.test(id) ? id.replaceAll('-', '') : digest(id).slice(0, 32);
  return isZero(digits.slice(0, 16)) || isZero(digits.slice(16)) ? digest(id).slice(0, 32) : digits;
}

/** The span of a workflow or of a task, by its id. */
export const spanIdOf = (id: string): string => digitsOf(id).slice(16);

/** The trace that a workflow belongs to, and the span under which its own hangs. */
export interface WorkflowTrace {
  readonly traceId: string;
  readonly parentSpanId: string | undefined;
  readonly sampled: boolean;
}

/** Derives contexts; `share` of the traces that begin here are sampled, others as whoever began them said. */
export class DerivedTraces implements Traces {
  constructor(private readonly share: number = 1) {}

  ofWorkflow(workflowId: string, brought: string | undefined): WorkflowTrace {
    const parent = brought === undefined ? undefined : parseTraceparent(brought);
    if (parent !== undefined) {
      return { traceId: parent.traceId, parentSpanId: parent.spanId, sampled: parent.sampled };
    }
    const traceId = digitsOf(workflowId);
    return { traceId, parentSpanId: undefined, sampled: this.isSampled(traceId) };
  }

  ofTask(task: { readonly taskId: string; readonly workflowInstanceId: string }, brought?: string): string {
    const { traceId, sampled } = this.ofWorkflow(task.workflowInstanceId, brought);
    return formatTraceparent({ traceId, spanId: spanIdOf(task.taskId), sampled });
  }

  following(
    source: Pick<Workflow, 'workflowId'> & { readonly taskId?: string | undefined },
    brought?: string,
  ): string {
    const { traceId, sampled } = this.ofWorkflow(source.workflowId, brought);
    return formatTraceparent({ traceId, spanId: spanIdOf(source.taskId ?? source.workflowId), sampled });
  }

  /** By the digits that W3C wants random, so that every node decides alike. */
  private isSampled(traceId: string): boolean {
    if (this.share >= 1) return true;
    return Number.parseInt(traceId.slice(-13), 16) < this.share * 16 ** 13;
  }
}
