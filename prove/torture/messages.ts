import type { Actor } from '../../src/engine/model/command.js';
import type { StartWorkflowRequest, TaskResult } from '../../src/engine/ports.js';

/** What the proof asks of a replica. */
export type Order =
  | { readonly id: number; readonly kind: 'start'; readonly request: StartWorkflowRequest }
  | { readonly id: number; readonly kind: 'update'; readonly result: TaskResult }
  | { readonly id: number; readonly kind: 'poll'; readonly taskType: string; readonly count: number };

export interface PolledTask {
  readonly taskId: string;
  readonly workflowInstanceId: string;
  readonly retryCount: number;
  readonly inputData: Readonly<Record<string, unknown>>;
}

export type Answer =
  | { readonly id: 'ready' }
  | { readonly id: number; readonly ok: true; readonly tasks?: readonly PolledTask[] }
  | { readonly id: number; readonly ok: false; readonly message: string };

export const PROVER: Actor = { kind: 'worker', id: 'torture' };
