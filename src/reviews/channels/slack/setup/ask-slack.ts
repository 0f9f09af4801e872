import { AppError, Conflict, Overloaded, Unavailable } from '../../../../errors.js';
import { visible } from '../../../../outbound/safe-text.js';
import { slackErrorCode } from '../delivery/slack-errors.js';
import { refusedToken } from './token-errors.js';

interface SlackFailure {
  readonly code?: unknown;
  readonly retryAfter?: number;
  readonly data?: { readonly needed?: unknown };
}

/**
 * Does something at Slack for whoever waits for the answer. @throws Overloaded when Slack asks to wait, Conflict when it
 * refuses, Unavailable when it does not answer: each with what to do.
 */
export async function askSlack<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError) throw error;
    const { code, retryAfter, data } = error as SlackFailure;
    const cause = { cause: error };
    if (code === 'slack_webapi_rate_limited_error')
      throw new Overloaded('Slack asks to wait; try again then.', Math.max(1, retryAfter ?? 1), 429, cause);
    const word = visible(slackErrorCode(error), 80);
    if (code !== 'slack_webapi_platform_error')
      throw new Unavailable('Slack', `Slack does not answer (${word}). Try again a little later.`, cause);
    const refusal = refusedToken(error);
    if (refusal !== undefined) throw new Conflict(`The bot token is of no use: ${refusal}`, {}, cause);
    const needed = typeof data?.needed === 'string' ? ` (${visible(data.needed, 100)})` : '';
    throw new Conflict(`Slack refuses: ${word}${needed}. ${remedyOf(word)}`, { slack: word }, cause);
  }
}

export const notSetUp = (): Conflict =>
  new Conflict('Slack is not set up: there is no bot token. Set it first.');

const remedyOf = (word: string): string =>
  word === 'missing_scope'
    ? 'Add the scope under OAuth & Permissions and install the app again.'
    : 'Look at GET /api/v1/slack for what is missing.';
