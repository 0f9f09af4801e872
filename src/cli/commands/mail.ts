import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { table } from '../table.js';

interface Suspension {
  readonly email: string;
  readonly person: { readonly name: string };
  readonly since: string;
  readonly status: string;
}

/** `mail suspended|resume`. */
export function addMail(program: Command, cli: Cli): void {
  const group = program.command('mail').description('the addresses that take no mail');
  group
    .command('suspended')
    .description('list addresses that bounced and get no mail')
    .action(async () => {
      const answer = await cli.client.call<{ readonly items: readonly Suspension[] }>(
        'GET',
        '/api/v1/mail/suspensions',
      );
      cli.print(answer, ({ items }) =>
        table(
          ['ADDRESS', 'PERSON', 'SINCE', 'STATUS'],
          items.map(({ email, person, since, status }) => [email, person.name, since, status]),
        ),
      );
    });
  group
    .command('resume')
    .description('let an address have mail again')
    .argument('<ADDRESS>')
    .action(async (address: string) => {
      await cli.client.call('DELETE', `/api/v1/mail/suspensions/${encodeURIComponent(address)}`);
      cli.print({ email: address }, () => [`${address} gets mail again.`]);
    });
}
