import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Contestant } from '../bench/engine/contestant.js';
import { newLogin } from '../bench/engine/stage.js';
import { eventually } from '../test/support/eventually.js';
import type { ServiceProcess } from '../test/support/service-process.js';
import { randomFrom, readOptions, report, SIZE_AND_SEED } from './proof.js';
import { Bars } from './scale/bars.js';
import { CleanUp } from './scale/clean-up.js';
import { checkClones } from './scale/clones.js';
import { startCluster, type Cluster, type Scratch } from './scale/cluster.js';
import { DEFINITIONS } from './scale/definitions.js';
import { measureForks } from './scale/forks.js';
import { pagesOf, scrape, search } from './scale/pages.js';
import { cloneTemplates } from './scale/park.js';
import { compareRates, startContestants, type Contestants } from './scale/rates.js';
import { memoryOf, serviceOn, untilReady } from './scale/services.js';
import { startTemplates } from './scale/templates.js';
import { fireTimers } from './scale/timers.js';

/*
 * What a million parked workflows cost: memory, /metrics, searches, restarts, timers, and the speed of everything else,
 * each beside a database without them; and whether a fork's time grows with its size and no faster.
 */

/*
 * The small size runs with the tests, beside other tests and on machines that others share, for seconds only: so its
 * times and ratios are held to the bar with much patience, and only what no other work can change as in full.
 */
const SIZES = {
  small: {
    parked: 10_000,
    templates: 50,
    draws: 10,
    restarts: 1,
    scrapes: 3,
    scrapeEveryMs: 200,
    searches: 2,
    idleMs: 500,
    looks: 2,
    timers: 1_000,
    timersLeadMs: 10_000,
    isColdTimers: false,
    rounds: 1,
    seconds: 0.7,
    forks: [100, 200, 350, 500],
    forkRuns: 1,
    comparedTo: 100,
    patience: { times: 10, ratios: 2.5 },
    minutes: 5,
  },
  full: {
    parked: 1_000_000,
    templates: 500,
    draws: 50,
    restarts: 3,
    scrapes: 20,
    // The store is read again no earlier than 5 s after the last time.
    scrapeEveryMs: 5_500,
    searches: 15,
    idleMs: 20_000,
    looks: 15,
    timers: 10_000,
    timersLeadMs: 90_000,
    // Killed and started again before they are due, so that none of them is in the process's memory.
    isColdTimers: true,
    rounds: 7,
    seconds: 8,
    forks: [500, 1_000, 2_000, 3_500, 5_000],
    forkRuns: 9,
    comparedTo: 1_000,
    patience: { times: 1, ratios: 1 },
    minutes: 60,
  },
} as const;
type Size = (typeof SIZES)[keyof typeof SIZES];

const LOOK_EVERY_MS = 1_000;

/** For `--help`. */
export const help = SIZE_AND_SEED;

/** @returns whether it held. */
export async function prove(args: readonly string[]): Promise<boolean> {
  const options = readOptions(args);
  const size = SIZES[options.size];
  const began = performance.now();
  const say = (line: string): void => {
    const seconds = Math.round((performance.now() - began) / 1_000);
    process.stdout.write(`scale ${seconds} s, load ${loadavg()[0]?.toFixed(1)}: ${line}\n`);
  };
  say(`${size.parked} parked workflows, ${size.timers} timers, seed ${options.seed}`);
  const cleanUp = new CleanUp();
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-scale-'));
  // Open to pass through: as root, PostgreSQL runs under another account.
  chmodSync(folder, 0o711);
  cleanUp.add(() => rmSync(folder, { recursive: true, force: true }));
  const bars = new Bars(size.patience, say);
  const tooLate = new AbortController();
  try {
    const stage = { size, folder, cleanUp, bars, say, random: randomFrom(options.seed) };
    const figures = await Promise.race([
      run(stage),
      delay(size.minutes * 60_000, undefined, { signal: tooLate.signal }).then(() => {
        throw new Error(`not done after ${size.minutes} minutes`);
      }),
    ]);
    report(
      'scale',
      options,
      (performance.now() - began) / 1_000,
      { bars: bars.figures, ...figures },
      bars.hold,
    );
    return bars.hold;
  } finally {
    tooLate.abort();
    await cleanUp.run();
  }
}

