import type { Contestant } from '../../bench/engine/contestant.js';
import { figure } from '../../bench/engine/stage.js';
import { median } from '../../bench/engine/statistics.js';
import { fitLine, type Line } from './fit-line.js';

export interface Forks {
  /** Milliseconds from the start of a fork of so many tasks to its end, each the median of its runs. */
  readonly milliseconds: Readonly<Record<number, number>>;
  readonly fit: Line;
  /** What a task costs in the largest, to what it costs in one of `comparedTo`. */
  readonly perTaskRatio: number;
  readonly comparedTo: number;
}

/** How long forks of these sizes take, and whether a task costs the same in each. */
export async function measureForks(
  contestant: Contestant,
  sizes: readonly number[],
  comparedTo: number,
  runs: number,
  say: (line: string) => void,
): Promise<Forks> {
  const times = new Map(sizes.map((size) => [size, [] as number[]]));
  const largest = Math.max(...sizes);
  // As a process is after a while: the compiler has seen this code.
  await contestant.tell({ kind: 'fork', tasks: largest });
  for (let run = 0; run < runs; run += 1) {
    for (const size of run % 2 === 0 ? sizes : sizes.toReversed())
      times.get(size)?.push((await contestant.tell({ kind: 'fork', tasks: size })).milliseconds);
  }
  const points = sizes.map((size) => ({ x: size, y: median(times.get(size) ?? []) }));
  const fit = fitLine(points);
  const perTask = (size: number): number => median(times.get(size) ?? []) / size;
  say(points.map(({ x, y }) => `${x} in ${figure(y)} ms`).join(', '));
  say(`fit: ${figure(fit.slope)} ms per task and ${figure(fit.intercept)} ms, r² ${fit.r2.toFixed(4)}`);
  return {
    milliseconds: Object.fromEntries(points.map(({ x, y }) => [x, Math.round(y * 10) / 10])),
    fit,
    perTaskRatio: perTask(largest) / perTask(comparedTo),
    comparedTo,
  };
}
