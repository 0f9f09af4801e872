import type { Log } from '../../../../ops/log.js';
import { visible } from '../../../../outbound/safe-text.js';
import { slackErrorCode } from '../delivery/slack-errors.js';
import { createAppClient, type SocketSettings } from './slack-clients.js';

/** Why Slack opens no Socket Mode connection, and what mends it. */
export interface SocketRefusal {
  readonly reason: string;
  readonly remedy: string;
}

/** Asks Slack for the address of a connection, and opens none. @returns `undefined` when it would open one. */
export async function triesSocket(settings: SocketSettings, log: Log): Promise<SocketRefusal | undefined> {
  try {
    await createAppClient(settings, log).apps.connections.open({});
    return undefined;
  } catch (error) {
    const reason = visible(slackErrorCode(error), 100);
    return { reason, remedy: (Object.hasOwn(REMEDIES, reason) ? REMEDIES[reason] : undefined) ?? ELSE };
  }
}

const ELSE = 'Check that this machine may reach Slack, and try again.';
const NEW_TOKEN =
  'Make an App-Level Token with the scope connections:write under Basic Information, and set it as app token.';
const REMEDIES: Readonly<Record<string, string>> = {
  invalid_auth: NEW_TOKEN,
  not_authed: NEW_TOKEN,
  token_revoked: NEW_TOKEN,
  missing_scope: NEW_TOKEN,
  not_allowed_token_type: NEW_TOKEN,
  forbidden_team: 'The app token is of an app of another workspace. Set the one of this app.',
  socket_mode_not_enabled: 'Turn Socket Mode on for the app.',
};
