import type { Cli } from './cli.js';
import { CommandError } from './command-error.js';
import type { Reading } from './progress.js';

type Work = typeof import('../backup/command.js');

/**
 * Does what needs the database itself, with how far it is. The service's own code is loaded for it, which no other command
 * needs.
 *
 * @throws CommandError for what the operator can mend.
 */
export async function besideService<T>(
  cli: Cli,
  work: (work: Work, tell: (what: string, done: number, all: number) => void) => Promise<T>,
): Promise<T> {
  const commands = await import('../backup/command.js');
  const bar = cli.progress('done');
  try {
    return await work(commands, (what, done, total) => {
      const reading: Reading = { done, total, detail: what };
      bar.show(reading);
    });
  } catch (error) {
    const sentence = commands.sentenceOf(error);
    if (sentence === undefined) throw error;
    throw new CommandError(sentence, { cause: error });
  } finally {
    bar.end();
  }
}
