import { Refusal, type Json } from '../refusal.js';
import type { Call, Methods } from './method.js';

/** views.*: modals and the Home tab. */
export const views: Methods = {
  'views.open': { tier: 4, run: open },
  'views.push': { tier: 4, run: push },
  'views.update': { tier: 4, run: update },
  'views.publish': { tier: 4, run: publish },
};

const viewIn = ({ args }: Call): Json => {
  args.required('view');
  return args.object('view') ?? {};
};

function open(call: Call): Json {
  const { workspace, args } = call;
  const wanted = viewIn(call);
  const user = workspace.triggers.redeem(args.required('trigger_id'));
  return answer(call, workspace.views.open(user, wanted));
}

function push(call: Call): Json {
  const { workspace, args } = call;
  const wanted = viewIn(call);
  const user = workspace.triggers.redeem(args.required('trigger_id'));
  return answer(call, workspace.views.push(user, wanted));
}

function update(call: Call): Json {
  const { workspace, args } = call;
  const id = args.text('view_id');
  const externalId = args.text('external_id');
  if (id === undefined && externalId === undefined) args.required('view_id');
  return answer(call, workspace.views.update({ id, externalId }, viewIn(call), args.text('hash')));
}

function publish(call: Call): Json {
  const { workspace, args } = call;
  if (!workspace.hasHomeTab) throw new Refusal('not_enabled');
  const user = args.required('user_id');
  if (!workspace.users.has(user)) throw Refusal.because('invalid_arguments', ['user_id: nobody']);
  return answer(call, workspace.views.publish(user, viewIn(call), args.text('hash')));
}

function answer({ workspace }: Call, view: Json): Json {
  workspace.onChange();
  return { ok: true, view };
}
