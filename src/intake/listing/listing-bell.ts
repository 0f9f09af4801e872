/** Wakes this process's lister; a hint only: it looks by itself as well. */
export class ListingBell {
  private wake: () => void = () => undefined;

  /** There is one lister in a process. */
  onRing(wake: () => void): void {
    this.wake = wake;
  }

  ring(): void {
    this.wake();
  }
}
