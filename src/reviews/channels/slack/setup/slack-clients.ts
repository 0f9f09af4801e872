import { createRequire } from 'node:module';
import type { Logger, LogLevel, WebClient } from '@slack/web-api';
import type { SocketModeClient } from '@slack/socket-mode';
import type { Config } from '../../../../config.js';
import type { Log } from '../../../../ops/log.js';

const TIMEOUT_MS = 10_000;

// Loaded with the first client: a service without Slack does without their twelve megabytes.
const load = createRequire(import.meta.url);
const webApi = () => load('@slack/web-api') as typeof import('@slack/web-api');
const socketMode = () => load('@slack/socket-mode') as typeof import('@slack/socket-mode');

/** The SDK's own messages go to our log; what it says of its inner workings is not worth a line. */
function sdkLogger(log: Log): Logger {
  return {
    debug: () => undefined,
    info: () => undefined,
    warn: (...words) => log.debug({ slack: words.map(String).join(' ') }, 'slack sdk'),
    error: (...words) => log.debug({ slack: words.map(String).join(' ') }, 'slack sdk'),
    setLevel: () => undefined,
    getLevel: (): LogLevel => webApi().LogLevel.ERROR,
    setName: () => undefined,
  };
}

/** Where Slack is, with which tokens; `undefined` when it is not configured. */
export interface SlackSettings {
  readonly botToken: string;
  /** Socket Mode is the way in where there is one. */
  readonly appToken?: string | undefined;
  /** By which Slack signs what it posts to our routes; several while one replaces another, none when it posts nothing. */
  readonly signingSecrets: readonly string[];
  readonly channel: string;
  readonly apiUrl: string;
}

/** What a Socket Mode connection needs of them. */
export type SocketSettings = Pick<SlackSettings, 'apiUrl'> & { readonly appToken: string };

export function slackSettings(config: Config): SlackSettings | undefined {
  const { SLACK_BOT_TOKEN: botToken, SLACK_APP_TOKEN: appToken, SLACK_CHANNEL: channel } = config;
  const signingSecrets = config.SLACK_SIGNING_SECRET;
  if (botToken === undefined || channel === undefined) return undefined;
  if (appToken === undefined && signingSecrets.length === 0) return undefined;
  const apiUrl = config.SLACK_API_URL.endsWith('/') ? config.SLACK_API_URL : `${config.SLACK_API_URL}/`;
  return { botToken, appToken, signingSecrets, channel, apiUrl };
}

/**
 * Slack's web API. It never repeats a call by itself: a repeated chat.postMessage is a second message, and the outbox
 * knows better when to try again.
 */
export const createWebClient = (settings: SlackSettings, log: Log): WebClient =>
  new (webApi().WebClient)(settings.botToken, {
    slackApiUrl: settings.apiUrl,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout: TIMEOUT_MS,
    allowAbsoluteUrls: false,
    maxRequestConcurrency: 4,
    logger: sdkLogger(log),
  });

/**
 * One Socket Mode connection. Reconnecting is ours: the SDK's own leaves a rejected promise that nobody handles when
 * Slack cannot be reached, which would end the process.
 */
export const createSocketClient = (settings: SocketSettings, log: Log): SocketModeClient =>
  new (socketMode().SocketModeClient)({
    appToken: settings.appToken,
    autoReconnectEnabled: false,
    clientOptions: {
      slackApiUrl: settings.apiUrl,
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      timeout: TIMEOUT_MS,
      allowAbsoluteUrls: false,
    },
    logger: sdkLogger(log),
  });
