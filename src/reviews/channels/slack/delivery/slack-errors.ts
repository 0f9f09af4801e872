import type {
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebAPIRequestError,
} from '@slack/web-api';
import { visible } from '../../../../outbound/safe-text.js';
import { MOST_WAIT_SECONDS } from '../setup/slack-fetch.js';

/** What a failed call to Slack means for what was to be said. */
export type SlackTrouble =
  /** Not now: Slack asked to wait. */
  | { readonly kind: 'wait'; readonly seconds: number; readonly reason: string }
  /** Nothing was tried: others come first. */
  | { readonly kind: 'turn'; readonly seconds: number; readonly reason: string }
  /** The answer was lost, or Slack stumbled: it may have arrived. */
  | { readonly kind: 'unsure'; readonly reason: string }
  /** Slack will never take this content. */
  | { readonly kind: 'unfit'; readonly reason: string }
  /** The message is not there (any more), or not ours to change. */
  | { readonly kind: 'gone'; readonly reason: string }
  /** That account cannot be written to. */
  | { readonly kind: 'unreachable'; readonly reason: string }
  | { readonly kind: 'channel'; readonly reason: string }
  | { readonly kind: 'workspace'; readonly reason: string }
  /** Whatever else: nothing was done. */
  | { readonly kind: 'again'; readonly reason: string };

const UNFIT = new Set([
  'invalid_blocks',
  'invalid_blocks_format',
  'msg_blocks_too_long',
  'msg_too_long',
  'no_text',
  'invalid_arguments',
  'invalid_metadata_format',
  'metadata_too_large',
]);

// Slack's own troubles: it may have posted before it stumbled.
const STUMBLED = new Set([
  'fatal_error',
  'internal_error',
  'request_timeout',
  'service_unavailable',
  'team_added_to_org',
]);

const GONE = new Set([
  'message_not_found',
  'cant_update_message',
  'cant_delete_message',
  'edit_window_closed',
  'thread_not_found',
  'cannot_reply_to_message',
]);

const UNREACHABLE = new Set([
  'user_not_found',
  'users_not_found',
  'user_disabled',
  'user_not_visible',
  'users_list_not_supplied',
  'cannot_dm_bot',
  'messages_tab_disabled',
]);

// What an admin of the workspace mends: invites the app, opens the channel again, names another.
const OF_CHANNEL = new Set([
  'channel_not_found',
  'is_archived',
  'not_in_channel',
  'channel_is_limited_access',
  'is_inactive',
  'restricted_action',
  'restricted_action_read_only_channel',
  'restricted_action_non_threadable_channel',
  'restricted_action_thread_only_channel',
  'mpim_not_supported',
  // Of a channel that the app is no member of, or that it may not use.
  'no_permission',
  'access_denied',
]);

// The token, and with it everything.
const OF_WORKSPACE = new Set([
  'invalid_auth',
  'not_authed',
  'account_inactive',
  'token_revoked',
  'token_expired',
  'missing_scope',
  'org_login_required',
  'ekm_access_denied',
  'enterprise_is_restricted',
  'not_allowed_token_type',
  'team_access_not_granted',
]);

type SdkError = WebAPIHTTPError | WebAPIPlatformError | WebAPIRateLimitedError | WebAPIRequestError;

// By their codes: their classes would load the SDK into a service without Slack.
const SDK_CODES: ReadonlySet<unknown> = new Set([
  'slack_webapi_http_error',
  'slack_webapi_platform_error',
  'slack_webapi_rate_limited_error',
  'slack_webapi_request_error',
]);

const isOfSdk = (error: unknown): error is SdkError =>
  error instanceof Error && SDK_CODES.has((error as { readonly code?: unknown }).code);

/** Slack said yes, and left out what we asked for: nobody knows whether it was done. */
export class SlackAnswerError extends Error {
  override readonly name = 'SlackAnswerError';
}

// Slack's words are short; whatever answers in its place may say a whole page.
const MOST_CHARACTERS = 200;

/** Slack's own word for what was wrong, or the error's message: one line, and a short one. */
export const slackErrorCode = (error: unknown): string =>
  visible(wordOf(error).slice(0, 4 * MOST_CHARACTERS), MOST_CHARACTERS);

function wordOf(error: unknown): string {
  const said = isOfSdk(error) ? wordOfSdk(error) : undefined;
  const word: unknown = said ?? (error instanceof Error ? error.message : error);
  return typeof word === 'string' && word !== '' ? word : 'unknown error';
}

function wordOfSdk(error: SdkError): string | undefined {
  if ('data' in error) return platformWord(error);
  return 'statusCode' in error ? `http_${error.statusCode}` : undefined;
}

/** `undefined` when there is none: the SDK hands on whatever the answer held. */
function platformWord({ data }: WebAPIPlatformError): string | undefined {
  const { error } = data as { readonly error?: unknown };
  return typeof error === 'string' && error !== '' ? error : undefined;
}

const waits = (seconds: number): SlackTrouble => ({
  kind: 'wait',
  seconds: Math.min(Math.max(1, seconds), MOST_WAIT_SECONDS),
  reason: 'Slack asks to wait',
});

/** @throws the error itself when Slack has nothing to do with it. */
export function troubleOf(error: unknown): SlackTrouble {
  if (error instanceof SlackAnswerError) return { kind: 'unsure', reason: slackErrorCode(error) };
  if (!isOfSdk(error)) throw error;
  if ('retryAfter' in error) return waits(error.retryAfter);
  const reason = slackErrorCode(error);
  if (!('data' in error) || platformWord(error) === undefined) return { kind: 'unsure', reason };
  if (reason === 'ratelimited' || reason === 'rate_limited' || reason === 'message_limit_exceeded')
    return waits(30);
  if (STUMBLED.has(reason)) return { kind: 'unsure', reason };
  if (UNFIT.has(reason)) return { kind: 'unfit', reason };
  if (GONE.has(reason)) return { kind: 'gone', reason };
  if (UNREACHABLE.has(reason)) return { kind: 'unreachable', reason };
  if (OF_CHANNEL.has(reason)) return { kind: 'channel', reason };
  if (OF_WORKSPACE.has(reason)) return { kind: 'workspace', reason };
  return { kind: 'again', reason };
}
