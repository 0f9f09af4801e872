import {
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebAPIRequestError,
} from '@slack/web-api';
import type { Delivery } from '../../../../outbound/outbox.js';

// Errors under which the same message will never be taken.
const HOPELESS = new Set([
  'invalid_blocks',
  'invalid_blocks_format',
  'msg_blocks_too_long',
  'msg_too_long',
  'no_text',
  'invalid_arguments',
]);

// Slack's own troubles: it may have posted before it stumbled.
const STUMBLED = new Set(['fatal_error', 'internal_error', 'request_timeout', 'service_unavailable']);

/** Slack's own word for what was wrong, or the error's message. */
export function slackErrorCode(error: unknown): string {
  if (error instanceof WebAPIPlatformError) return error.data.error;
  if (error instanceof WebAPIHTTPError) return `http_${error.statusCode}`;
  return error instanceof Error ? error.message : String(error);
}

/** How a failed call to Slack leaves its outbox message. */
export function slackFailure(error: unknown): Delivery {
  if (error instanceof WebAPIRateLimitedError)
    return { kind: 'retry', reason: 'Slack asks to wait', afterSeconds: Math.max(1, error.retryAfter) };
  const reason = slackErrorCode(error);
  if (error instanceof WebAPIPlatformError) {
    if (HOPELESS.has(reason)) return { kind: 'giveUp', reason };
    // The rest an admin can mend (invite the bot, a new token, another channel): tried again for a day and more.
    return { kind: 'retry', reason, ambiguous: STUMBLED.has(reason) };
  }
  if (error instanceof WebAPIHTTPError || error instanceof WebAPIRequestError)
    return { kind: 'retry', reason, ambiguous: true };
  throw error;
}
