import { checkSample } from './check.js';
import {
  atMost,
  figure,
  loopOf,
  probe,
  startDbos,
  startSallyport,
  withProcesses,
  type Stage,
} from './stage.js';
import type { Row } from '../row.js';
import { median } from './statistics.js';

const OURS = 'bench_ours_idle';
const DBOS = 'bench_dbos_idle';
const TASKS = 3;
const MUST = 0.5;

/** From the call that starts a workflow until its end is known, while nothing else runs. */
export async function latency(stage: Stage, probes: number[]): Promise<Row[]> {
  const { cluster, options, say } = stage;
  const oursUrl = await cluster.create(OURS);
  const dbosUrl = await cluster.create(DBOS);
  const p50 = { ours: [] as number[], dbos: [] as number[] };
  const p99 = { ours: [] as number[], dbos: [] as number[] };
  await withProcesses(async (keep) => {
    const ours = await keep(startSallyport(stage, 'Sallyport', oursUrl));
    const dbos = await keep(startDbos(stage, dbosUrl));
    for (let round = 1; round <= options.rounds; round += 1) {
      await probe(stage, probes);
      const turns = [
        async () => {
          const result = await ours.tell(loopOf(stage, TASKS, 1));
          p50.ours.push(result.p50);
          p99.ours.push(result.p99);
          await checkSample(ours.url, stage.login, result.sample, TASKS);
        },
        async () => {
          const result = await dbos.tell(loopOf(stage, TASKS, 1));
          p50.dbos.push(result.p50);
          p99.dbos.push(result.p99);
        },
      ];
      for (const turn of round % 2 === 1 ? turns : turns.toReversed()) await turn();
      say(`round ${round}: p50 ${figure(p50.ours.at(-1) ?? 0)} ms (DBOS ${figure(p50.dbos.at(-1) ?? 0)} ms)`);
    }
  });
  await cluster.drop(OURS);
  await cluster.drop(DBOS);
  const [ours, dbos] = [median(p50.ours), median(p50.dbos)];
  return [
    atMost(
      'start → completed of a 3-task workflow when idle, p50, ratio to DBOS',
      ours / dbos,
      MUST,
      'x',
      `${figure(ours)} ms against ${figure(dbos)} ms (p99 ${figure(median(p99.ours))} against ${figure(median(p99.dbos))})`,
    ),
  ];
}
