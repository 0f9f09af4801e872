import type { Cli } from '../cli.js';
import { CommandError } from '../command-error.js';

/** What the service is to store; a secret never comes as an argument, which everybody on the machine sees. */
export interface Secrets {
  botToken?: string;
  appToken?: string;
  signingSecret?: string;
}

export interface SecretOptions {
  readonly botTokenStdin?: true;
  readonly appTokenStdin?: true;
  readonly signingSecretStdin?: true;
  readonly fromEnv?: true;
}

const NAMES = [
  ['botToken', 'botTokenStdin', 'SLACK_BOT_TOKEN'],
  ['appToken', 'appTokenStdin', 'SLACK_APP_TOKEN'],
  ['signingSecret', 'signingSecretStdin', 'SLACK_SIGNING_SECRET'],
] as const;

/** Those that are piped in, a line each in the order of the options, and those of the command's environment. */
export async function givenSecrets(cli: Cli, options: SecretOptions): Promise<Secrets> {
  const secrets: Secrets = {};
  if (options.fromEnv === true)
    for (const [name, , variable] of NAMES) {
      const value = cli.variable(variable);
      if (value !== undefined) secrets[name] = value;
    }
  const piped = NAMES.filter(([, option]) => options[option] === true);
  if (piped.length === 0) return secrets;
  const lines = (await cli.pipedIn()).split(/\r?\n/).map((line) => line.trim());
  for (const [index, [name]] of piped.entries()) {
    const line = lines[index];
    if (line === undefined || line === '')
      throw new CommandError(
        `The input has no line ${index + 1}. Pipe in a line each, in this order: ${piped.map(([one]) => one).join(', ')}.`,
      );
    secrets[name] = line;
  }
  return secrets;
}

/** Asks at the terminal for a secret, which is not shown. @throws CommandError where nobody can be asked. */
export async function askedSecret(cli: Cli, question: string, option: string): Promise<string> {
  if (cli.askSecret === undefined)
    throw new CommandError(`Nobody can be asked here. Pipe it in with ${option}, or use --from-env.`);
  return (await cli.askSecret(question)).trim();
}
