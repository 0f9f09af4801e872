import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster } from '../bench/engine/cluster.js';
import { Contestant } from '../bench/engine/contestant.js';
import { compilePrograms } from '../bench/engine/programs.js';
import { newLogin } from '../bench/engine/stage.js';
import { median } from '../bench/engine/statistics.js';
import { readOptions, report, SIZE_AND_SEED } from './proof.js';
import { Janitor } from './soak/janitor.js';
import { Probe } from './soak/probe.js';
import { TableWatch, type TableFacts } from './soak/tables.js';

/*
 * Half an hour at half of what the machine can do: does the engine slow down, grow, or leave its tables bloated?
 *
 * The load is paced, so that its own throughput would say nothing. Each minute therefore stops it for short closed
 * loops, which show what the engine could do now, between probes of what the machine can do now; their ratio is what is
 * compared. Meanwhile ended workflows are removed all the time, as retention does it after days.
 *
 * A run that is cut short leaves nothing to resume: it is begun again.
 */

const SIZES = {
  // Seconds, beside other tests: only what no other work can change is held to anything.
  small: {
    warmUp: 1,
    minutes: 2,
    window: 1,
    minuteSeconds: 7,
    probe: 0.5,
    burst: 1,
    keptMs: 5_000,
    patience: 4,
  },
  full: {
    warmUp: 3,
    minutes: 30,
    window: 5,
    minuteSeconds: 60,
    probe: 2,
    burst: 3,
    keptMs: 60_000,
    patience: 1,
  },
} as const;
type Size = (typeof SIZES)[keyof typeof SIZES];

const AT_ONCE = 500;
const BURSTS = 3;
const JANITOR_EVERY_MS = 5_000;
const LOOK_EVERY_MS = 1_000;
const MUST = { throughput: 0.1, heapBytes: 8 * 2 ** 20, rss: 0.1, bytes: 1.5, dead: 2 };
// Below this a table is a few pages more or less.
const SMALL_BYTES = 16 * 2 ** 20;
const SMALL_ROWS = 20_000;

interface Minute {
  /** Workflows a second of a closed loop, to commits a second of the probes around it. */
  readonly ratio: number;
  readonly capacity: number;
  readonly probe: number;
  readonly perSecond: number;
  readonly open: number;
  readonly p50: number;
  readonly p99: number;
  readonly heapUsed: number;
  readonly rss: number;
  readonly tables: readonly TableFacts[];
}

interface Stage {
  readonly size: Size;
  readonly engine: Contestant;
  readonly probe: Probe;
  readonly watch: TableWatch;
}

/** For `--help`. */
export const help = SIZE_AND_SEED;

/** @returns whether it held. */
export async function prove(args: readonly string[]): Promise<boolean> {
  const options = readOptions(args);
  const size = SIZES[options.size];
  const began = performance.now();
  process.stdout.write(`soak: ${size.minutes} minutes of ${size.minuteSeconds} s, seed ${options.seed}\n`);
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-soak-'));
  // Open to pass through: as root, PostgreSQL runs under another account.
  chmodSync(folder, 0o711);
  const undo: (() => Promise<unknown>)[] = [];
  const clear = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step();
    rmSync(folder, { recursive: true, force: true });
  };
  const cut = (): void => void clear().finally(() => process.exit(130));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, cut);
  try {
    const cluster = await Cluster.start(folder);
    undo.push(() => cluster.stop());
    const stage = await prepare(size, cluster, folder, options.seed, undo);
    const { perSecond, minutes, rounds } = await soak(stage, cluster.url('soaked'), undo);
    const figures = judge(size, minutes);
    const { problems } = figures;
    report(
      'soak',
      options,
      (performance.now() - began) / 1_000,
      { perSecond, ...figures, janitorRounds: rounds, minutes: minutes.map(brief) },
      problems.length === 0,
    );
    return problems.length === 0;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, cut);
    await clear();
  }
}

