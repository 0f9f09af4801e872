import { nameInPayload, type FakeChannel } from './channels.js';
import { asSlackMessage, isWhisper, type FakeMessage, type FakeWhisper } from './messages.js';
import type { FakeUser } from './people.js';
import type { Json } from './refusal.js';
import type { View } from './views.js';
import type { Workspace } from './workspace.js';

/** Who did it, and in which workspace. Somebody of Slack Connect has another team than the workspace. */
export function whoAndWhere(workspace: Workspace, user: FakeUser): Json {
  return {
    team: { id: workspace.teamId, domain: 'home' },
    enterprise: null,
    is_enterprise_install: false,
    user: {
      id: user.id,
      username: user.name,
      name: user.name,
      team_id: user.teamId ?? workspace.teamId,
    },
    api_app_id: workspace.appId,
  };
}

/** An action in a message. Slack does not send the contents of whispers back. */
export function inMessage(
  workspace: Workspace,
  message: FakeMessage | FakeWhisper,
  channel: FakeChannel | undefined,
): Json {
  const thread = message.threadTs === undefined ? {} : { thread_ts: message.threadTs };
  return {
    container: {
      type: 'message',
      message_ts: message.ts,
      channel_id: message.channel,
      is_ephemeral: isWhisper(message),
      ...thread,
    },
    channel: {
      id: message.channel,
      name: channel === undefined ? message.channel : nameInPayload(channel),
    },
    ...(isWhisper(message) ? {} : { message: asSlackMessage(message, workspace.appId, true) }),
    state: { values: {} },
  };
}

/** An action in a modal or in a Home tab: no channel, and no address to answer to. */
export const inView = (view: View): Json => ({
  container: { type: 'view', view_id: view['id'] },
  view,
});

/** Slash commands come as one flat form. */
export function commandFields(
  workspace: Workspace,
  command: { name: string; text: string; user: FakeUser; channel: FakeChannel },
  ways: { triggerId: string; responseUrl: string },
): Record<string, string> {
  const { name, text, user, channel } = command;
  return {
    team_id: user.teamId ?? workspace.teamId,
    team_domain: 'home',
    channel_id: channel.id,
    channel_name: nameInPayload(channel),
    user_id: user.id,
    user_name: user.name,
    command: name,
    text,
    api_app_id: workspace.appId,
    is_enterprise_install: 'false',
    response_url: ways.responseUrl,
    trigger_id: ways.triggerId,
  };
}
