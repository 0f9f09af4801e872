import { z } from 'zod';
import { InvalidInput } from '../../../../errors.js';
import { WANTED_EVENTS, WANTED_SCOPES } from './scopes.js';

/** Where Slack posts to without Socket Mode, below PUBLIC_URL. */
export const SLACK_PATHS = {
  interactions: '/slack/interactions',
  commands: '/slack/commands',
  events: '/slack/events',
} as const;

export const DEFAULT_COMMAND = '/sallyport';

/** How the app is to be. The limits are Slack's. */
export const ManifestWish = z.object({
  transport: z
    .enum(['socket', 'http'])
    .default('socket')
    .describe('`socket` works behind a firewall; `http` needs an https address that Slack reaches.'),
  name: z
    .string()
    .trim()
    .min(1)
    .max(35)
    .regex(/^[\p{L}\p{N} ._-]+$/u, 'may hold letters, digits, spaces, . _ and -')
    .default('Sallyport'),
  command: z
    .string()
    .regex(/^\/[a-z0-9_-]{1,31}$/, 'must be as /sallyport: a slash, then up to 31 of a-z, 0-9, _ and -')
    .default(DEFAULT_COMMAND),
});
export type ManifestWish = z.infer<typeof ManifestWish>;

/**
 * The manifest from which a site makes its own Slack app: every scope and event that the code uses, and no others. An app
 * of one's own has no limits for what is sold in Slack's marketplace, and its tokens never leave this service.
 *
 * @throws InvalidInput for `http` where PUBLIC_URL is nothing that Slack can post to.
 */
export function appManifest({ transport, name, command }: ManifestWish, publicUrl: string) {
  const isHttp = transport === 'http';
  if (isHttp && !publicUrl.startsWith('https://'))
    throw InvalidInput.field(
      'transport',
      `http needs PUBLIC_URL to be an https address that Slack reaches; it is ${publicUrl}. Set it, or use socket.`,
    );
  const postTo = (path: string) => (isHttp ? { request_url: `${publicUrl}${path}` } : {});
  const scopes = (isOptional: boolean): string[] =>
    WANTED_SCOPES.filter((wanted) => wanted.isOptional === isOptional).map(({ scope }) => scope);
  return {
    _metadata: { major_version: 1, minor_version: 1 },
    display_information: {
      name,
      description: 'Asks people about what was found in uploads, and takes their decisions.',
      background_color: '#1f2933',
    },
    features: {
      app_home: {
        home_tab_enabled: true,
        messages_tab_enabled: true,
        // Answers in the threads of direct messages become comments.
        messages_tab_read_only_enabled: false,
      },
      bot_user: { display_name: botName(name), always_online: true },
      slash_commands: [
        {
          command,
          ...(isHttp && { url: `${publicUrl}${SLACK_PATHS.commands}` }),
          description: 'Reviews that wait for you: list, show, claim and decide them',
          usage_hint: 'list | mine | show ID | claim ID | help',
          should_escape: false,
        },
      ],
    },
    oauth_config: {
      scopes: {
        // Slack wants the optional ones in both lists.
        bot: [...scopes(false), ...scopes(true)],
        bot_optional: scopes(true),
      },
    },
    settings: {
      event_subscriptions: { ...postTo(SLACK_PATHS.events), bot_events: [...WANTED_EVENTS] },
      interactivity: { is_enabled: true, ...postTo(SLACK_PATHS.interactions) },
      org_deploy_enabled: false,
      socket_mode_enabled: !isHttp,
      // A token that lives twelve hours would have to be renewed by one node at a time; one workspace's own app needs none.
      token_rotation_enabled: false,
    },
  };
}
export type AppManifest = ReturnType<typeof appManifest>;

/** Slack takes a-z, 0-9, `-`, `_` and `.` there. */
const botName = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '') || 'sallyport';
