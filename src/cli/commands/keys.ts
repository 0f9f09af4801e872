import type { Command } from 'commander';
import { allOf } from '../accounts.js';
import type { Cli } from '../cli.js';
import { facts } from '../facts.js';
import { table } from '../table.js';
import { listOf } from '../values.js';

interface Key {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly disabled: boolean;
  readonly expiresAt: string | null;
  readonly expired: boolean;
  readonly lastUsedAt: string | null;
}

const KEYS = '/api/v1/api-keys';

/** `keys list|add|disable`: what programs log in with. */
export function addKeys(program: Command, cli: Cli): void {
  const group = program.command('keys').description('API keys, which programs log in with');
  group
    .command('list')
    .description('list them')
    .action(async () => {
      const items = await allOf<Key>(cli, KEYS);
      cli.print({ items }, () =>
        table(
          ['ID', 'NAME', 'ROLES', 'STATE', 'LAST USED', 'EXPIRES'],
          items.map((one) => [
            one.id,
            one.name,
            one.roles.join(','),
            one.disabled ? 'disabled' : one.expired ? 'expired' : 'enabled',
            one.lastUsedAt,
            one.expiresAt,
          ]),
        ),
      );
    });
  group
    .command('add')
    .description('make a key; its secret is printed this once')
    .argument('<NAME>', 'what it is for')
    .requiredOption('--roles <ROLES>', 'by comma')
    .option('--expires <TIME>', 'until then, as in 2027-01-31T00:00:00Z; for ever by default')
    .action(async (name: string, { roles, expires }: { roles: string; expires?: string }) => {
      const body = { name, roles: listOf(roles), ...(expires !== undefined && { expiresAt: expires }) };
      const key = await cli.client.call<Key & { readonly secret: string }>('POST', KEYS, body);
      cli.print(key, () =>
        facts([
          ['key', `${key.id}:${key.secret}`],
          ['name', key.name],
          ['roles', key.roles.join(', ')],
          ['expires', key.expiresAt],
        ]),
      );
      if (!cli.json) cli.note('The secret is not shown again.');
    });
  group
    .command('disable')
    .description('refuse a key from now on')
    .argument('<ID>')
    .action(async (id: string) => {
      await cli.client.call('DELETE', `${KEYS}/${encodeURIComponent(id)}`);
      cli.print({ disabled: id }, () => ['Disabled.']);
    });
}
