import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import process from 'node:process';
import type { Command } from 'commander';
import { verifierFile } from '../../audit/export/verifier.js';
import { visible } from '../../outbound/safe-text.js';
import type { Cli } from '../cli.js';
import { CommandError } from '../command-error.js';

interface Trusted {
  readonly key: readonly string[];
  readonly checkpoint: readonly string[];
}

/** `report verify`: the program that every bundle holds, from here instead of from the bundle; it asks no service. */
export function addReportVerify(group: Command, cli: Cli): void {
  group
    .command('verify')
    .description('follow every file of a bundle to its signature; needs no service')
    .argument('<BUNDLE>', 'the zip, or the folder where it was unpacked')
    .option('--key <KEY>', 'one that you know from elsewhere; several are given one by one', collected, [])
    .option('--checkpoint <FILE>', 'one that was kept elsewhere; several are given one by one', collected, [])
    .action(async (bundle: string, { key, checkpoint }: Trusted) => {
      const { code, out, err } = await run([
        resolve(bundle),
        ...key.flatMap((one) => ['--key', one]),
        ...checkpoint.flatMap((one) => ['--checkpoint', resolve(one)]),
      ]);
      if (code > 1) throw new CommandError(visible(err.trim(), 500));
      const said = out.trimEnd().split('\n');
      cli.print({ isWhole: code === 0, said }, () => said);
      if (code === 1) cli.exitCode = 1;
    });
}

const collected = (value: string, before: readonly string[]): string[] => [...before, value];

const run = (args: readonly string[]): Promise<{ code: number; out: string; err: string }> =>
  new Promise((settle, fail) => {
    const program = execFile(process.execPath, [verifierFile(), ...args], { env: {} }, (error, out, err) => {
      const code = program.exitCode;
      if (code === null)
        fail(new CommandError('The verification was ended before it was done.', { cause: error }));
      else settle({ code, out, err });
    });
  });
