import type { Cli } from '../cli.js';
import { CommandError } from '../command-error.js';
import { query } from '../values.js';
import { waitFor } from '../waiting.js';
import { askedSecret, type Secrets } from './secrets.js';
import { readStatus, type SlackStatus } from './status.js';
import { done, todo } from './step.js';

export interface AppWish {
  readonly http?: true;
  readonly name?: string;
  readonly command?: string;
}

export const manifestPath = ({ http, name, command }: AppWish): string =>
  query('/api/v1/slack/manifest', { transport: http === true ? 'http' : undefined, name, command });

const CONNECT_SECONDS = 90;

/** Makes the app, stores its tokens and waits until the service is connected with them. */
export async function tokensStep(
  cli: Cli,
  before: SlackStatus,
  given: Secrets,
  wish: AppWish,
): Promise<SlackStatus> {
  const wanted = await secretsToStore(cli, before, given, wish);
  if (Object.keys(wanted).length > 0) {
    await cli.client.call('PUT', '/api/v1/slack', wanted);
    done(cli, 'the tokens are stored, encrypted');
  } else done(cli, 'the tokens were set before');
  return connected(cli);
}

async function secretsToStore(
  cli: Cli,
  { settings }: SlackStatus,
  given: Secrets,
  wish: AppWish,
): Promise<Secrets> {
  const isThere = (name: 'botToken' | 'appToken' | 'signingSecret'): boolean =>
    settings[name].isSet || given[name] !== undefined;
  const wayIn = wish.http === true ? 'signingSecret' : 'appToken';
  const hasWayIn = isThere(wayIn) || (wish.http === undefined && isThere('signingSecret'));
  if (isThere('botToken') && hasWayIn) return given;
  await showApp(cli, wish);
  const secrets = { ...given };
  if (!isThere('botToken'))
    secrets.botToken = await askedSecret(
      cli,
      'Bot User OAuth Token (xoxb-…, OAuth & Permissions; not shown): ',
      '--bot-token-stdin',
    );
  if (!hasWayIn)
    secrets[wayIn] =
      wayIn === 'appToken'
        ? await askedSecret(
            cli,
            'App-Level Token (xapp-…, Basic Information, with the scope connections:write; not shown): ',
            '--app-token-stdin',
          )
        : await askedSecret(cli, 'Signing Secret (Basic Information; not shown): ', '--signing-secret-stdin');
  return secrets;
}

async function showApp(cli: Cli, wish: AppWish): Promise<void> {
  const manifest = await cli.client.call<unknown>('GET', manifestPath(wish));
  todo(cli, 'make the app: https://api.slack.com/apps, Create New App, From a manifest, and paste this:');
  // Bare, so that it can be copied as it stands; with --json the answer's own place is kept for the answer.
  if (cli.json) cli.note('what `sallyport slack manifest` prints');
  else cli.out(JSON.stringify(manifest, null, 2));
  todo(cli, 'then Install App, and copy its tokens from the pages that are named now');
}

async function connected(cli: Cli): Promise<SlackStatus> {
  let last: SlackStatus | undefined;
  try {
    const status = await waitFor(
      cli,
      async () => {
        last = await readStatus(cli);
        const isReady = last.connected ?? last.team !== null;
        return isReady ? last : undefined;
      },
      { timeoutSeconds: CONNECT_SECONDS, what: 'connection to Slack' },
    );
    done(cli, `connected to ${status.team?.name ?? status.team?.id ?? 'Slack'}`);
    return status;
  } catch (error) {
    const trouble = last?.missing.find(({ isNeeded }) => isNeeded);
    if (trouble === undefined) throw error;
    throw new CommandError(`Not connected: ${trouble.what} ${trouble.remedy}`, { cause: error });
  }
}
