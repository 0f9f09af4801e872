import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

export interface Options {
  readonly size: 'small' | 'full';
  readonly seed: number;
}

/** What `readOptions` reads, for `--help`. */
export const SIZE_AND_SEED = `--size small|full    full by default; small takes seconds and writes no report
--seed N             what is drawn by chance; drawn itself, and printed, by default`;

/** `--size small|full` (full by default) and `--seed N` (drawn and printed when absent). */
export function readOptions(args: readonly string[]): Options {
  const value = (name: string): string | undefined => {
    const at = args.indexOf(name);
    return at === -1 ? undefined : args[at + 1];
  };
  const size = value('--size') ?? 'full';
  if (size !== 'small' && size !== 'full') throw new Error(`--size: must be small or full, not ${size}`);
  const seed = Number(value('--seed') ?? Math.floor(Math.random() * 1e9));
  if (!Number.isSafeInteger(seed)) throw new Error('--seed: must be an integer');
  return { size, seed };
}

/** Numbers in [0, 1) that the seed decides (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Writes `docs/proofs/<name>.json` for a full run, and prints the same for every run. */
export function report(
  name: string,
  options: Options,
  seconds: number,
  figures: Readonly<Record<string, unknown>>,
  passed: boolean,
): void {
  const commit = git('rev-parse', 'HEAD');
  const dirty = git('status', '--porcelain', '--', 'src', 'workflows', 'prove') !== '';
  const [cpu] = cpus();
  const machine = {
    cpu: cpu?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
  const text = `${JSON.stringify({ proof: name, commit: dirty ? `${commit} with changes` : commit, ...options, seconds: Math.round(seconds), machine, figures, passed }, null, 2)}\n`;
  process.stdout.write(text);
  if (options.size !== 'full') return;
  mkdirSync(`${root}docs/proofs`, { recursive: true });
  writeFileSync(`${root}docs/proofs/${name}.json`, text);
}

function git(...args: string[]): string {
  try {
    return execFileSync('git', args, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    // An unpacked archive has no history; the proof then says so.
    return 'unknown';
  }
}
