import { checkCounts, checkDbosCounts, checkSample } from './check.js';
import type { Contestant } from './contestant.js';
import { metered, type Spent } from './meter.js';
import type { LoopResult } from './programs/messages.js';
import {
  atLeast,
  atMost,
  figure,
  loopOf,
  startDbos,
  startSallyport,
  withProcesses,
  type Stage,
} from './stage.js';
import type { Row } from '../row.js';
import { median } from './statistics.js';

const OURS = 'bench_ours';
const DBOS = 'bench_dbos';
const SIZES = [3, 1, 10] as const;
const AT_ONCE = 500;
const DBOS_LEVELS = [50, 200, 500] as const;
const MUST = { dbos: 8, pgbench: 2.5, rssMebibytes: 300 };

interface Run {
  readonly loop: LoopResult;
  readonly spent: Spent;
}

/** Runs of one size by one contestant at one concurrency. */
class Series {
  readonly runs: Run[] = [];

  get rates(): number[] {
    return this.runs.map(({ loop }) => loop.counted / loop.seconds);
  }

  get rate(): number {
    return median(this.rates);
  }

  of(pick: (run: Run) => number): number {
    return median(this.runs.map(pick));
  }
}

/** In-process workflows a second beside DBOS and pgbench, with where the time goes. */
export async function throughput(stage: Stage, probes: number[]): Promise<Row[]> {
  const { cluster, options, say } = stage;
  const oursUrl = await cluster.create(OURS);
  const dbosUrl = await cluster.create(DBOS);
  const rows = await withProcesses(async (keep) => {
    const ours = await keep(startSallyport(stage, 'Sallyport', oursUrl));
    const dbos = await keep(startDbos(stage, dbosUrl));
    const figures = new Figures();
    for (let round = 1; round <= options.rounds; round += 1) {
      probes.push(await stage.yardstick.measure(options.seconds));
      for (const tasks of SIZES) {
        const turns = [
          () => runOurs(stage, ours, tasks, figures),
          () => runDbos(stage, dbos, tasks, figures, round),
        ];
        for (const turn of round % 2 === 1 ? turns : turns.toReversed()) await turn();
      }
      const line = SIZES.map(
        (tasks) =>
          `${tasks}-task ${figure(figures.ours(tasks).rates.at(-1) ?? 0)} (DBOS ${figure(figures.bestDbos(tasks).series.rates.at(-1) ?? 0)})`,
      );
      say(`round ${round}: pgbench ${figure(probes.at(-1) ?? 0)} tps; workflows/s: ${line.join(', ')}`);
    }
    whereTheTimeGoes(stage, figures);
    return rowsOf(figures, probes);
  });
  await cluster.drop(OURS);
  await cluster.drop(DBOS);
  return rows;
}

class Figures {
  private readonly all = new Map<string, Series>();
  /** Workflows that have been run, by size. */
  readonly totals = { ours: new Map<number, number>(), dbos: new Map<number, number>() };

  private series(key: string): Series {
    const series = this.all.get(key) ?? new Series();
    this.all.set(key, series);
    return series;
  }

  ours(tasks: number): Series {
    return this.series(`ours ${tasks}`);
  }

  dbos(tasks: number, level: number): Series {
    return this.series(`dbos ${tasks} ${level}`);
  }

  bestDbos(tasks: number): { level: number; series: Series } {
    const levels = DBOS_LEVELS.map((level) => ({ level, series: this.dbos(tasks, level) }));
    const measured = levels.filter(({ series }) => series.runs.length > 0);
    const [best] = measured.sort((a, b) => b.series.rate - a.series.rate);
    if (best === undefined) throw new Error('DBOS was not measured, and without it there is no result');
    return best;
  }
}

const add = (totals: Map<number, number>, tasks: number, count: number): number => {
  const total = (totals.get(tasks) ?? 0) + count;
  totals.set(tasks, total);
  return total;
};

async function runOurs(stage: Stage, ours: Contestant, tasks: number, figures: Figures): Promise<void> {
  const { result, spent } = await metered(stage.cluster, OURS, () =>
    ours.tell(loopOf(stage, tasks, AT_ONCE)),
  );
  figures.ours(tasks).runs.push({ loop: result, spent });
  const workflows = add(figures.totals.ours, tasks, result.total);
  await checkCounts(stage.cluster, OURS, `no_op_${tasks}`, { workflows, tasks: workflows * tasks });
  await checkSample(ours.url, stage.login, result.sample, tasks);
}

