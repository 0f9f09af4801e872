import { createRequire } from 'node:module';
import type { Logger, LogLevel, WebClient } from '@slack/web-api';
import type { SocketModeClient } from '@slack/socket-mode';
import type { Log } from '../../../../ops/log.js';
import type { KnownSettings } from './known-settings.js';
import { slackFetch } from './slack-fetch.js';

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

/** Where Slack is, with which tokens. */
export interface SlackSettings {
  readonly botToken: string;
  /** Socket Mode is the way in where there is one. */
  readonly appToken?: string | undefined;
  /** By which Slack signs what it posts to our routes; several while one replaces another, none when it posts nothing. */
  readonly signingSecrets: readonly string[];
  /** Where reviews are posted whose queue has no channel of its own: `SlackAccess.channelFor` knows of both. */
  readonly channel?: string | undefined;
  readonly apiUrl: string;
}

/** What a Socket Mode connection needs of them. */
export type SocketSettings = Pick<SlackSettings, 'apiUrl'> & { readonly appToken: string };

/** `undefined` without a bot token, with which everything begins. */
export function slackSettings(known: KnownSettings, apiUrl: string): SlackSettings | undefined {
  const botToken = known.botToken?.value;
  if (botToken === undefined) return undefined;
  return {
    botToken,
    appToken: known.appToken?.value,
    signingSecrets: secretsIn(known.signingSecret?.value ?? ''),
    channel: known.channel?.value,
    apiUrl,
  };
}

/** As the SDK wants it: it appends the method's name. */
const folder = (url: string): string => (url.endsWith('/') ? url : `${url}/`);

/** A comma list. */
export const secretsIn = (text: string): string[] =>
  text
    .split(',')
    .map((secret) => secret.trim())
    .filter((secret) => secret !== '');

/**
 * Slack's web API. It never repeats a call by itself: a repeated chat.postMessage is a second message, and the outbox
 * knows better when to try again.
 */
export const createWebClient = (settings: Pick<SlackSettings, 'botToken' | 'apiUrl'>, log: Log): WebClient =>
  new (webApi().WebClient)(settings.botToken, {
    slackApiUrl: folder(settings.apiUrl),
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout: TIMEOUT_MS,
    fetch: slackFetch,
    allowAbsoluteUrls: false,
    // Above what the outbox sends at once, so that a call that hangs keeps no other waiting.
    maxRequestConcurrency: 32,
    logger: sdkLogger(log),
  });

/** Slack's web API for the app token, which opens connections and nothing else. */
export const createAppClient = (settings: SocketSettings, log: Log): WebClient =>
  createWebClient({ botToken: settings.appToken, apiUrl: settings.apiUrl }, log);

/**
 * One Socket Mode connection. Reconnecting is ours: the SDK's own leaves a rejected promise that nobody handles when
 * Slack cannot be reached, which would end the process.
 */
export const createSocketClient = (settings: SocketSettings, log: Log): SocketModeClient =>
  new (socketMode().SocketModeClient)({
    appToken: settings.appToken,
    autoReconnectEnabled: false,
    clientOptions: {
      slackApiUrl: folder(settings.apiUrl),
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      timeout: TIMEOUT_MS,
      fetch: slackFetch,
      allowAbsoluteUrls: false,
    },
    logger: sdkLogger(log),
  });
