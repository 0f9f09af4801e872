import type { FakeCall } from './http-front.js';
import { mrkdwnIn } from './reading.js';

/*
 * Slack looks for addresses and names by itself in what it shows, unless it is told to take it literally: `verbatim` at
 * each text in its format, and `parse` and `link_names` at each message. A name that was escaped is safe without them
 * as well; they are the second lock, of which no screen tells whether it is shut.
 */

const MESSAGES = new Set(['chat.postMessage', 'chat.update', 'chat.postEphemeral']);

/** What of a message or view Slack would read by itself; empty where all is literal. */
export const looseTexts = (shown: unknown): string[] =>
  mrkdwnIn(shown)
    .filter(({ verbatim }) => verbatim !== true)
    .map(({ text }) => `not verbatim: ${String(text).slice(0, 80)}`);

/** The same of all that the app called; each with its method. */
export const looseCalls = (calls: readonly FakeCall[]): string[] =>
  calls.flatMap(({ method, args }) => {
    const found = ['blocks', 'view'].flatMap((name) => looseTexts(JSON.parse(args[name] ?? 'null')));
    if (MESSAGES.has(method)) {
      if (args['parse'] !== 'none') found.push(`parse is ${String(args['parse'])}`);
      if (args['link_names'] !== 'false') found.push(`link_names is ${String(args['link_names'])}`);
    }
    return found.map((what) => `${method}: ${what}`);
  });
