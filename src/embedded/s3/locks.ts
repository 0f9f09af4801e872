interface Waiter {
  readonly isExclusive: boolean;
  readonly enter: () => void;
}

interface Lock {
  /** How many are inside; -1 for one that is alone. */
  inside: number;
  readonly queue: Waiter[];
}

/**
 * Named read-write locks within this process, first come first served.
 *
 * Whoever takes several takes them in the order bucket, key, upload; then nobody waits in a circle.
 */
export class Locks {
  private readonly locks = new Map<string, Lock>();

  async shared<T>(name: string, work: () => Promise<T>): Promise<T> {
    return this.run(name, false, work);
  }

  async exclusive<T>(name: string, work: () => Promise<T>): Promise<T> {
    return this.run(name, true, work);
  }

  private async run<T>(name: string, isExclusive: boolean, work: () => Promise<T>): Promise<T> {
    const lock = this.locks.get(name) ?? { inside: 0, queue: [] };
    this.locks.set(name, lock);
    await new Promise<void>((enter) => {
      lock.queue.push({ isExclusive, enter });
      admit(lock);
    });
    try {
      return await work();
    } finally {
      lock.inside = isExclusive ? 0 : lock.inside - 1;
      admit(lock);
      if (lock.inside === 0 && lock.queue.length === 0) this.locks.delete(name);
    }
  }
}

function admit(lock: Lock): void {
  for (let next = lock.queue[0]; next !== undefined; next = lock.queue[0]) {
    if (lock.inside < 0 || (next.isExclusive && lock.inside > 0)) return;
    lock.inside = next.isExclusive ? -1 : lock.inside + 1;
    lock.queue.shift();
    next.enter();
  }
}
