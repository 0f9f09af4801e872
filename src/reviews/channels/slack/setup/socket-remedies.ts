const NEW_TOKEN =
  'Make an App-Level Token with the scope connections:write under Basic Information, and set it as app token.';
const KNOWN: Readonly<Record<string, string>> = {
  invalid_auth: NEW_TOKEN,
  not_authed: NEW_TOKEN,
  token_revoked: NEW_TOKEN,
  account_inactive: NEW_TOKEN,
  missing_scope: NEW_TOKEN,
  not_allowed_token_type: NEW_TOKEN,
  forbidden_team: 'The app token is of an app of another workspace. Set the one of this app.',
  socket_mode_not_enabled: 'Turn Socket Mode on for the app.',
};

/** What mends it that Slack opens no Socket Mode connection; `undefined` for what says nothing of the app token. */
export const socketRemedyOf = (reason: string): string | undefined =>
  Object.hasOwn(KNOWN, reason) ? KNOWN[reason] : undefined;

/** What is clicked goes to the app whose message it is, and that is the bot's. Of what Slack does not tell nothing follows. */
export const isOfOtherApp = (connected: string | undefined, bot: string | undefined): boolean =>
  connected !== undefined && bot !== undefined && connected !== bot;

/** What mends it that the connection is of another app than the bot token. */
export const OTHER_APP_REMEDY =
  'Set the bot token and the app token of one and the same app: both stand on its page at api.slack.com/apps.';
