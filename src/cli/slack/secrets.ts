import type { Cli } from '../cli.js';
import {
  APP_TOKEN,
  BOT_TOKEN,
  SIGNING_SECRET,
  type TokenForm,
} from '../../reviews/channels/slack/setup/token-forms.js';
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

/** How often somebody may mistype before it ends. */
export const MOST_TRIES = 3;

const QUESTIONS: Readonly<
  Record<keyof Secrets, { readonly question: string; readonly option: string; readonly of: TokenForm }>
> = {
  botToken: {
    question: 'Bot User OAuth Token (xoxb-…, OAuth & Permissions; not shown): ',
    option: '--bot-token-stdin',
    of: BOT_TOKEN,
  },
  appToken: {
    question: 'App-Level Token (xapp-…, Basic Information, with the scope connections:write; not shown): ',
    option: '--app-token-stdin',
    of: APP_TOKEN,
  },
  signingSecret: {
    question: 'Signing Secret (Basic Information; not shown): ',
    option: '--signing-secret-stdin',
    of: SIGNING_SECRET,
  },
};

/**
 * Asks at the terminal for a secret, which is not shown; again where it is of a wrong form.
 *
 * @throws CommandError where nobody can be asked, and after three that cannot be right.
 */
export async function askedSecret(cli: Cli, name: keyof Secrets): Promise<string> {
  const { question, option, of } = QUESTIONS[name];
  if (cli.askSecret === undefined)
    throw new CommandError(`Nobody can be asked here. Pipe it in with ${option}, or use --from-env.`);
  for (let tries = 1; ; tries++) {
    const answer = (await cli.askSecret(question)).trim();
    if (of.form.test(answer)) return answer;
    const wrong = `It ${of.wrong}.`;
    if (tries === MOST_TRIES) throw new CommandError(`${wrong} Run it again; what is done stays done.`);
    cli.note(wrong);
  }
}