interface Stage {
  readonly size: Size;
  readonly folder: string;
  readonly cleanUp: CleanUp;
  readonly bars: Bars;
  readonly say: (line: string) => void;
  readonly random: () => number;
}

interface Services {
  readonly empty: ServiceProcess;
  readonly parked: ServiceProcess;
}

async function run(stage: Stage): Promise<Record<string, unknown>> {
  const cluster = await startCluster(stage.folder, stage.cleanUp);
  const login = newLogin();
  const service = (name: keyof Cluster): Promise<ServiceProcess> =>
    serviceOn(cluster[name], stage.folder, `home-${name}`, login, stage.cleanUp);
  const services = { empty: await service('empty'), parked: await service('parked') };
  await Promise.all([services.empty.start(), services.parked.start()]);
  await park(stage, cluster.parked, services.parked);
  const readyMs = await restart(stage, services);
  const reads = await read(stage, cluster.parked, services);
  await treatAsReal(stage, cluster.parked, services.parked);
  const timers = await fire(stage, cluster.parked, services.parked);
  await Promise.all([services.empty.stop(), services.parked.stop()]);
  const { empty, parked } = await startContestants(cluster, stage.folder, login, stage.cleanUp);
  const rates = await compare(stage, { empty, parked });
  await parked.stop();
  return { readyMs, ...reads, timers, rates, forks: await fork(stage, empty) };
}

async function park({ size, say }: Stage, database: Scratch, service: ServiceProcess): Promise<void> {
  await service.api('/api/metadata/workflow', { method: 'PUT', body: DEFINITIONS });
  const templates = await startTemplates(service, database, size.templates);
  await service.stop();
  say(`${templates.length} workflows started and parked through the API`);
  await cloneTemplates(database, templates, size.parked, say);
  const { bytes } = await database.one<{ bytes: string }>(
    'SELECT pg_size_pretty(pg_database_size(current_database())) AS bytes',
  );
  say(`${size.parked} parked workflows are there: ${bytes}`);
  // What the copies put into the record is chained once; it would fall into the measurements.
  await service.start();
  await chained(database);
  await service.stop();
}

async function chained(database: Scratch): Promise<void> {
  await eventually(
    async () => {
      const { left } = await database.one<{ left: string }>(
        'SELECT (SELECT count(*) FROM audit_event) - (SELECT count(*) FROM audit_link) AS left',
      );
      if (left !== '0') await delay(1000);
      return left === '0';
    },
    { timeoutMs: 1_800_000, what: 'the audit record is chained' },
  );
}

/** In order and by SIGKILL, by turns. Both services run in the end. */
async function restart({ size, bars, say }: Stage, { empty, parked }: Services): Promise<object> {
  const ready: number[] = [];
  for (let restarts = 0; restarts < size.restarts; restarts += 1) {
    if (restarts % 2 === 0) await parked.stop();
    else await parked.kill();
    ready.push(Math.round(await untilReady(parked)));
    say(`ready after ${ready.at(-1)} ms`);
  }
  const besideNone = size.restarts > 1 ? (await empty.stop(), Math.round(await untilReady(empty))) : 0;
  await empty.api('/api/metadata/workflow', { method: 'PUT', body: DEFINITIONS });
  const from = `starts: ${ready.join(', ')} ms; on the empty database, with its migrations, ${besideNone} ms`;
  bars.time('restart ready', Math.max(...ready) / 1_000, 8, 's', from);
  return { parked: ready, empty: besideNone };
}

