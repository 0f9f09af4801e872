/** Wakes those who wait for something that concerns a key; a hint only, waiters look again themselves. */
export class Signal {
  private readonly waiters = new Map<string, Set<() => void>>();

  /** Calls `wake` once at the next signal for the key. @returns how to stop waiting. */
  once(key: string, wake: () => void): () => void {
    const waiting = this.waiters.get(key) ?? new Set();
    this.waiters.set(key, waiting);
    const stop = (): void => {
      waiting.delete(wake);
      if (waiting.size === 0 && this.waiters.get(key) === waiting) this.waiters.delete(key);
    };
    waiting.add(wake);
    return stop;
  }

  raise(key: string): void {
    const waiting = this.waiters.get(key);
    if (waiting === undefined) return;
    this.waiters.delete(key);
    for (const wake of waiting) wake();
  }

  /** The keys that somebody waits for. */
  get keys(): readonly string[] {
    return [...this.waiters.keys()];
  }

  count(key: string): number {
    return this.waiters.get(key)?.size ?? 0;
  }
}
