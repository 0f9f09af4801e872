import { createInterface } from 'node:readline/promises';
import { CommandError } from './command-error.js';

/** Asks a person; without one at a terminal it is refused, and `option` is how to say yes beforehand. */
export async function confirmed(question: string, option: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new CommandError(`Nobody can be asked here. Say ${option} to do it.`);
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
