/** Something that waits for its turn. Times are milliseconds since the epoch. */
export interface Waiting {
  readonly scanId: string;
  /** Who competes: endpoint and bucket. */
  readonly group: string;
  /** 0..99, higher first. */
  readonly priority: number;
  readonly enqueuedAt: number;
}

export interface AdmissionInput {
  readonly waiting: readonly Waiting[];
  /** Scans that run now, by group. */
  readonly running: ReadonlyMap<string, number>;
  /** How many may run at once. */
  readonly limit: number;
  readonly now: number;
}

/** One level up for so long a wait, so that nothing waits behind newer uploads for ever. */
export const AGEING_MS = 600_000;

const MAX_PRIORITY = 99;

/**
 * Who starts now, in order: the highest priority first; within it the group that has the fewest running, so that
 * one bucket's flood does not hold up another's single upload; within a group the oldest. Pure.
 */
export function admit({ waiting, running, limit, now }: AdmissionInput): readonly Waiting[] {
  const load = new Map(running);
  let free = limit - [...running.values()].reduce((sum, count) => sum + count, 0);
  const queues = queuesOf(waiting, now);
  const admitted: Waiting[] = [];
  while (free > 0) {
    const next = pick(queues, load, now);
    if (next === undefined) break;
    admitted.push(next);
    load.set(next.group, (load.get(next.group) ?? 0) + 1);
    free -= 1;
  }
  return admitted;
}

function queuesOf(waiting: readonly Waiting[], now: number): Map<string, Waiting[]> {
  const queues = new Map<string, Waiting[]>();
  for (const item of waiting) {
    const queue = queues.get(item.group);
    if (queue === undefined) queues.set(item.group, [item]);
    else queue.push(item);
  }
  // Last is next: taking from the end costs nothing.
  for (const queue of queues.values()) queue.sort((a, b) => -before(a, b, now));
  return queues;
}

function pick(
  queues: ReadonlyMap<string, Waiting[]>,
  load: ReadonlyMap<string, number>,
  now: number,
): Waiting | undefined {
  let best: Waiting | undefined;
  for (const [group, queue] of queues) {
    const head = queue.at(-1);
    if (head === undefined) continue;
    if (best === undefined) best = head;
    else {
      const byLevel = level(best, now) - level(head, now);
      const byLoad = (load.get(group) ?? 0) - (load.get(best.group) ?? 0);
      if (byLevel < 0 || (byLevel === 0 && (byLoad < 0 || (byLoad === 0 && before(head, best, now) < 0)))) {
        best = head;
      }
    }
  }
  if (best !== undefined) queues.get(best.group)?.pop();
  return best;
}

const level = (item: Waiting, now: number): number =>
  Math.min(MAX_PRIORITY, item.priority + Math.floor(Math.max(0, now - item.enqueuedAt) / AGEING_MS));

const before = (a: Waiting, b: Waiting, now: number): number =>
  level(b, now) - level(a, now) || a.enqueuedAt - b.enqueuedAt || (a.scanId < b.scanId ? -1 : 1);
