/**
 * Wakes this process's dispatcher. A hint only: the dispatcher also looks by itself each second, so a lost ring costs
 * a second and nothing more.
 */
export class BacklogBell {
  private waiting = new Set<() => void>();

  /** Something may start now: call it after the commit. */
  ring(): void {
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
