/**
 * Tells whoever waits in this process that a scan stopped occupying its place. A hint only: nothing is lost when
 * nobody listens, because every waiter also looks by itself.
 */
export class ScanProgress {
  private readonly listeners = new Set<() => void>();

  /** @returns a function that ends the subscription. */
  onFreed(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Call it after the commit. */
  freed(): void {
    for (const listener of this.listeners) listener();
  }
}
