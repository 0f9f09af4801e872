import { checkWorkflow, readBack } from './check.js';
import { atMost, figure, probe, startSallyport, withProcesses, type Stage } from './stage.js';
import type { Row } from '../row.js';
import { median } from './statistics.js';

const DATABASE = 'bench_long';
const TASKS = 5_000;
const PART = 500;
const MUST = 1.3;

/** What a task costs late in a workflow of 5,000 in a row, to what it costs early. */
export async function long(stage: Stage, probes: number[]): Promise<Row[]> {
  const { cluster, options, say } = stage;
  const url = await cluster.create(DATABASE);
  const ratios: number[] = [];
  const early: number[] = [];
  const late: number[] = [];
  await withProcesses(async (keep) => {
    const ours = await keep(startSallyport(stage, 'Sallyport', url));
    // The process as it is after a while, or the first tasks would pay for the compiler.
    await ours.tell({ kind: 'chain', tasks: TASKS });
    for (let round = 1; round <= options.rounds; round += 1) {
      await probe(stage, probes);
      const { workflowId, milliseconds } = await ours.tell({ kind: 'chain', tasks: TASKS });
      const workflow = await readBack(ours.url, stage.login, workflowId);
      checkWorkflow(workflowId, workflow, TASKS);
      const ended = workflow.tasks.map(({ endTime }) => endTime);
      const between = (from: number, to: number): number =>
        ((ended[to] ?? 0) - (ended[from] ?? 0)) / (to - from);
      early.push(between(0, PART));
      late.push(between(TASKS - 1 - PART, TASKS - 1));
      ratios.push((late.at(-1) ?? 0) / (early.at(-1) ?? 0));
      say(
        `round ${round}: ${figure(milliseconds / 1_000)} s in all; per task ${figure(early.at(-1) ?? 0)} ms early, ${figure(late.at(-1) ?? 0)} ms late`,
      );
    }
  });
  await cluster.drop(DATABASE);
  return [
    atMost(
      `cost of a task in a workflow of ${TASKS}, the last ${PART} to the first ${PART}`,
      median(ratios),
      MUST,
      'x',
      `${figure(median(late))} ms against ${figure(median(early))} ms per task`,
    ),
  ];
}
