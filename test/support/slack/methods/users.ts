import { page } from '../arguments.js';
import { asSlackUser, type UserSeed } from '../people.js';
import { Refusal, type Json } from '../refusal.js';
import type { Call, Methods } from './method.js';

/** users.*, bots.* and auth.*: who is who, and who we are. */
export const users: Methods = {
  'auth.test': { run: whoAmI },
  'team.info': {
    scope: 'team:read',
    tier: 3,
    run: ({ workspace }) => ({ ok: true, team: { id: workspace.teamId, name: workspace.teamName } }),
  },
  'bots.info': { scope: 'users:read', tier: 3, run: bot },
  'users.info': { scope: 'users:read', tier: 4, run: info },
  'users.list': { scope: 'users:read', tier: 2, run: list },
  'users.lookupByEmail': { scope: 'users:read.email', tier: 3, run: byEmail },
};

function whoAmI({ workspace, origin }: Call): Json {
  return {
    ok: true,
    url: `${origin}/`,
    team: workspace.teamName,
    user: 'sallyport',
    team_id: workspace.teamId,
    user_id: workspace.botUserId,
    bot_id: workspace.botId,
    is_enterprise_install: false,
  };
}

function bot({ workspace, args }: Call): Json {
  if (args.required('bot') !== workspace.botId) throw new Refusal('bot_not_found');
  const { botId, appId, botUserId } = workspace;
  return {
    ok: true,
    bot: { id: botId, deleted: false, name: 'Sallyport', app_id: appId, user_id: botUserId },
  };
}

/** The app's own account is one of the accounts. */
const own = ({ workspace }: Call): UserSeed => ({
  id: workspace.botUserId,
  name: 'sallyport',
  realName: 'Sallyport',
  isBot: true,
});

const shown = (call: Call, user: UserSeed): Json =>
  asSlackUser(user, call.workspace.teamId, call.hasScope('users:read.email'));

function info(call: Call): Json {
  const id = call.args.required('user');
  const user = id === call.workspace.botUserId ? own(call) : call.workspace.users.get(id);
  if (user === undefined) throw new Refusal('user_not_found');
  return { ok: true, user: shown(call, user) };
}

function list(call: Call): Json {
  const all = [own(call), ...call.workspace.users.values()];
  const { items, metadata } = page(all, call.args, 1000);
  return { ok: true, members: items.map((user) => shown(call, user)), response_metadata: metadata };
}

function byEmail(call: Call): Json {
  const email = call.args.required('email').toLowerCase();
  const user = [...call.workspace.users.values()].find(
    (one) => one.email?.toLowerCase() === email && one.deleted !== true && one.isBot !== true,
  );
  if (user === undefined) throw new Refusal('users_not_found');
  return { ok: true, user: shown(call, user) };
}
