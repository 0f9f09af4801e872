import type { Cli } from './cli.js';
import { CommandError } from './command-error.js';

/** Asks a person; without one at a terminal it is refused, and `option` is how to say yes beforehand. */
export async function confirmed(cli: Cli, question: string, option: string): Promise<boolean> {
  if (cli.ask === undefined) throw new CommandError(`Nobody can be asked here. Say ${option} to do it.`);
  return /^y(es)?$/i.test((await cli.ask(`${question} [y/N] `)).trim());
}
