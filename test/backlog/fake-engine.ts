import { Engine, type StartWorkflowRequest, type WorkflowExecution } from '../../src/engine/ports.js';
import { NotFound } from '../../src/errors.js';

/** Starts workflows in a map, once per id, as the port promises. */
export class FakeEngine extends Engine {
  readonly started = new Map<string, StartWorkflowRequest>();
  /** What `get` says of workflows that are over. */
  readonly ended = new Map<string, Partial<WorkflowExecution>>();
  calls = 0;
  /** Thrown by the next starts, in this order. */
  readonly failures: Error[] = [];
  /** Called after the workflow is durable, before the answer arrives. */
  beforeAnswer: () => void = () => undefined;

  async start(request: StartWorkflowRequest): Promise<string> {
    this.calls += 1;
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    const id = request.workflowId ?? '';
    if (!this.started.has(id)) this.started.set(id, request);
    this.beforeAnswer();
    return id;
  }

  private unused(): never {
    throw new Error('not needed here');
  }
  override get(workflowId: string): Promise<WorkflowExecution> {
    const ended = this.ended.get(workflowId);
    if (ended === undefined && !this.started.has(workflowId))
      return Promise.reject(new NotFound('no workflow'));
    return Promise.resolve({ status: 'RUNNING', ...ended } as WorkflowExecution);
  }
  search = () => this.unused();
  updateTask = () => this.unused();
  getTask = () => this.unused();
  terminate = () => this.unused();
  pause = () => this.unused();
  resume = () => this.unused();
  retry = () => this.unused();
}
