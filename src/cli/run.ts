import { Cli } from './cli.js';
import { NotUnderstood } from './client.js';
import type { Output } from './output.js';
import { perform } from './program.js';

/** Does what the arguments ask for. @returns the exit code. @throws CommandError */
export async function run(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  output: Output,
): Promise<number> {
  const cli = new Cli(env, output);
  try {
    await perform(args, cli);
  } catch (error) {
    // A field that is not there, most likely: whoever answers only looks like the service.
    if (error instanceof TypeError && cli.answered !== undefined)
      throw new NotUnderstood(cli.answered, error);
    throw error;
  }
  return cli.exitCode;
}
