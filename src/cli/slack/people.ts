import type { Command } from 'commander';
import { visible } from '../../outbound/safe-text.js';
import type { Cli } from '../cli.js';
import { CommandError } from '../command-error.js';
import { table } from '../table.js';
import { query } from '../values.js';
import { proposalLines, proposalsNow, proposeAll } from './people-step.js';

interface Linked {
  readonly teamId: string;
  readonly slackUserId: string;
  readonly slackUserName: string | null;
  readonly person: { readonly id: string; readonly name: string };
  readonly linkedAt: string;
  readonly standing: string | null;
}

interface LinkedPage {
  readonly items: readonly Linked[];
  readonly nextCursor: string | null;
}

/** `slack people|unlink`: whose Slack account speaks for whom. */
export function addSlackPeople(group: Command, cli: Cli): void {
  group
    .command('people')
    .description('list whose account speaks for whom')
    .option(
      '--propose',
      'send whoever has not linked an account a direct message with a link, by e-mail address',
    )
    .option('--proposed', 'list how everybody who may decide stands')
    .action(async ({ propose, proposed }: { propose?: true; proposed?: true }) => {
      if (propose === true)
        return cli.print({ items: await proposeAll(cli) }, ({ items }) => proposalLines(items));
      if (proposed === true)
        return cli.print({ items: await proposalsNow(cli) }, ({ items }) => proposalLines(items));
      const items = await linkedPeople(cli);
      cli.print({ items }, () =>
        table(
          ['PERSON', 'SLACK', 'ACCOUNT', 'STANDING', 'SINCE'],
          items.map((one) => [
            one.person.name,
            one.slackUserName,
            `${one.teamId}/${one.slackUserId}`,
            one.standing,
            one.linkedAt,
          ]),
        ),
      );
    });
  group
    .command('unlink')
    .description('let an account speak for nobody; its next click asks to link it anew')
    .argument(
      '<ACCOUNT>',
      'as `slack people` lists it: TEAM/USER, the id of the user (U…), or the name where it is the only one',
    )
    .action(async (account: string) => {
      const { teamId, slackUserId, person } = await linkedAs(cli, account);
      await cli.client.call(
        'DELETE',
        `/api/v1/slack/people/${encodeURIComponent(teamId)}/${encodeURIComponent(slackUserId)}`,
      );
      cli.print({ teamId, slackUserId }, () => [
        `${slackUserId} speaks for ${visible(person.name, 100)} no more.`,
      ]);
    });
}

// A thousand accounts each.
const MAX_PAGES = 50;

async function linkedPeople(cli: Cli): Promise<readonly Linked[]> {
  const items: Linked[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const page: LinkedPage = await cli.client.call<LinkedPage>(
      'GET',
      query('/api/v1/slack/people', { limit: 1000, cursor }),
    );
    items.push(...page.items);
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  return items;
}

/** @throws CommandError */
async function linkedAs(cli: Cli, account: string): Promise<Linked> {
  const all = await linkedPeople(cli);
  const byId = all.filter(
    ({ teamId, slackUserId }) => account === slackUserId || account === `${teamId}/${slackUserId}`,
  );
  const found =
    byId.length > 0 ? byId : all.filter(({ slackUserName }) => slackUserName === account.replace(/^@/, ''));
  const [one, ...more] = found;
  if (one === undefined)
    throw new CommandError(
      `${account}: no account of this id or name is linked to anybody. \`slack people\` lists them; say the id (U…).`,
    );
  if (more.length > 0)
    throw new CommandError(
      `${account}: ${found.length} accounts go by it; say one of ${found.map(({ teamId, slackUserId }) => `${teamId}/${slackUserId}`).join(', ')}.`,
    );
  return one;
}