async function prepare(
  size: Size,
  cluster: Cluster,
  folder: string,
  seed: number,
  undo: (() => Promise<unknown>)[],
): Promise<Stage> {
  const url = await cluster.create('soaked');
  const probe = await Probe.prepare(await cluster.create('probed'), seed);
  undo.push(() => probe.close());
  const home = join(folder, 'home');
  mkdirSync(home);
  const { keyId, keySecret } = newLogin();
  const engine = await Contestant.start('Sallyport', compilePrograms()('sallyport'), [
    home,
    url,
    keyId,
    keySecret,
  ]);
  undo.push(() => engine.stop());
  const watch = await TableWatch.start(url, LOOK_EVERY_MS);
  undo.push(() => watch.stop());
  return { size, engine, probe, watch };
}

async function soak(
  stage: Stage,
  url: string,
  undo: (() => Promise<unknown>)[],
): Promise<{ perSecond: number; minutes: readonly Minute[]; rounds: number }> {
  const { size } = stage;
  const janitor = new Janitor(url, size.keptMs, JANITOR_EVERY_MS);
  let isStopped = false;
  undo.push(async () => {
    if (!isStopped) await janitor.stop();
  });
  const rates: number[] = [];
  for (let round = 0; round < BURSTS; round += 1) rates.push(await burst(stage, 3 * size.burst));
  const perSecond = median(rates) / 2;
  process.stdout.write(`soak: ${Math.round(median(rates))} workflows/s at most; goes on with half of it\n`);
  janitor.start();
  const minutes: Minute[] = [];
  for (let count = 1 - size.warmUp; count <= size.minutes; count += 1) {
    const minute = await oneMinute(stage, perSecond);
    if (count > 0) minutes.push(minute);
    process.stdout.write(`soak minute ${count}: ${JSON.stringify(brief(minute))}\n`);
  }
  isStopped = true;
  await janitor.stop();
  return { perSecond: Math.round(perSecond), minutes, rounds: janitor.rounds };
}

async function burst({ engine }: Pick<Stage, 'engine'>, seconds: number): Promise<number> {
  const order = { kind: 'loop', tasks: 3, concurrency: AT_ONCE, warmSeconds: seconds / 3, seconds } as const;
  const result = await engine.tell(order);
  return result.counted / result.seconds;
}

async function oneMinute(stage: Stage, perSecond: number): Promise<Minute> {
  const { size, engine, probe, watch } = stage;
  const began = performance.now();
  const probes = [await probe.measure(size.probe)];
  const bursts: number[] = [];
  for (let count = 0; count < BURSTS; count += 1) {
    bursts.push(await burst(stage, size.burst));
    probes.push(await probe.measure(size.probe));
  }
  await probe.clear();
  const left = size.minuteSeconds - (performance.now() - began) / 1_000;
  const pace = await engine.tell({ kind: 'pace', perSecond, seconds: Math.max(1, left) });
  const { heapUsed, rss } = await engine.tell({ kind: 'memory' });
  if (pace.completed !== pace.started)
    throw new Error(`${pace.started} started, ${pace.completed} completed`);
  return {
    ratio: median(bursts) / median(probes),
    capacity: median(bursts),
    probe: median(probes),
    perSecond: pace.completed / Math.max(1, left),
    open: pace.open,
    p50: pace.p50,
    p99: pace.p99,
    heapUsed,
    rss,
    tables: watch.take(),
  };
}

const MIB = 2 ** 20;
const rounded = (value: number): number => Number(value.toPrecision(4));

const brief = ({ heapUsed, rss, tables, ...rest }: Minute): Record<string, unknown> => ({
  ...Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, rounded(value)])),
  heapMiB: rounded(heapUsed / MIB),
  rssMiB: rounded(rss / MIB),
  tables: tables
    .map(
      ({ table, liveRows, deadRows, deadPeak, bytes, vacuums }) =>
        `${table} ${liveRows} live ${deadRows} dead (most ${deadPeak}) ${Math.round(bytes / MIB)} MiB ${vacuums} vacuums`,
    )
    .join('; '),
});

