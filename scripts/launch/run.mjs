import { spawn } from 'node:child_process';

// Enough to hold the reason; npm and tsc put it last.
const KEPT_CHARACTERS = 64 * 1024;

/** Runs a program quietly and resolves with its exit code and the end of what it printed. */
export function run(command, args, { cwd, env = process.env, keep: kept = KEPT_CHARACTERS } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk) => (output = (output + chunk).slice(-kept));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (error) =>
      resolve({ code: 1, output: error.message, missing: error.code === 'ENOENT' }),
    );
    child.once('close', (code, signal) => resolve({ code: code ?? 1, signal, output, missing: false }));
  });
}

/** The last lines of a program's output, indented, for showing below a sentence. */
export const tail = (output, lines = 30) =>
  output
    .trim()
    .split('\n')
    .slice(-lines)
    .map((line) => `  ${line}`)
    .join('\n');
