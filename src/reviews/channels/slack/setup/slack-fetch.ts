import type { WebClientOptions } from '@slack/web-api';
import { z } from 'zod';

/** Far above a page of two hundred messages with their blocks. */
export const MOST_BYTES = 8 * 1024 * 1024;
/** Longer than that no channel is left to itself, whatever the answer asks for. */
export const MOST_WAIT_SECONDS = 3600;
// Where Slack asks to wait and does not say how long.
const WAIT_SECONDS = 30;

// What the SDK takes for granted; it falls over anything else after it let go of its own error handling.
const Answer = z.looseObject({
  ok: z.boolean(),
  error: z.string().optional(),
  response_metadata: z
    .looseObject({ warnings: z.array(z.string()).optional(), messages: z.array(z.string()).optional() })
    .optional(),
});

/**
 * How the SDK calls Slack. Slack, or whoever answers in its place, may say anything: an answer is read here, within
 * bounds, and what is none becomes an error of the SDK's own like that of a connection that was lost.
 */
export const slackFetch: NonNullable<WebClientOptions['fetch']> = async (url, init) => {
  // oxlint-disable-next-line no-restricted-globals -- as the SDK itself does: the operator says where Slack is
  const answer = await fetch(url, { ...init, redirect: 'error' });
  if (answer.status !== 200) {
    await answer.body?.cancel();
    const headers = answer.status === 429 ? { 'retry-after': String(waitOf(answer)) } : {};
    return new Response(null, { status: answer.status, headers });
  }
  const text = await textOf(answer);
  refuseOdd(text);
  const headers = new Headers({ 'content-type': 'application/json' });
  for (const name of ['x-oauth-scopes', 'x-accepted-oauth-scopes']) {
    const value = answer.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(text, { headers });
};

function waitOf(answer: Response): number {
  const seconds = Number.parseInt(answer.headers.get('retry-after') ?? '', 10);
  if (Number.isNaN(seconds)) return WAIT_SECONDS;
  return Math.min(Math.max(1, seconds), MOST_WAIT_SECONDS);
}

async function textOf(answer: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of answer.body ?? []) {
    size += part.length;
    if (size > MOST_BYTES) throw new Error(`the answer is larger than ${MOST_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** @throws Error for what is no answer of the web API. Nothing of it is repeated: it may be a whole page. */
function refuseOdd(text: string): void {
  let told: unknown;
  try {
    told = JSON.parse(text);
  } catch (error) {
    throw new Error('the answer is no JSON', { cause: error });
  }
  const answer = Answer.safeParse(told);
  if (!answer.success) throw new Error('the answer is none of the Slack API');
  const { ok, error } = answer.data;
  if (!ok && (error === undefined || error === ''))
    throw new Error('the answer says that it failed, and not why');
}
