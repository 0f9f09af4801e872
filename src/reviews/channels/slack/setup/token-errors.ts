import { slackErrorCode } from '../delivery/slack-errors.js';

/** Slack's words for a token that is of no use, and what to do. Everything else says nothing about the token. */
const REFUSALS: Readonly<Record<string, string>> = {
  invalid_auth: 'Slack does not know this token. Copy it again from OAuth & Permissions.',
  not_authed: 'Slack does not know this token. Copy it again from OAuth & Permissions.',
  account_inactive: 'the app was removed from the workspace, or its user was deactivated. Install it again.',
  token_revoked: 'this token was revoked. Install the app again and copy the new one.',
  token_expired:
    'this token expired: token rotation is on for the app. Make an app from our manifest, which leaves it off.',
  org_login_required: 'the workspace is moving to another organisation. Try again when that is over.',
  team_access_not_granted: 'the token is not allowed in this workspace. Install the app there.',
  team_added_to_org: 'the workspace is moving to an organisation. Try again when that is over.',
};

/** Why a token is of no use; `undefined` when the error says nothing of the token. */
export const refusedToken = (error: unknown): string | undefined => {
  const word = slackErrorCode(error);
  return Object.hasOwn(REFUSALS, word) ? REFUSALS[word] : undefined;
};
