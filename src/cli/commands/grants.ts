import type { Command } from 'commander';
import { allOf, named } from '../accounts.js';
import type { Cli } from '../cli.js';
import { CommandError } from '../command-error.js';
import { facts } from '../facts.js';
import { table } from '../table.js';

type HolderKind = 'user' | 'group' | 'apikey';

interface Grant {
  readonly id: string;
  readonly holder: { readonly kind: HolderKind; readonly id: string };
  readonly role: 'approver' | 'owner';
  readonly scope: string;
  readonly createdAt: string;
  readonly createdBy: string;
}

interface Named {
  readonly id: string;
  readonly name: string;
}

interface Holder {
  readonly user?: string;
  readonly group?: string;
  readonly key?: string;
}

const GRANTS = '/api/v1/grants';
const GROUPS = '/api/v1/groups';
const LISTS: Readonly<Record<HolderKind, string>> = {
  user: '/api/v1/users',
  group: GROUPS,
  apikey: '/api/v1/api-keys',
};

/** `grants list|give|take`: roles for one thing only. */
export function addGrants(program: Command, cli: Cli): void {
  const group = program
    .command('grants')
    .description('roles for one thing only: approver of a review queue, owner of what a group owns');
  withHolder(group.command('list').description('list them')).action(async (wanted: Holder) => {
    const holder = await holderOf(cli, wanted);
    const filters = { holderKind: holder?.kind, holderId: holder?.id };
    const items = await allOf<Grant>(cli, GRANTS, filters);
    const names = await namesOf(cli, items);
    cli.print({ items }, () =>
      table(
        ['ROLE', 'OF', 'HELD BY', 'ID'],
        items.map((one) => [one.role, scopeText(one, names), holderText(one, names), one.id]),
      ),
    );
  });
  withHolder(
    group
      .command('give')
      .description('give one to a person, a group or a key')
      .argument('<ROLE>', 'approver or owner')
      .argument('<OF>', 'of an approver, the review queue; of an owner, the group, by name or id'),
  ).action(async (role: string, of: string, wanted: Holder) => {
    if (role !== 'approver' && role !== 'owner')
      throw new CommandError(`"${role}" cannot be given for one thing. Say approver or owner.`);
    const holder = await holderOf(cli, wanted);
    if (holder === undefined) throw new CommandError('Say who gets it: --user, --group or --key.');
    const scope = role === 'owner' ? (await named<Named>(cli, GROUPS, of)).id : of;
    const grant = await cli.client.call<Grant>('POST', GRANTS, { holder, role, scope });
    const names = await namesOf(cli, [grant]);
    cli.print(grant, () =>
      facts([
        ['role', grant.role],
        ['of', scopeText(grant, names)],
        ['held by', holderText(grant, names)],
        ['given by', grant.createdBy],
        ['id', grant.id],
      ]),
    );
  });
  group
    .command('take')
    .description('take one back')
    .argument('<ID>', 'of the grant, as the list has it')
    .action(async (id: string) => {
      await cli.client.call('DELETE', `${GRANTS}/${encodeURIComponent(id)}`);
      cli.print({ taken: id }, () => ['Taken.']);
    });
}

const withHolder = (command: Command): Command =>
  command
    .option('--user <USER>', 'held by this person, by name or id')
    .option('--group <GROUP>', 'held by this group, by name or id')
    .option('--key <KEY>', 'held by this API key, by name or id');

/** Who is meant by the options; nobody when none is given. */
async function holderOf(cli: Cli, { user, group, key }: Holder): Promise<Grant['holder'] | undefined> {
  const given = Object.entries({ user, group, apikey: key }).flatMap(([kind, name]) =>
    name === undefined ? [] : [{ kind: kind as HolderKind, name }],
  );
  if (given.length > 1) throw new CommandError('Name one holder: --user, --group or --key.');
  const [one] = given;
  if (one === undefined) return undefined;
  return { kind: one.kind, id: (await named<Named>(cli, LISTS[one.kind], one.name)).id };
}

/** What holders and groups are called, of the kinds that are needed. */
async function namesOf(cli: Cli, grants: readonly Grant[]): Promise<ReadonlyMap<string, string>> {
  const kinds = new Set<HolderKind>(grants.map(({ holder }) => holder.kind));
  if (grants.some(({ role }) => role === 'owner')) kinds.add('group');
  const lists = await Promise.all([...kinds].map((kind) => allOf<Named>(cli, LISTS[kind])));
  return new Map(lists.flat().map(({ id, name }) => [id, name]));
}

const HELD_BY: Readonly<Record<HolderKind, string>> = { user: 'user', group: 'group', apikey: 'key' };

const scopeText = ({ role, scope }: Grant, names: ReadonlyMap<string, string>): string =>
  role === 'owner' ? `group ${names.get(scope) ?? scope}` : `queue ${scope}`;
const holderText = ({ holder }: Grant, names: ReadonlyMap<string, string>): string =>
  `${HELD_BY[holder.kind]} ${names.get(holder.id) ?? holder.id}`;
