import { visible } from '../../../../outbound/safe-text.js';

const KNOWN: Readonly<Record<string, string>> = {
  channel_not_found:
    'Check the channel’s id. A private channel is found once the app is invited there: /invite @ the app.',
  not_in_channel: 'Invite the app to the channel: /invite @ the app.',
  is_archived: 'Open the channel again in Slack, or choose another.',
  missing_scope: 'Add the missing scopes under OAuth & Permissions, and install the app again.',
  account_inactive: 'Install the app again, and set its new bot token.',
  token_revoked: 'Install the app again, and set its new bot token.',
  token_expired: 'Install the app again without token rotation, and set its new bot token.',
  invalid_auth: 'Set the bot token that the app shows under OAuth & Permissions.',
  not_authed: 'Set the bot token that the app shows under OAuth & Permissions.',
  no_answer:
    'Slack answers otherwise, and gives no answer to messages there; they are tried again by themselves. Look at Slack’s status page.',
  unreachable: 'Check that this machine may reach Slack; it is tried again by itself.',
};

/** What mends it, for the people who run the service. */
export const remedyOf = (reason: string): string =>
  Object.hasOwn(KNOWN, reason)
    ? (KNOWN[reason] ?? '')
    : `Ask an admin of the workspace whether the app may post there (Slack says: ${visible(reason, 80)}).`;

// Of these Slack tells when they are over; the others show only when something is posted.
const TOLD_BY_SLACK = new Set([
  'channel_not_found',
  'not_in_channel',
  'is_archived',
  'account_inactive',
  'token_revoked',
  'token_expired',
  'invalid_auth',
  'not_authed',
  'missing_scope',
  'unreachable',
]);

/** Whether a look shows that it is over, without posting anything. */
export const canBeLookedAt = (reason: string): boolean => TOLD_BY_SLACK.has(reason);
