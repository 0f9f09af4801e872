import type { Command } from 'commander';
import { allOf, named, passwordIn } from '../accounts.js';
import type { Cli } from '../cli.js';
import { facts } from '../facts.js';
import { table } from '../table.js';
import { listOf } from '../values.js';

interface User {
  readonly id: string;
  readonly name: string;
  readonly displayName: string | null;
  readonly email: string | null;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly disabled: boolean;
  readonly login: string;
  readonly createdAt: string;
}

interface Wanted {
  readonly name?: string;
  readonly displayName?: string;
  readonly email?: string;
  readonly roles?: string;
}

const USERS = '/api/v1/users';

/** `users list|show|add|set|password|enable|disable`: the accounts of people. */
export function addUsers(program: Command, cli: Cli): void {
  const group = program.command('users').description('the accounts of people, and what they may do');
  group
    .command('list')
    .description('list everybody by name')
    .action(async () => {
      const items = await allOf<User>(cli, USERS);
      cli.print({ items }, () =>
        table(
          ['NAME', 'CALLED', 'E-MAIL', 'ROLES', 'GROUPS', 'STATE', 'ID'],
          items.map((one) => [
            one.name,
            one.displayName,
            one.email,
            one.roles.join(','),
            one.groups.join(','),
            one.disabled ? 'disabled' : 'enabled',
            one.id,
          ]),
        ),
      );
    });
  group
    .command('show')
    .description('show one')
    .argument('<USER>', 'name or id')
    .action(async (user: string) => cli.print(await named<User>(cli, USERS, user), lines));
  settable(
    group
      .command('add')
      .description('make an account')
      .argument('<NAME>', 'that they log in with')
      .requiredOption(
        '--password-file <FILE>',
        'holds the password in its first line; - reads it from the input',
      ),
  ).action(async (name: string, { passwordFile, ...wanted }: Wanted & { passwordFile: string }) => {
    const body = { name, password: passwordIn(passwordFile), ...bodyOf(wanted) };
    cli.print(await cli.client.call<User>('POST', USERS, body), lines);
  });
  settable(
    group
      .command('set')
      .description('change what is said; other roles log them out')
      .argument('<USER>', 'name or id')
      .option('--name <NAME>', 'that they log in with'),
  ).action(async (user: string, wanted: Wanted) => {
    cli.print(await cli.client.call<User>('PATCH', await pathTo(cli, user), bodyOf(wanted)), lines);
  });
  group
    .command('password')
    .description('set the password, which logs them out')
    .argument('<USER>', 'name or id')
    .requiredOption('--password-file <FILE>', 'holds it in its first line; - reads it from the input')
    .action(async (user: string, { passwordFile }: { passwordFile: string }) => {
      const path = `${await pathTo(cli, user)}/password`;
      await cli.client.call('PUT', path, { password: passwordIn(passwordFile) });
      cli.print({ changed: user }, () => ['Set. Whoever was logged in with it is logged out.']);
    });
  for (const [command, disabled, description] of [
    ['enable', false, 'let somebody in again'],
    ['disable', true, 'let somebody in no more, and log them out'],
  ] as const)
    group
      .command(command)
      .description(description)
      .argument('<USER>', 'name or id')
      .action(async (user: string) => {
        cli.print(await cli.client.call<User>('PATCH', await pathTo(cli, user), { disabled }), lines);
      });
}

const settable = (command: Command): Command =>
  command
    .option('--display-name <NAME>', 'what others see')
    .option('--email <ADDRESS>')
    .option('--roles <ROLES>', 'by comma; all of them, in place of those there are');

const bodyOf = ({ roles, ...rest }: Wanted) => ({
  ...rest,
  ...(roles !== undefined && { roles: listOf(roles) }),
});

const pathTo = async (cli: Cli, user: string): Promise<string> =>
  `${USERS}/${(await named<User>(cli, USERS, user)).id}`;

const lines = (user: User): string[] =>
  facts([
    ['name', user.name],
    ['called', user.displayName],
    ['e-mail', user.email],
    ['roles', user.roles.join(', ') || 'none'],
    ['groups', user.groups.join(', ')],
    ['state', user.disabled ? 'disabled' : 'enabled'],
    ['login', user.login],
    ['since', user.createdAt],
    ['id', user.id],
  ]);
