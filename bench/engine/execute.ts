import { checkCounts, checkSample } from './check.js';
import {
  atLeast,
  figure,
  loopOf,
  probe,
  startClient,
  startSallyport,
  withProcesses,
  type Stage,
} from './stage.js';
import type { Row } from '../row.js';
import { median } from './statistics.js';

const DATABASE = 'bench_execute';
const TASKS = 3;
const AT_ONCE = 50;
const MUST = 0.3;

/** `POST /workflow/execute` by a client process on the same cores, beside the same load from within. */
export async function execute(stage: Stage, probes: number[]): Promise<Row[]> {
  const { cluster, options, say } = stage;
  const url = await cluster.create(DATABASE);
  const rates = { rest: [] as number[], inside: [] as number[] };
  const p50: number[] = [];
  await withProcesses(async (keep) => {
    const ours = await keep(startSallyport(stage, 'Sallyport', url));
    const client = await keep(startClient(stage, ours.url));
    // Registers the definition that the client names.
    await ours.tell({ kind: 'chain', tasks: TASKS });
    let workflows = 1;
    for (let round = 1; round <= options.rounds; round += 1) {
      await probe(stage, probes);
      const turns = [
        async () => {
          const result = await client.tell(loopOf(stage, TASKS, AT_ONCE));
          rates.rest.push(result.counted / result.seconds);
          p50.push(result.p50);
          return result;
        },
        async () => {
          const result = await ours.tell(loopOf(stage, TASKS, AT_ONCE));
          rates.inside.push(result.counted / result.seconds);
          return result;
        },
      ];
      for (const turn of round % 2 === 1 ? turns : turns.toReversed()) {
        const { total, sample } = await turn();
        workflows += total;
        await checkCounts(cluster, DATABASE, `no_op_${TASKS}`, { workflows, tasks: workflows * TASKS });
        await checkSample(ours.url, stage.login, sample, TASKS);
      }
      say(
        `round ${round}: ${figure(rates.rest.at(-1) ?? 0)}/s over REST, ${figure(rates.inside.at(-1) ?? 0)}/s within the process`,
      );
    }
  });
  await cluster.drop(DATABASE);
  const [rest, inside] = [median(rates.rest), median(rates.inside)];
  return [
    atLeast(
      `POST /workflow/execute of 3 tasks, ${AT_ONCE} at a time, ratio to in-process at ${AT_ONCE}`,
      rest / inside,
      MUST,
      'x',
      `${figure(rest)}/s (p50 ${figure(median(p50))} ms) against ${figure(inside)}/s`,
    ),
  ];
}
