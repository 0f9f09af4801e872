import { setTimeout as sleep } from 'node:timers/promises';
import { visible } from '../../outbound/safe-text.js';
import type { Cli } from '../cli.js';
import { Busy } from '../client.js';
import { table } from '../table.js';
import { query } from '../values.js';
import { done, todo } from './step.js';

/** How one person stands, as the service tells it. */
export interface Proposal {
  readonly person: { readonly id: string; readonly name: string };
  readonly state: 'linked' | 'proposed' | 'open' | 'no_address' | 'not_found' | 'refused' | 'failed' | 'none';
  readonly slackUserName: string | null;
  readonly detail: string | null;
}

interface Proposed {
  readonly items: readonly Proposal[];
  readonly nextCursor: string | null;
}

// Slack lets about fifty addresses be looked for in a minute; each call of ours is some of them.
const MAX_CALLS = 500;
const MAX_TRIES = 20;
const WAIT_MS = 15_000;
// Ten people take three calls of Slack each.
const ANSWER_MS = 120_000;

/** Proposes an account to everybody who has not linked one. @returns how everybody stands. */
export async function proposeAll(cli: Cli): Promise<readonly Proposal[]> {
  const all: Proposal[] = [];
  let cursor: string | undefined;
  for (let calls = 0; calls < MAX_CALLS; calls++) {
    const page = await patiently(cli, { cursor });
    all.push(...page.items);
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  return all;
}

/** Waits out Slack's limits: what was proposed stays proposed, and the same call goes on with the others. */
async function patiently(cli: Cli, order: { readonly cursor: string | undefined }): Promise<Proposed> {
  for (let tries = 1; ; tries++) {
    try {
      return await cli.client.call<Proposed>('POST', '/api/v1/slack/proposals', order, [], ANSWER_MS);
    } catch (error) {
      if (!(error instanceof Busy) || tries === MAX_TRIES) throw error;
      cli.note(`${error.message} Going on by itself.`);
      await sleep(WAIT_MS);
    }
  }
}

/** How everybody who may decide stands. */
export async function proposalsNow(cli: Cli): Promise<readonly Proposal[]> {
  const all: Proposal[] = [];
  let cursor: string | undefined;
  for (let calls = 0; calls < MAX_CALLS; calls++) {
    const page: Proposed = await cli.client.call<Proposed>(
      'GET',
      query('/api/v1/slack/proposals', { cursor }),
    );
    all.push(...page.items);
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  return all;
}

export async function peopleStep(cli: Cli): Promise<void> {
  const all = await proposeAll(cli);
  for (const line of proposalLines(all)) cli.note(line);
  const linked = all.filter(({ state }) => state === 'linked').length;
  const asked = all.filter(({ state }) => state === 'proposed' || state === 'open').length;
  if (asked > 0)
    todo(
      cli,
      `${asked} people open the link in their direct message, signed in, and confirm it with one click`,
    );
  done(cli, `${linked} of ${all.length} people have linked an account`);
}

const STATES: Readonly<Record<Proposal['state'], string>> = {
  linked: 'linked',
  proposed: 'asked now, by a direct message',
  open: 'asked before, not confirmed yet',
  no_address: 'has no e-mail address here',
  not_found: 'no Slack account has this address',
  refused: 'the account may not decide',
  failed: 'could not be asked',
  none: 'not asked yet',
};

export const proposalLines = (items: readonly Proposal[]): string[] =>
  table(
    ['PERSON', 'STATE', 'SLACK', 'WHY'],
    items.map(({ person, state, slackUserName, detail }) => [
      person.name,
      STATES[state] ?? visible(state, 40),
      slackUserName,
      detail,
    ]),
  );
