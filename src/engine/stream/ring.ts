import type { WorkflowChange } from './change.js';

const MAX_CHANGES = 1_000;
const MAX_TASKS = 20_000;

/** The newest changes of all workflows in order, bounded, for clients that come back. */
export class ChangeRing {
  private entries: { readonly sequence: number; readonly change: WorkflowChange }[] = [];
  private tasks = 0;
  private last = 0;
  private firstHeld = 1;

  /** The number of the newest change, also when it is no longer held. */
  get newest(): number {
    return this.last;
  }

  /** @returns the change's number. */
  add(change: WorkflowChange): number {
    this.last += 1;
    this.entries.push({ sequence: this.last, change });
    this.tasks += change.tasks?.size ?? 0;
    if (this.entries.length > MAX_CHANGES || this.tasks > MAX_TASKS) this.shorten();
    return this.last;
  }

  /** What came after a change, oldest first; `undefined` when some of it is no longer held. */
  after(
    sequence: number,
  ): readonly { readonly sequence: number; readonly change: WorkflowChange }[] | undefined {
    if (sequence + 1 < this.firstHeld || sequence > this.last) return undefined;
    return this.entries.filter((entry) => entry.sequence > sequence);
  }

  /** Something was missed: nobody can continue from before it. @returns the number from which one can. */
  break(): number {
    this.entries = [];
    this.tasks = 0;
    this.last += 1;
    this.firstHeld = this.last + 1;
    return this.last;
  }

  // By half, so that it happens rarely.
  private shorten(): void {
    this.entries = this.entries.slice(this.entries.length >> 1);
    this.tasks = this.entries.reduce((sum, { change }) => sum + (change.tasks?.size ?? 0), 0);
    this.firstHeld = this.last - this.entries.length + 1;
  }
}
