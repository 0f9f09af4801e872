import { Groups } from '../../src/access/groups.service.js';
import type { AccessRole, Principal } from '../../src/access/principal.js';
import { Users } from '../../src/access/users.service.js';
import type { World } from './world.js';

/** Somebody who decides, or who reads reports. */
export interface Member {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly AccessRole[];
  groups: readonly string[];
}

const ACTOR = 'system:setup';

const ROSTER: readonly { name: string; roles: readonly AccessRole[]; groups: readonly string[] }[] = [
  { name: 'admin-1', roles: ['admin'], groups: [] },
  { name: 'auditor-1', roles: ['auditor', 'approver'], groups: ['audit'] },
  ...[1, 2, 3, 4].map((n) => ({ name: `security-${n}`, roles: ['analyst'] as const, groups: ['security'] })),
  ...[1, 2, 3].map((n) => ({ name: `platform-${n}`, roles: ['analyst'] as const, groups: ['platform'] })),
  ...[1, 2].map((n) => ({ name: `lead-${n}`, roles: ['analyst'] as const, groups: ['leads', 'security'] })),
];

/** Makes the accounts and groups by the service's own calls. */
export async function hire(world: World): Promise<readonly Member[]> {
  const users = world.get(Users);
  const groups = world.get(Groups);
  const ids = new Map<string, string>();
  for (const name of new Set(ROSTER.flatMap((one) => one.groups)))
    ids.set(name, (await groups.create(name, [], ACTOR)).id);
  const members: Member[] = [];
  for (const { name, roles, groups: of } of ROSTER) {
    const { id } = await users.create({ name, roles, password: 'a few words will do' }, ACTOR);
    for (const group of of) await groups.addMember(ids.get(group) ?? '', id, ACTOR);
    members.push({ id, name, roles, groups: of });
  }
  return members;
}

/** From now on they are in the group no more. */
export async function leave(world: World, member: Member, group: string): Promise<void> {
  const groups = world.get(Groups);
  const found = (await groups.list()).find(({ name }) => name === group);
  await groups.removeMember(found?.id ?? '', member.id, ACTOR);
  member.groups = member.groups.filter((name) => name !== group);
}

export const principalOf = ({ id, name, roles }: Member): Principal => ({
  kind: 'user',
  id,
  name,
  roles,
  grants: [],
  method: 'session',
});
