import { Cli } from './cli.js';
import type { Output } from './output.js';
import { perform } from './program.js';

/** Does what the arguments ask for. @returns the exit code. @throws CommandError */
export async function run(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  output: Output,
): Promise<number> {
  const cli = new Cli(env, output);
  await perform(args, cli);
  return cli.exitCode;
}
