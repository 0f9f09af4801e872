/**
 * How many receivers may help at once, over all queues: each holds ten messages, and each message may be a megabyte.
 * The one receiver that every queue has always is not counted.
 */
export class ReceiverRoom {
  private helping = 0;

  constructor(private readonly limit: number) {}

  /** Takes a place if one is free; whoever got one leaves it. */
  enter(): boolean {
    if (this.helping >= this.limit) return false;
    this.helping += 1;
    return true;
  }

  leave(): void {
    this.helping -= 1;
  }
}
