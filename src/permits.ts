/** So many at once; others wait in line. Taking several is all or nothing, so two takers cannot block each other. */
export class Permits {
  private taken = 0;
  private readonly line: { count: number; go: () => void }[] = [];

  constructor(private total: number) {}

  /** Takers that wait. */
  get waiting(): number {
    return this.line.length;
  }

  /** Changes how many there are; what is taken stays taken. */
  resize(total: number): void {
    this.total = total;
    this.admit();
  }

  /** @returns gives them back; call it once. Rejects when the signal aborts first. */
  async take(count: number, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    const wanted = Math.min(count, this.total);
    await new Promise<void>((resolve, reject) => {
      const place = {
        count: wanted,
        go: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      const leave = () => {
        const at = this.line.indexOf(place);
        if (at >= 0) this.line.splice(at, 1);
        reject(signal.reason as Error);
        this.admit();
      };
      signal.addEventListener('abort', leave, { once: true });
      this.line.push(place);
      this.admit();
    });
    return () => {
      this.taken -= wanted;
      this.admit();
    };
  }

  private admit(): void {
    for (let first = this.line[0]; first !== undefined; first = this.line[0]) {
      // When the total shrank below what somebody waits for, an idle engine still lets them in.
      if (this.taken > 0 && this.taken + first.count > this.total) return;
      this.line.shift();
      this.taken += first.count;
      first.go();
    }
  }
}