/** All levels in the first round, then the one that was best. */
async function runDbos(
  stage: Stage,
  dbos: Contestant,
  tasks: number,
  figures: Figures,
  round: number,
): Promise<void> {
  const levels = round === 1 ? DBOS_LEVELS : [figures.bestDbos(tasks).level];
  for (const level of levels) {
    const { result, spent } = await metered(stage.cluster, DBOS, () =>
      dbos.tell(loopOf(stage, tasks, level)),
    );
    figures.dbos(tasks, level).runs.push({ loop: result, spent });
    const workflows = add(figures.totals.dbos, tasks, result.total);
    await checkDbosCounts(stage.cluster, DBOS, `chain_${tasks}`, { workflows, tasks: workflows * tasks });
  }
}

function rowsOf(figures: Figures, probes: readonly number[]): Row[] {
  const ratios = SIZES.map((tasks) => {
    const ours = figures.ours(tasks).rate;
    const { level, series } = figures.bestDbos(tasks);
    return atLeast(
      `${tasks}-task workflows/s at ${AT_ONCE} at a time, ratio to DBOS`,
      ours / series.rate,
      MUST.dbos,
      'x',
      `${figure(ours)}/s against ${figure(series.rate)}/s (DBOS at its best, ${level} at a time)`,
    );
  });
  const three = figures.ours(3);
  const transitions = three.rate * 4;
  const tps = median(probes);
  const rss = Math.max(
    ...SIZES.flatMap((tasks) => figures.ours(tasks).runs.map(({ loop }) => loop.rssBytes)),
  );
  const mebibytes = rss / 1024 / 1024;
  return [
    ...ratios,
    atLeast(
      'durable transitions/s, ratio to pgbench TPC-B c16',
      transitions / tps,
      MUST.pgbench,
      'x',
      `${figure(transitions)}/s (3-task) against ${figure(tps)} tps`,
    ),
    atMost(
      `process memory (RSS) at ${AT_ONCE} at a time`,
      mebibytes,
      MUST.rssMebibytes,
      'MiB',
      'the most that was seen in any round, with 1, 3 and 10 tasks',
    ),
  ];
}

function whereTheTimeGoes(stage: Stage, figures: Figures): void {
  const { say } = stage;
  say('');
  say('Where the time goes (medians; per workflow, and as cores while it ran):');
  const line = (who: string, series: Series): void => {
    const parts = [
      `${figure(series.rate)}/s`,
      `p50 ${figure(series.of(({ loop }) => loop.p50))} ms`,
      `p99 ${figure(series.of(({ loop }) => loop.p99))} ms`,
      `node ${figure(series.of(({ loop }) => (loop.cpuSeconds / loop.total) * 1e6))} µs (${figure(series.of(({ loop }) => loop.cpuSeconds / loop.wallSeconds))} cores)`,
      `postgres ${figure(series.of(({ loop, spent }) => (spent.postgresCpuSeconds / loop.total) * 1e6))} µs (${figure(series.of(({ loop, spent }) => spent.postgresCpuSeconds / loop.wallSeconds))} cores)`,
      `WAL ${figure(series.of(({ loop, spent }) => spent.walBytes / loop.total))} bytes`,
      `disk ${figure(series.of(({ loop, spent }) => spent.diskBytes / loop.total))} bytes`,
      `${figure(series.of(({ loop, spent }) => spent.commits / loop.total))} commits`,
      `${figure(series.of(({ loop }) => loop.statements / loop.total))} statements`,
      `${figure(series.of(({ loop, spent }) => loop.statements / Math.max(1, spent.commits)))} statements/commit`,
    ];
    say(`  ${who.padEnd(22)} ${parts.join(', ')}`);
  };
  for (const tasks of SIZES) {
    line(`Sallyport ${tasks}-task`, figures.ours(tasks));
    const { level, series } = figures.bestDbos(tasks);
    line(`DBOS ${tasks}-step c${level}`, series);
  }
  say('');
}
