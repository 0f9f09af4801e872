import { createHmac } from 'node:crypto';
import { ACK_WITHIN_MS, NotDelivered, type Delivery, type Retry } from './delivery.js';
import type { Json } from './refusal.js';

/** Where the service takes what Slack sends. */
export interface HttpTargets {
  readonly interactionsUrl: string;
  readonly commandsUrl: string;
  readonly eventsUrl: string;
}

/** The headers that prove that a body comes from Slack. @param at in seconds. */
export function signatureOf(secret: string, at: number, body: string): Record<string, string> {
  const mac = createHmac('sha256', secret).update(`v0:${at}:${body}`).digest('hex');
  return { 'x-slack-request-timestamp': String(at), 'x-slack-signature': `v0=${mac}` };
}

/** Interactions, commands and events as signed POST requests. */
export class SignedHttp implements Delivery {
  ackWithinMs = ACK_WITHIN_MS;

  constructor(
    private readonly targets: HttpTargets,
    private readonly secret: () => string,
    private readonly now: () => number,
  ) {}

  interaction(payload: Json): Promise<Json> {
    const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
    return this.post(this.targets.interactionsUrl, body, 'application/x-www-form-urlencoded');
  }

  command(fields: Readonly<Record<string, string>>): Promise<Json> {
    const body = new URLSearchParams(fields).toString();
    return this.post(this.targets.commandsUrl, body, 'application/x-www-form-urlencoded');
  }

  event(payload: Json, retry: Retry | undefined): Promise<Json> {
    const headers: Record<string, string> =
      retry === undefined
        ? {}
        : { 'x-slack-retry-num': String(retry.attempt), 'x-slack-retry-reason': retry.reason };
    return this.post(this.targets.eventsUrl, JSON.stringify(payload), 'application/json', headers);
  }

  private async post(
    url: string,
    body: string,
    type: string,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Json> {
    const headers = {
      'content-type': type,
      'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
      ...signatureOf(this.secret(), Math.floor(this.now() / 1000), body),
      ...more,
    };
    const signal = AbortSignal.timeout(this.ackWithinMs);
    const response = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' }).catch(
      (error: unknown) => {
        if (signal.aborted)
          throw new NotDelivered('http_timeout', `not acknowledged within ${this.ackWithinMs / 1000} s`);
        throw new NotDelivered('connection_failed', `${url} cannot be reached: ${String(error)}`);
      },
    );
    const text = await response.text();
    if (response.status !== 200) {
      const isFinal = response.headers.get('x-slack-no-retry') === '1';
      const said = text.slice(0, 200);
      throw new NotDelivered('http_error', `${url} answered ${response.status}: ${said}`, isFinal);
    }
    return read(text);
  }
}

/** What stands in an acknowledgement: nothing, JSON, or text that is to be shown. */
function read(text: string): Json {
  if (text === '') return {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) return parsed as Json;
  } catch {
    // Plain text then.
  }
  return { text };
}
