import { fuzz, type Fuzzed } from './fuzz/fuzz.js';
import { parsers } from './fuzz/parsers.js';
import { randomFrom, readOptions, report, SIZE_AND_SEED } from './proof.js';

/*
 * Every parser that reads what strangers send takes changed seeds for minutes: none may crash, hang or keep memory.
 * `--minutes N` sets the time of each (10 by default, two seconds with --size small), `--only NAME` takes one.
 */

/** For `--help`. */
export const help = `${SIZE_AND_SEED}\n--minutes N          for each parser; 10 at full size\n--only NAME          one parser alone`;

/** @returns whether it held. */
export async function prove(args: readonly string[]): Promise<boolean> {
  const options = readOptions(args);
  const option = (name: string): string | undefined =>
    args.includes(name) ? args[args.indexOf(name) + 1] : undefined;
  const minutes = Number(option('--minutes') ?? (options.size === 'small' ? 1 / 30 : 10));
  if (!(minutes > 0)) throw new Error('--minutes: must be a number above 0');
  const only = option('--only');
  const began = performance.now();
  const figures: Record<string, Fuzzed> = {};
  for (const [name, parser] of Object.entries(await parsers())) {
    if (only !== undefined && name !== only) continue;
    const fuzzed = await fuzz(parser, minutes * 60_000, randomFrom(options.seed));
    figures[name] = fuzzed;
    process.stdout.write(`${name}: ${fuzzed.inputs} inputs, ${fuzzed.problems.length} problems\n`);
  }
  const all = Object.values(figures);
  const passed = all.length > 0 && all.every(({ inputs, problems }) => inputs > 0 && problems.length === 0);
  report('fuzz', options, (performance.now() - began) / 1000, { minutesEach: minutes, ...figures }, passed);
  return passed;
}
