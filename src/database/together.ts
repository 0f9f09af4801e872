import { isDatabaseAway } from './is-away.js';

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

export interface TogetherOptions<Item> {
  /** Of one batch, in what `sizeOf` counts; a single item may be larger. 100 when absent. */
  readonly most?: number;
  readonly sizeOf?: (item: Item) => number;
  /** Items of the same key come in different batches, in their order: one statement changes a row only once. */
  readonly keyOf?: (item: Item) => string;
  /** What is tried alone is tried in its order, and before what came after it. */
  readonly isOrdered?: boolean;
}

/** Runs at once of a worker that does little but ask: as many as share a statement well. */
export const ASKED_TOGETHER = 64;

const MOST = 100;
const DEADLOCK_DETECTED = '40P01';
// A statement took too long, or waited too long for a row that somebody holds.
const LATE: readonly unknown[] = ['57014', '55P03'];
const MAX_DEADLOCKS = 5;

/**
 * Does alike things together that are asked for at the same time: while one batch is on its way to PostgreSQL the next
 * one gathers, so that a busy process sends one statement for many, and an idle one waits for nothing.
 *
 * What is done must be set-wise, and bear to be repeated: of a batch that fails each item is tried once more alone, so
 * that none pays for another's mistake.
 */
export class Together<Item, Result> {
  private waiting: Waiting<Item, Result>[] = [];
  private isRunning = false;

  /** @param run gives the results in the order of the items. */
  constructor(
    private readonly run: (items: readonly Item[]) => Promise<readonly Result[]>,
    private readonly options: TogetherOptions<Item> = {},
  ) {}

  /** How many wait for their batch. */
  get length(): number {
    return this.waiting.length;
  }

  /** Rejects as `run` does with this item alone. */
  do(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      if (!this.isRunning) void this.work();
    });
  }

  /** Never rejects: each item hears its own outcome. */
  private async work(): Promise<void> {
    this.isRunning = true;
    // What this turn of the event loop asks for goes together already.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      while (this.waiting.length > 0) await this.settle(this.next());
    } finally {
      this.isRunning = false;
    }
  }

  private next(): readonly Waiting<Item, Result>[] {
    const { most = MOST, sizeOf = () => 1, keyOf } = this.options;
    const keys = new Set<string>();
    const taken: Waiting<Item, Result>[] = [];
    const left: Waiting<Item, Result>[] = [];
    let size = 0;
    for (const one of this.waiting) {
      const key = keyOf?.(one.item);
      const isRepeated = key !== undefined && keys.has(key);
      if (!isRepeated) size += sizeOf(one.item);
      if (isRepeated || (taken.length > 0 && size > most)) {
        left.push(one);
        continue;
      }
      if (key !== undefined) keys.add(key);
      taken.push(one);
    }
    this.waiting = left;
    return taken;
  }

  private async settle(batch: readonly Waiting<Item, Result>[], deadlocks = 0): Promise<void> {
    try {
      const results = await this.run(batch.map(({ item }) => item));
      if (results.length !== batch.length)
        throw new Error(`${batch.length} things were done together, and ${results.length} came back`);
      for (const [index, { resolve }] of batch.entries()) resolve(results[index] as Result);
    } catch (error) {
      const { code } = error as { code?: unknown };
      const isDeadlock = code === DEADLOCK_DETECTED;
      if (batch.length === 1 && isDeadlock && deadlocks < MAX_DEADLOCKS) {
        await this.settle(batch, deadlocks + 1);
      } else if (batch.length === 1 || (!LATE.includes(code) && isDatabaseAway(error))) {
        // A database that is away is away for all of them.
        for (const { reject } of batch) reject(error);
      } else if (this.options.isOrdered === true) {
        for (const alone of batch) await this.settle([alone]);
      } else {
        // Side by side: one that waits for a row that somebody holds must hold up no other, nor the next batch.
        for (const alone of batch) void this.settle([alone]);
      }
    }
  }
}