async function read(
  { size, bars, say }: Stage,
  database: Scratch,
  { empty, parked }: Services,
): Promise<Record<string, unknown>> {
  const metrics = {
    parked: await scrape(parked, size.scrapes, size.scrapeEveryMs),
    empty: await scrape(empty, size.scrapes, size.scrapeEveryMs),
  };
  const { medianMs, maxMs, firstMs, running } = metrics.parked;
  const scrapes = `of ${size.scrapes}; the first ${firstMs} ms, at most ${maxMs} ms; empty ${metrics.empty.medianMs} ms`;
  bars.time('/metrics, median', medianMs, 50, 'ms', scrapes);
  bars.exact(
    'share by which /metrics is wrong',
    Math.abs(running / size.parked - 1),
    0.2,
    '',
    `${running} running`,
  );
  const pages = await pagesOf(database);
  const searches = {
    parked: await search(parked, pages, size.searches, true),
    empty: await search(empty, pages, size.searches, false),
  };
  for (const [name, page] of Object.entries(searches.parked))
    say(`${name}: ${page.medianMs} ms, the first ${page.firstMs} ms, at most ${page.maxMs} ms`);
  const slowest = Object.entries(searches.parked).toSorted(([, a], [, b]) => b.medianMs - a.medianMs)[0];
  bars.time(
    'a search page, the slowest median',
    slowest?.[1].medianMs ?? Number.NaN,
    150,
    'ms',
    slowest?.[0] ?? '',
  );
  await delay(size.idleMs);
  const [ofParked = Number.NaN, ofEmpty = Number.NaN] = await memoryOf(
    [parked, empty],
    size.looks,
    LOOK_EVERY_MS,
  );
  const memory = { parkedMiB: Math.round(ofParked), emptyMiB: Math.round(ofEmpty) };
  const from = `${memory.parkedMiB} MiB beside ${memory.emptyMiB} MiB`;
  bars.exact('process memory above the empty one', Math.round(ofParked - ofEmpty), 50, 'MB', from);
  return { metrics, searches: searches.parked, memory };
}

async function treatAsReal(
  { size, bars, random }: Stage,
  database: Scratch,
  service: ServiceProcess,
): Promise<void> {
  const problems = await checkClones(service, database, size.draws, random);
  const from = problems.length === 0 ? `of ${size.draws}` : problems.slice(0, 5).join('; ');
  bars.exact('copies that are not like what the engine wrote', problems.length, 0, '', from);
}

async function fire({ size, bars, say }: Stage, database: Scratch, service: ServiceProcess): Promise<object> {
  const lateness = await fireTimers(service, database, size.timers, size.timersLeadMs, async () => {
    if (!size.isColdTimers) return;
    await service.kill();
    say(
      `${size.timers} timers are set; killed, and ready again after ${Math.round(await untilReady(service))} ms`,
    );
  });
  const { p50, p95, max, min, dueWithin, completed } = lateness;
  const from = `${size.timers} due within ${dueWithin} ms: p50 ${p50} ms, at most ${max} ms`;
  bars.time('timers fire late, p95', p95, 1_000, 'ms', from);
  bars.exact('timers that fired early', min < 0 ? 1 : 0, 0, '', `the first ${min} ms after it was due`);
  bars.exact('timers that did not fire', size.timers - completed, 0, '', `${completed} completed`);
  return lateness;
}

async function compare({ size, bars, say }: Stage, contestants: Contestants): Promise<object> {
  const rates = await compareRates(contestants, size.rounds, size.seconds, say);
  const { emptyPerSecond, parkedPerSecond, ratios, emptyP50Ms, parkedP50Ms } = rates;
  const from = `${emptyPerSecond}/s (p50 ${emptyP50Ms} ms) and ${parkedPerSecond}/s (p50 ${parkedP50Ms} ms); rounds: ${ratios.join(', ')}`;
  bars.ratio('starts and completions, empty to parked', rates.ratio, 1.2, from);
  return rates;
}

async function fork({ size, bars, say }: Stage, contestant: Contestant): Promise<object> {
  const { forks: sizes, forkRuns, comparedTo } = size;
  const forks = await measureForks(contestant, sizes, comparedTo, forkRuns, say);
  const name = `cost of a task in a fork of ${Math.max(...sizes)}, to one of ${comparedTo}`;
  const { slope, intercept, r2 } = forks.fit;
  // A time that grew with the square would have five times the cost.
  bars.ratio(
    name,
    forks.perTaskRatio,
    1.3,
    `fit ${slope.toFixed(3)} ms per task + ${intercept.toFixed(0)} ms, r² ${r2.toFixed(4)}`,
  );
  return forks;
}
