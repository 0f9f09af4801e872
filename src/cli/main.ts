#!/usr/bin/env node
import { inspect } from 'node:util';
import { visible } from '../outbound/safe-text.js';
import { ask, askSecret, pipedIn } from './ask.js';
import { CommandError } from './command-error.js';
import { run } from './run.js';

// A reader that had enough (head, less) is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 2));

try {
  process.exitCode = await run(process.argv.slice(2), process.env, {
    out: (line) => process.stdout.write(`${line}\n`),
    note: (line) => process.stderr.write(`sallyport: ${line}\n`),
    style: { colour: process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '' },
    terminal: process.stderr.isTTY
      ? { write: (text) => process.stderr.write(text), columns: () => process.stderr.columns }
      : undefined,
    ...(process.stdin.isTTY && process.stderr.isTTY ? { ask, askSecret } : {}),
    pipedIn,
  });
} catch (error) {
  // A fault of ours is told in full; 1 would say that the answer is no.
  const text = error instanceof CommandError ? error.message : inspect(error);
  const lines = text.split('\n').map((line) => visible(line, 1_000));
  process.stderr.write(`sallyport: ${lines.join('\n')}\n`);
  process.exitCode = 2;
}
