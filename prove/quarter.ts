import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startEmbeddedPostgres } from '../src/embedded/postgres/start-embedded-postgres.js';
import { readOptions, report, SIZE_AND_SEED, type Options } from './proof.js';
import { makeWithMany, MANY, MOST_MIB, MOST_MS, type Making } from './quarter/many-decisions.js';
import type { Told } from './quarter/simulate.js';

/*
 * A quarter of the service's life on a clock that is moved by hand: thirteen weeks of uploads, scans, reviews and exceptions
 * with their faults, of which the service makes thirteen reports. Each report must add up, join the one before, restate what
 * became known later and nothing else, and agree to the unit with a recount that knows nothing of it: plain TypeScript over
 * the tables' rows. Its bundle must verify, and not with a byte changed; made again, its data files must be the same.
 *
 * The service is whole and real (intake, reviews, exceptions, timers, engine, report clock, the report's workflow), on a real
 * PostgreSQL that flushes nothing to disk. S3 alone is played, and the scans: they write the ledger by its own calls, in
 * their order, but without a workflow and without bytes, as do the moves into quarantine and the copies that a release
 * writes. Reviews are asked for by workflows of their own.
 *
 * At the end its decisions are copied until there are 10,000, and a process of its own makes the report of them.
 */

const RUNNER = fileURLToPath(new URL('../test/support/run-typescript.mjs', import.meta.url));
const PROGRAM = fileURLToPath(new URL('./quarter/program.ts', import.meta.url));

/** For `--help`. */
export const help = SIZE_AND_SEED;

/** @returns whether it held. */
export async function prove(args: readonly string[]): Promise<boolean> {
  const options = readOptions(args);
  process.stdout.write(`quarter: seed ${options.seed}\n`);
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-quarter-'));
  // As root, PostgreSQL runs under another account.
  chmodSync(folder, 0o711);
  const began = performance.now();
  const postgres = await startEmbeddedPostgres({ directory: join(folder, 'postgres'), isDurable: false });
  try {
    const { url, adminUrl } = postgres;
    const program = spawn(
      process.execPath,
      [RUNNER, PROGRAM, options.size, String(options.seed), url, adminUrl, folder],
      { stdio: 'inherit' },
    );
    const [code] = (await once(program, 'exit')) as [number | null];
    const file = join(folder, 'figures.json');
    if (code !== 0 || !existsSync(file)) {
      process.stderr.write(`quarter: the simulation ended with ${code}\n`);
      return false;
    }
    const told = JSON.parse(readFileSync(file, 'utf8')) as Told;
    const making = await makeWithMany(url);
    const problems = [...told.problems, ...tooMuch(making, options)];
    const figures = { ...told.figures, making: { ...making, mostMs: MOST_MS, mostMiB: MOST_MIB } };
    report('quarter', options, (performance.now() - began) / 1000, figures, problems.length === 0);
    for (const problem of problems) process.stderr.write(`${problem}\n`);
    return problems.length === 0;
  } finally {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function tooMuch({ decisions, renderMs, peakMiB }: Making, { size }: Options): string[] {
  // The small size runs beside other things.
  const mostMs = MOST_MS * (size === 'full' ? 1 : 10);
  return [
    ...(decisions === MANY ? [] : [`the report is over ${decisions} decisions`]),
    ...(renderMs <= mostMs ? [] : [`drawing the report took ${renderMs} ms`]),
    ...(peakMiB <= MOST_MIB ? [] : [`making the report took ${peakMiB} MiB`]),
  ];
}
