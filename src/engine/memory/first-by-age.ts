/**
 * Merges what waits by age: each priority keeps its order, and of the heads the one that counts most goes first. An
 * entry counts no more than those in front of it in its priority.
 *
 * @param waiting in the order of priority and turn.
 */
export function firstByAge<T>(
  waiting: readonly T[],
  priorityOf: (entry: T) => number,
  liftedOf: (entry: T) => number,
  turnOf: (entry: T) => number,
): T[] {
  const lowest = new Map<number, number>();
  return waiting
    .map((entry) => {
      const priority = priorityOf(entry);
      const lifted = Math.min(lowest.get(priority) ?? Infinity, liftedOf(entry));
      lowest.set(priority, lifted);
      return { entry, lifted };
    })
    .sort((a, b) => b.lifted - a.lifted || turnOf(a.entry) - turnOf(b.entry))
    .map(({ entry }) => entry);
}
