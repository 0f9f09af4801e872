import { setTimeout as sleep } from 'node:timers/promises';
import type { Cli } from '../cli.js';
import { Refused } from '../client.js';
import { CommandError } from '../command-error.js';
import { query } from '../values.js';
import { waitFor } from '../waiting.js';
import { askedSecret, MOST_TRIES, type Secrets } from './secrets.js';
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
const SOON_LOOKS = 8;

/** Makes the app, stores its tokens and waits until the service is connected with them. */
export async function tokensStep(
  cli: Cli,
  before: SlackStatus,
  given: Secrets,
  wish: AppWish,
): Promise<SlackStatus> {
  const wanted = await secretsToStore(cli, before, given, wish);
  if (Object.keys(wanted).length > 0) {
    await store(cli, given, wanted);
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
  for (const name of ['botToken', wayIn] as const)
    if (name === 'botToken' ? !isThere(name) : !hasWayIn) secrets[name] = await askedSecret(cli, name);
  return secrets;
}

/** Stores them; what was typed and Slack refuses is asked for again. @throws Refused after three times, and for what came by a pipe. */
async function store(cli: Cli, given: Secrets, wanted: Secrets): Promise<void> {
  const secrets = { ...wanted };
  for (let tries = 1; ; tries++) {
    try {
      await cli.client.call('PUT', '/api/v1/slack', secrets);
      return;
    } catch (error) {
      const again = typedAndRefused(error, given, secrets);
      if (again === undefined || tries === MOST_TRIES) throw error;
      cli.note((error as Error).message);
      secrets[again] = await askedSecret(cli, again);
    }
  }
}

function typedAndRefused(error: unknown, given: Secrets, secrets: Secrets): keyof Secrets | undefined {
  if (!(error instanceof Refused)) return undefined;
  const names = { botToken: /bot-?token/i, appToken: /app-?token/i, signingSecret: /signing-?secret/i };
  return (Object.keys(secrets) as (keyof Secrets)[]).find(
    (name) => given[name] === undefined && names[name].test(error.message),
  );
}

async function showApp(cli: Cli, wish: AppWish): Promise<void> {
  const manifest = await cli.client.call<unknown>('GET', manifestPath(wish));
  todo(cli, 'make the app: https://api.slack.com/apps, Create New App, From a manifest, and paste this:');
  // Bare, so that it can be copied as it stands; with --json the answer's own place is kept for the answer.
  if (cli.json) cli.note('what `sallyport slack manifest` prints');
  else cli.out(JSON.stringify(manifest, null, 2));
  todo(cli, 'then Install App, and copy its tokens from the pages that are named now');
}

/** After a change of tokens the connection is made anew: a few seconds are waited for it. @returns how it is then. */
export async function connectedSoon(cli: Cli): Promise<SlackStatus> {
  let status = await readStatus(cli);
  if (status.connected !== false) return status;
  cli.note('the connection to Slack is made anew');
  for (let looks = 0; looks < SOON_LOOKS && status.connected === false; looks++) {
    await sleep(1000);
    status = await readStatus(cli);
  }
  return status;
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
