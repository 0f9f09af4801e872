/**
 * Wakes this process's dispatcher. A hint only: the dispatcher also looks by itself each second, so a lost ring costs
 * a second and nothing more.
 */
export class BacklogBell {
  private waiting = new Set<() => void>();
  private readonly listeners = new Set<() => void>();

  /** Calls back at every ring. @returns a function that ends it. */
  onRing(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Something may start now: call it after the commit. */
  ring(): void {
    for (const listener of this.listeners) listener();
    const awake = this.waiting;
    this.waiting = new Set();
    for (const wake of awake) wake();
  }

  /** Resolves at the next ring, or when the signal aborts. */
  wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = (): void => {
        signal.removeEventListener('abort', done);
        this.waiting.delete(done);
        resolve();
      };
      signal.addEventListener('abort', done, { once: true });
      this.waiting.add(done);
    });
  }
}
