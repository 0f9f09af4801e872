import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { audit } from './engine/audit.js';
import { Cluster } from './engine/cluster.js';
import { DIFFERENCES } from './engine/differences.js';
import { execute } from './engine/execute.js';
import { latency } from './engine/latency.js';
import { long } from './engine/long.js';
import { readOptions, type Measure } from './engine/options.js';
import { Yardstick } from './engine/pgbench.js';
import { compilePrograms } from './engine/programs.js';
import { replicas } from './engine/replicas.js';
import { rest } from './engine/rest.js';
import { figure, newLogin, type Stage } from './engine/stage.js';
import { spread } from './engine/statistics.js';
import { throughput } from './engine/throughput.js';
import { table, type Row } from './row.js';

// A machine whose own yardstick moves by more than this says nothing about anything else.
const MAX_SPREAD = 0.3;

/** Runs a measurement; `probes` gets what pgbench reached between the rounds. */
type Measurement = (stage: Stage, probes: number[]) => Promise<Row[]>;

const MEASUREMENTS: Record<Measure, Measurement> = {
  throughput,
  replicas,
  latency,
  execute,
  rest,
  long,
  audit,
};

/**
 * How fast the engine is, beside DBOS and pgbench: all on one PostgreSQL of the bench's own, in turns, medians.
 *
 * @returns whether every figure is as it must be, and conclusive.
 */
export async function bench(args: readonly string[]): Promise<boolean> {
  const options = readOptions(args);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  chmodSync(folder, 0o711);
  const began = performance.now();
  let cluster: Cluster | undefined;
  const clear = async (): Promise<void> => {
    await cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  // The server is in a session of its own and would stay; the measured processes end with ours.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void clear().finally(() => process.exit(130)));
  const rows: (Row & { conclusive: boolean })[] = [];
  try {
    cluster = await Cluster.start(folder);
    const [cpu] = cpus();
    say(
      `${cpus().length} cores (${cpu?.model.trim() ?? 'unknown'}), ${figure(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`,
    );
    say(`PostgreSQL: ${await cluster.settings()}`);
    say(`medians of ${options.rounds} rounds of ${options.seconds} s`);
    const yardstick = await Yardstick.prepare(cluster);
    const program = compilePrograms();
    const stage: Stage = { options, cluster, yardstick, folder, program, login: newLogin(), say };
    for (const name of options.only) rows.push(...(await conclusively(stage, name)));
  } finally {
    await clear();
  }
  say(table(rows, figure, outcome));
  for (const line of DIFFERENCES) say(line);
  say(`took ${figure((performance.now() - began) / 60_000)} min`);
  if (options.json) {
    const measures = rows.map(({ name, value, unit, must, ok, conclusive }) => ({
      name,
      value,
      unit,
      must,
      ok: ok && conclusive,
      ...(conclusive ? {} : { inconclusive: true }),
    }));
    say(JSON.stringify({ measures }));
  }
  return rows.length > 0 && rows.every(({ ok, conclusive }) => ok && conclusive);
}

/** Measures again, a few times at most, while the machine itself was not steady. */
async function conclusively(stage: Stage, name: Measure): Promise<(Row & { conclusive: boolean })[]> {
  const measure = MEASUREMENTS[name];
  const { say, options } = stage;
  for (let again = 0; ; again += 1) {
    say('');
    say(`== ${name}`);
    const probes: number[] = [];
    const rows = await measure(stage, probes);
    const conclusive = spread(probes) <= MAX_SPREAD;
    const seen = `pgbench between the rounds: ${probes.map(figure).join(', ')} tps (spread ${Math.round(spread(probes) * 100)} %)`;
    say(`${seen}${conclusive ? '' : ': inconclusive'}`);
    if (conclusive || again === options.repeats) return rows.map((row) => ({ ...row, conclusive }));
    say('The machine was not steady; measuring again.');
  }
}

const outcome = ({ ok, conclusive }: Row & { conclusive: boolean }): string =>
  conclusive ? (ok ? 'ok' : 'MISSED') : 'inconclusive';
