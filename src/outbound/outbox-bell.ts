/**
 * Wakes this process's delivery loops. A hint only: every loop also looks by itself each second, so a lost ring
 * costs a second and nothing more.
 */
export class OutboxBell {
  private waiting = new Set<() => void>();

  /** Something may be due now: call it after the commit. */
  ring(): void {
    const awake = this.waiting;
    this.waiting = new Set();
    for (const wake of awake) wake();
  }

  /** Resolves at the next ring, after `milliseconds` or when the signal aborts. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      signal.addEventListener('abort', done, { once: true });
      this.waiting.add(done);
    });
  }
}
