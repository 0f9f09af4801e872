import { checkCounts, checkSample } from './check.js';
import { atLeast, figure, probe, startClient, startSallyport, withProcesses, type Stage } from './stage.js';
import type { Row } from '../row.js';
import { median } from './statistics.js';

const DATABASE = 'bench_rest';
const TASKS = 3;
const OPEN = 500;
// Of 50 slots each: what one process of a SDK's workers runs for a handful of task types.
const RUNNERS = 4;
const MUST = 2_000;

/** Tasks that one client process takes by batch polls and ends with update-v2, while workflows keep coming. */
export async function rest(stage: Stage, probes: number[]): Promise<Row[]> {
  const { cluster, options, say } = stage;
  const url = await cluster.create(DATABASE);
  const rates: number[] = [];
  const requests: number[] = [];
  await withProcesses(async (keep) => {
    const ours = await keep(startSallyport(stage, 'Sallyport', url));
    const client = await keep(startClient(stage, ours.url));
    let workflows = 0;
    for (let round = 1; round <= options.rounds; round += 1) {
      await probe(stage, probes);
      await ours.tell({ kind: 'feed', tasks: TASKS, open: OPEN });
      const result = await client.tell({
        kind: 'work',
        taskType: 'remote',
        runners: RUNNERS,
        warmSeconds: Math.min(2, options.seconds / 4),
        seconds: options.seconds,
      });
      const fed = await ours.tell({ kind: 'stopFeeding' });
      const { total } = await client.tell({ kind: 'stopWorking' });
      workflows += fed.ended;
      await checkCounts(cluster, DATABASE, `remote_${TASKS}`, { workflows, tasks: total });
      await checkSample(ours.url, stage.login, fed.sample, TASKS);
      rates.push(result.counted / result.seconds);
      requests.push(result.requests / result.counted);
      say(`round ${round}: ${figure(rates.at(-1) ?? 0)} tasks/s`);
    }
  });
  await cluster.drop(DATABASE);
  return [
    atLeast(
      'tasks/s through REST (batch poll 50, update-v2, one client process)',
      median(rates),
      MUST,
      '/s',
      `${figure(median(requests))} requests per task, client on the same cores`,
    ),
  ];
}