/** Compares the first minutes with the last. */
function judge(
  size: Size,
  minutes: readonly Minute[],
): Record<string, unknown> & { readonly problems: readonly string[] } {
  const first = minutes.slice(0, size.window);
  const last = minutes.slice(-size.window);
  const of = (part: readonly Minute[], pick: (minute: Minute) => number): number => median(part.map(pick));
  const change = (pick: (minute: Minute) => number): number => of(last, pick) / of(first, pick);
  const problems: string[] = [];
  const must = (holds: boolean, problem: string): void => {
    if (!holds) problems.push(problem);
  };
  const { patience } = size;

  const throughput = change(({ ratio }) => ratio);
  must(
    throughput >= 1 - MUST.throughput * patience,
    `the last minutes reach ${rounded(throughput)} of the first`,
  );
  const heapGrowth = of(last, ({ heapUsed }) => heapUsed) - of(first, ({ heapUsed }) => heapUsed);
  must(heapGrowth <= MUST.heapBytes * patience, `the heap grew by ${rounded(heapGrowth / MIB)} MiB`);
  const rss = change((minute) => minute.rss);
  must(rss <= 1 + MUST.rss * patience, `the process grew to ${rounded(rss)} of its size`);
  const bloat = bloatOf(first, last, patience, must);
  return {
    firstRatio: rounded(of(first, ({ ratio }) => ratio)),
    lastRatio: rounded(of(last, ({ ratio }) => ratio)),
    throughputChange: rounded(throughput),
    heapGrowthMiB: rounded(heapGrowth / MIB),
    rssChange: rounded(rss),
    openChange: [of(first, ({ open }) => open), of(last, ({ open }) => open)],
    p99Change: [rounded(of(first, ({ p99 }) => p99)), rounded(of(last, ({ p99 }) => p99))],
    bloat,
    problems,
  };
}

/** What retention removes as fast as it comes must not make a table grow, nor leave ever more dead rows in it. */
function bloatOf(
  first: readonly Minute[],
  last: readonly Minute[],
  patience: number,
  must: (holds: boolean, problem: string) => void,
): Record<string, unknown> {
  const factsOf = (part: readonly Minute[], name: string, pick: (facts: TableFacts) => number): number =>
    median(part.flatMap(({ tables }) => tables.filter(({ table }) => table === name).map(pick)));
  const names = last[0]?.tables.map(({ table }) => table) ?? [];
  return Object.fromEntries(
    names.map((table) => {
      const [bytesBefore, bytes] = [first, last].map((part) => factsOf(part, table, (facts) => facts.bytes));
      const [deadBefore, dead] = [first, last].map((part) => factsOf(part, table, (facts) => facts.deadRows));
      const sizes = { before: bytesBefore ?? 0, now: bytes ?? 0 };
      const deads = { before: deadBefore ?? 0, now: dead ?? 0 };
      must(
        sizes.now <= Math.max(SMALL_BYTES, sizes.before * MUST.bytes * patience),
        `${table} grew from ${rounded(sizes.before / MIB)} to ${rounded(sizes.now / MIB)} MiB`,
      );
      must(
        deads.now <= Math.max(SMALL_ROWS, deads.before * MUST.dead * patience),
        `${table} went from ${deads.before} to ${deads.now} dead rows`,
      );
      const vacuums =
        factsOf(last.slice(-1), table, (facts) => facts.vacuums) -
        factsOf(first.slice(0, 1), table, (facts) => facts.vacuums);
      return [
        table,
        {
          mib: [rounded(sizes.before / MIB), rounded(sizes.now / MIB)],
          deadRows: [deads.before, deads.now],
          autovacuums: vacuums,
        },
      ];
    }),
  );
}
