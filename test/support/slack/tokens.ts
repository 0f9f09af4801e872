import { randomBytes } from 'node:crypto';

/** What a manifest for everything that the service can do in Slack asks for. */
export const ALL_SCOPES = [
  'chat:write',
  'chat:write.public',
  'im:write',
  'users:read',
  'users:read.email',
  'commands',
  'channels:read',
  'groups:read',
  'channels:history',
  'groups:history',
  'im:history',
  'files:write',
  'usergroups:read',
] as const;

/** Tokens to start with; those that are left out are made. */
export interface TokenSeed {
  readonly botToken?: string | undefined;
  readonly appToken?: string | undefined;
  readonly signingSecret?: string | undefined;
}

/** The secrets between the workspace and the app. Made at run time, so that none stands in a file. */
export class Tokens {
  readonly bot: string;
  readonly app: string;
  signingSecret: string;
  /** Of the bot token. */
  scopes: string[] = [...ALL_SCOPES];
  /** Of the app-level token. */
  appScopes: string[] = ['connections:write'];
  /** Why the bot token does not work any more. */
  refusal: 'token_revoked' | 'account_inactive' | 'token_expired' | undefined;

  constructor(seed: TokenSeed = {}) {
    this.bot = seed.botToken ?? `xoxb-${randomBytes(12).toString('hex')}`;
    this.app = seed.appToken ?? `xapp-${randomBytes(12).toString('hex')}`;
    this.signingSecret = seed.signingSecret ?? randomBytes(16).toString('hex');
  }
}
