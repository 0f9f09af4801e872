import { MAX_SKEW_MS } from '../../src/database/database-clock.js';
import { checkCounts, checkSample } from './check.js';
import { atLeast, figure, loopOf, probe, startSallyport, withProcesses, type Stage } from './stage.js';
import type { Row } from '../row.js';
import { median } from './statistics.js';

const DATABASE = 'bench_replicas';
const TASKS = 3;
const AT_ONCE = 500;
const COUNTS = [1, 2, 4] as const;
const MUST = 0.8;

/** The same load by one, two and four processes on the same cores and the same database. */
export async function replicas(stage: Stage, probes: number[]): Promise<Row[]> {
  const { cluster, options, say } = stage;
  const url = await cluster.create(DATABASE);
  const rates = new Map<number, number[]>(COUNTS.map((count) => [count, []]));
  let workflows = 0;
  for (let round = 1; round <= options.rounds; round += 1) {
    await probe(stage, probes);
    for (const count of round % 2 === 1 ? COUNTS : COUNTS.toReversed()) {
      const { rate, total } = await runTogether(stage, url, count);
      rates.get(count)?.push(rate);
      workflows += total;
      await checkCounts(cluster, DATABASE, `no_op_${TASKS}`, { workflows, tasks: workflows * TASKS });
    }
    const line = COUNTS.map((count) => `${count}: ${figure(rates.get(count)?.at(-1) ?? 0)}`);
    say(`round ${round}: workflows/s by replicas ${line.join(', ')}`);
  }
  await cluster.drop(DATABASE);
  const medians = COUNTS.map((count) => median(rates.get(count) ?? []));
  const [one = Number.NaN, , four = Number.NaN] = medians;
  const from = COUNTS.map((count, index) => `${count}: ${figure(medians[index] ?? 0)}/s`).join(', ');
  return [atLeast('workflows/s of 4 replicas to 1, on the same cores', four / one, MUST, 'x', from)];
}

/** @returns workflows a second of all together, and how many ended in all. */
async function runTogether(
  stage: Stage,
  url: string,
  count: number,
): Promise<{ rate: number; total: number }> {
  return await withProcesses(async (keep) => {
    const names = Array.from({ length: count }, (_, index) => `replica ${index + 1} of ${count}`);
    // One after the other: the first one migrates.
    const processes = [];
    for (const name of names) processes.push(await keep(startSallyport(stage, name, url)));
    const order = loopOf(stage, TASKS, AT_ONCE / count);
    const results = await Promise.all(processes.map((one) => one.tell(order)));
    const [first] = processes;
    await checkSample(
      first?.url ?? '',
      stage.login,
      results.flatMap(({ sample }) => sample),
      TASKS,
      MAX_SKEW_MS,
    );
    return {
      rate: results.reduce((sum, { counted, seconds }) => sum + counted / seconds, 0),
      total: results.reduce((sum, { total }) => sum + total, 0),
    };
  });
}
