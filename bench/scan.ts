import { cpus, totalmem } from 'node:os';
import { figure, type Say } from './e2e/row.js';
import { table, type Row } from './row.js';
import { readOptions, type Measure, type Options } from './scan/options.js';
import { clamdPath, smallFiles } from './scan/malware.js';
import { secrets, streamMemory } from './scan/secrets.js';

const MEASUREMENTS: Readonly<Record<Measure, (options: Options, say: Say) => Promise<Row[]>>> = {
  source: (options, say) => secrets('source', options, say),
  json: (options, say) => secrets('json', options, say),
  logs: (options, say) => secrets('logs', options, say),
  memory: streamMemory,
  clamd: clamdPath,
  small: smallFiles,
};

/**
 * How fast secrets are found: our engine with all its rules and decoders in one thread of this process, over text of
 * published packages and generated JSON and logs, beside gitleaks, secretlint and ripgrep on one core; and how fast files
 * pass clamd and both scanners.
 *
 * @returns whether every figure is as it must be.
 */
export async function bench(args: readonly string[]): Promise<boolean> {
  const options = readOptions(args);
  const say: Say = (line) => void process.stdout.write(`${line}\n`);
  const [cpu] = cpus();
  say(
    `${cpus().length} cores (${cpu?.model.trim() ?? 'unknown'}), ${figure(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`,
  );
  const rows: Row[] = [];
  for (const name of options.only) rows.push(...(await MEASUREMENTS[name](options, say)));
  say(table(rows, figure));
  if (options.json) {
    const measures = rows.map(({ name, value, unit, must, ok }) => ({ name, value, unit, must, ok }));
    say(JSON.stringify({ measures }));
  }
  return rows.every(({ ok }) => ok);
}
