/** A scope of the bot token, and what does not work without it. */
export interface WantedScope {
  readonly scope: string;
  /** Without an optional one everything works that people cannot do without. */
  readonly isOptional: boolean;
  readonly without: string;
  /** The methods and events of Slack for which it is asked. */
  readonly uses: readonly string[];
}

const needed = (scope: string, without: string, ...uses: string[]): WantedScope => ({
  scope,
  isOptional: false,
  without,
  uses,
});
const optional = (scope: string, without: string, ...uses: string[]): WantedScope => ({
  scope,
  isOptional: true,
  without,
  uses,
});

/** What reviews use of Slack, and nothing more: the manifest asks for these. */
export const WANTED_SCOPES: readonly WantedScope[] = [
  needed(
    'chat:write',
    'nothing can be posted',
    'chat.postMessage',
    'chat.update',
    'chat.delete',
    'chat.postEphemeral',
  ),
  needed('im:write', 'nobody is told in a direct message what is given to them', 'conversations.open'),
  needed(
    'users:read',
    'nobody can decide in Slack, since guests, bots and deactivated accounts cannot be told apart',
    'users.info',
    'bots.info',
    'user_change',
  ),
  needed(
    'users:read.email',
    'people cannot be proposed by their address; each links by clicking first',
    'users.lookupByEmail',
  ),
  needed('commands', 'there is no slash command', 'commands'),
  needed(
    'channels:read',
    'channels are chosen by their ids, and whether they can be posted to shows only when it fails',
    'conversations.info',
    'conversations.list',
  ),
  needed(
    'groups:read',
    'private channels are chosen by their ids, and whether they can be posted to shows only when it fails',
    'conversations.info',
    'conversations.list',
  ),
  needed(
    'channels:history',
    'answers in threads of channels do not become comments, and a message whose answer was lost may appear twice',
    'conversations.history',
    'conversations.replies',
    'message.channels',
  ),
  needed(
    'groups:history',
    'the same in private channels',
    'conversations.history',
    'conversations.replies',
    'message.groups',
  ),
  needed(
    'im:history',
    'the same in direct messages',
    'conversations.history',
    'conversations.replies',
    'message.im',
  ),
  optional(
    'chat:write.public',
    'the app must be invited to each channel that reviews are posted to',
    'chat.postMessage',
  ),
  optional('channels:join', 'sallyport slack setup cannot join the channel itself', 'conversations.join'),
];

/** Those that are missing and needed. Slack lists the scopes with each answer; where it did not, none is called missing. */
export const missingScopes = (granted: readonly string[]): string[] =>
  granted.length === 0
    ? []
    : WANTED_SCOPES.filter(({ isOptional, scope }) => !isOptional && !granted.includes(scope)).map(
        ({ scope }) => scope,
      );

/** Methods that take no scope: of the token itself, of views, and of the app-level token. */
export const FREE_METHODS: readonly string[] = [
  'auth.test',
  'apps.connections.open',
  'views.open',
  'views.update',
  'views.push',
  'views.publish',
];

/** What the app is told of the workspace, as the manifest names it. Each has a handler. */
export const WANTED_EVENTS = [
  'app_home_opened',
  'message.channels',
  'message.groups',
  'message.im',
  'user_change',
  'tokens_revoked',
  'app_uninstalled',
] as const;

/** The `type` with which an event of the manifest arrives: all messages come as `message`. */
export const typeOfEvent = (name: string): string => (name.startsWith('message.') ? 'message' : name);
