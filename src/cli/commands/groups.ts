import type { Command } from 'commander';
import { named } from '../accounts.js';
import type { Cli } from '../cli.js';
import { facts } from '../facts.js';
import { table } from '../table.js';
import { listOf } from '../values.js';

interface Group {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly memberCount: number;
  readonly members?: readonly { readonly id: string; readonly name: string }[];
}

const GROUPS = '/api/v1/groups';
const USERS = '/api/v1/users';

/** `groups list|show|add|set|remove|join|leave`: groups of people, who have the group's roles. */
export function addGroups(program: Command, cli: Cli): void {
  const group = program.command('groups').description('groups of people, who have the roles of the group');
  group
    .command('list')
    .description('list them by name')
    .action(async () => {
      cli.print(await cli.client.call<{ items: readonly Group[] }>('GET', GROUPS), ({ items }) =>
        table(
          ['NAME', 'ROLES', 'MEMBERS', 'ID'],
          items.map((one) => [one.name, one.roles.join(','), one.memberCount, one.id]),
        ),
      );
    });
  group
    .command('show')
    .description('show one with its members')
    .argument('<GROUP>', 'name or id')
    .action(async (name: string) =>
      cli.print(await cli.client.call<Group>('GET', await pathTo(cli, name)), lines),
    );
  group
    .command('add')
    .description('make a group')
    .argument('<NAME>')
    .option('--roles <ROLES>', 'by comma')
    .action(async (name: string, { roles }: { roles?: string }) => {
      cli.print(await cli.client.call<Group>('POST', GROUPS, { name, roles: listOf(roles) }), lines);
    });
  group
    .command('set')
    .description('change it; other roles log its members out')
    .argument('<GROUP>', 'name or id')
    .option('--name <NAME>')
    .option('--roles <ROLES>', 'by comma; all of them, in place of those there are')
    .action(async (wanted: string, { name, roles }: { name?: string; roles?: string }) => {
      const body = {
        ...(name !== undefined && { name }),
        ...(roles !== undefined && { roles: listOf(roles) }),
      };
      cli.print(await cli.client.call<Group>('PATCH', await pathTo(cli, wanted), body), lines);
    });
  group
    .command('remove')
    .description('delete it, with its memberships and grants')
    .argument('<GROUP>', 'name or id')
    .action(async (name: string) => {
      await cli.client.call('DELETE', await pathTo(cli, name));
      cli.print({ removed: name }, () => ['Removed.']);
    });
  for (const [command, method, description] of [
    ['join', 'PUT', 'make somebody a member'],
    ['leave', 'DELETE', 'make somebody a member no more'],
  ] as const)
    group
      .command(command)
      .description(description)
      .argument('<GROUP>', 'name or id')
      .argument('<USER>', 'name or id')
      .action(async (name: string, user: string) => {
        const path = await pathTo(cli, name);
        const { id } = await named(cli, USERS, user);
        await cli.client.call(method, `${path}/members/${id}`);
        cli.print(await cli.client.call<Group>('GET', path), lines);
      });
}

const pathTo = async (cli: Cli, name: string): Promise<string> =>
  `${GROUPS}/${(await named<Group>(cli, GROUPS, name)).id}`;

const lines = (group: Group): string[] =>
  facts([
    ['name', group.name],
    ['roles', group.roles.join(', ') || 'none'],
    ['members', group.members?.map(({ name }) => name).join(', ') ?? String(group.memberCount)],
    ['id', group.id],
  ]);
