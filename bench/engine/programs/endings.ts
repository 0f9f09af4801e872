import type { ExecutionStore } from '../../../src/engine/execution-store.js';
import { isTerminalWorkflow } from '../../../src/engine/model/execution.js';

/** Tells when a workflow's end is committed by this process: its batches are looked at once they are on disk. */
export class Endings {
  private readonly waiting = new Map<string, () => void>();
  // An end may be committed before anybody asks.
  private readonly early = new Set<string>();

  constructor(store: ExecutionStore) {
    const commitBatch = store.commitBatch.bind(store);
    store.commitBatch = async (request, decide) => {
      const ended: string[] = [];
      const result = await commitBatch(request, (locked) => {
        const writes = decide(locked);
        ended.length = 0;
        for (const { workflow } of writes) {
          if (isTerminalWorkflow(workflow.status)) ended.push(workflow.workflowId);
        }
        return writes;
      });
      for (const id of ended) this.tell(id);
      return result;
    };
  }

  private tell(id: string): void {
    const waiter = this.waiting.get(id);
    if (waiter === undefined) this.early.add(id);
    else {
      this.waiting.delete(id);
      waiter();
    }
  }

  of(id: string): Promise<void> {
    if (this.early.delete(id)) return Promise.resolve();
    return new Promise((resolve) => this.waiting.set(id, resolve));
  }
}
