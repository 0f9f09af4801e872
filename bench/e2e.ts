import { cpus, totalmem } from 'node:os';
import { latency } from './e2e/latency.js';
import { largeObjectMemory } from './e2e/memory.js';
import { readOptions, type Measure, type Options } from './e2e/options.js';
import { largeObjects, smallObjects } from './e2e/rate.js';
import { setUp, type Engines, type Rig } from './e2e/rig.js';
import { figure, type Say } from './e2e/row.js';
import { table, type Row } from './row.js';

type Measurement = (rig: Rig, options: Options, say: Say) => Promise<Row[]>;

/** Each measurement, on a service of its own with the engines that it wants. */
const MEASUREMENTS: Readonly<Record<Measure, { readonly engines: Engines; readonly run: Measurement }>> = {
  latency: { engines: 'clamd', run: (rig, _, say) => latency(rig, say) },
  'built-in': {
    engines: 'built-in',
    run: (rig, options, say) => smallObjects(rig, 'built-in', options, say),
  },
  clamd: { engines: 'clamd', run: (rig, options, say) => smallObjects(rig, 'clamd', options, say) },
  large: { engines: 'clamd', run: largeObjects },
  memory: { engines: 'built-in', run: (rig, { gigabytes }, say) => largeObjectMemory(rig, gigabytes, say) },
};

/**
 * From an upload to its tag: the built service with its embedded PostgreSQL, its S3 or versitygw, clamd and the uploading client, all
 * on this machine's cores, beside the cheapest thing that could replace it.
 *
 * @returns whether every figure is as it must be.
 */
export async function bench(args: readonly string[]): Promise<boolean> {
  const options = readOptions(args);
  const say: Say = (line) => void process.stdout.write(`${line}\n`);
  const [cpu] = cpus();
  say(
    `${cpus().length} cores (${cpu?.model.trim() ?? 'unknown'}), ${figure(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}, S3: ${options.s3}`,
  );
  const rows: Row[] = [];
  for (const name of options.only) {
    const { engines, run } = MEASUREMENTS[name];
    say('');
    say(`== ${name}`);
    const rig = await setUp(engines, options.s3);
    try {
      rows.push(...(await run(rig, options, say)));
    } finally {
      await rig.takeDown();
    }
  }
  say(table(rows, figure));
  if (options.json) {
    const measures = rows.map(({ name, value, unit, must, ok }) => ({ name, value, unit, must, ok }));
    say(JSON.stringify({ measures }));
  }
  return rows.every(({ ok }) => ok);
}
