import { randomBytes } from 'node:crypto';
import { HOME_PROOF_PATH, isHomeProof, type HomeAddress } from '../embedded/home-address.js';
import { visible } from '../outbound/safe-text.js';
import { CommandError } from './command-error.js';
import type { RefusedField } from './field-names.js';
import type { Settings } from './settings.js';

const ANSWER_MS = 30_000;
// On every answer of the service, also on those that it streams.
const API_HEADER = 'sallyport-api';
const SHOWN_ANSWER = 60;
// Far more than any answer of the service has; whatever sends more would fill our memory.
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
// Of what may be anybody: a proof, and an answer that is not the service's.
const MAX_STRANGER_BYTES = 64 * 1024;

/** The service's HTTP API; every failure is a CommandError with the service's own sentence and a remedy. */
export class Client {
  /** Something answered as the service does; what it said may still be none of its answers. */
  hasAnswered = false;

  /** @param reworded says a refusal of fields in the words of the command line. */
  constructor(
    private readonly settings: Settings,
    private readonly reworded: (sentence: string, fields: readonly RefusedField[]) => string,
  ) {}

  /** Without a slash at the end. */
  get url(): string {
    return this.settings.url;
  }

  /**
   * @param accepted statuses beside 2xx whose body is an answer too
   * @param answerMs how long the answer may take, where it waits for something itself
   */
  async call<T>(
    method: string,
    path: string,
    body?: unknown,
    accepted: readonly number[] = [],
    answerMs: number = ANSWER_MS,
  ): Promise<T> {
    const response = await this.send(
      path,
      {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        headers: body === undefined ? {} : { 'content-type': 'application/json' },
      },
      AbortSignal.timeout(answerMs),
    );
    const text = await this.textOf(response);
    if (!response.ok && !accepted.includes(response.status)) throw this.refusal(response, text);
    if (!isOurs(response)) throw new NotOurs(this.url, response.status, text);
    const type = response.headers.get('content-type') ?? '';
    const isJson = type.includes('json');
    // Some answers are one word of plain text, and some are empty; a page is for people.
    if (text !== '' && !isJson && !type.startsWith('text/plain')) {
      throw new NotOurs(this.url, response.status, text);
    }
    this.hasAnswered = true;
    try {
      return (isJson && text !== '' ? JSON.parse(text) : text) as T;
    } catch (error) {
      throw new NotOurs(this.url, response.status, text, { cause: error });
    }
  }

  /** A file, byte for byte as the service keeps it. */
  async file(path: string): Promise<Buffer> {
    const response = await this.send(path, {}, AbortSignal.timeout(ANSWER_MS));
    if (!response.ok) throw this.refusal(response, await this.textOf(response));
    if (!isOurs(response)) throw new NotOurs(this.url, response.status, await this.textOf(response));
    return this.bytesOf(response, MAX_ANSWER_BYTES);
  }

  /** A file that may be larger than our memory, as it comes. It may take its time, and must not stand still. */
  async download(path: string): Promise<AsyncIterable<Uint8Array>> {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(new Error('nothing came for 30 s')), ANSWER_MS);
    try {
      const response = await this.send(path, {}, silence.signal);
      if (!response.ok) throw this.refusal(response, await this.textOf(response));
      if (!isOurs(response) || response.body === null) throw new NotOurs(this.url, response.status, '');
      return this.chunksOf(response.body, timer);
    } catch (error) {
      clearTimeout(timer);
      throw error;
    }
  }

  private async *chunksOf(
    body: AsyncIterable<Uint8Array>,
    timer: NodeJS.Timeout,
  ): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of body) {
        timer.refresh();
        yield chunk;
      }
    } catch (error) {
      throw new CutOff(this.settings.url, error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The body of an event stream. */
  async stream(
    path: string,
    lastEventId: string | undefined,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>> {
    const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
    const response = await this.send(path, { headers: { accept: 'text/event-stream', ...headers } }, signal);
    if (!response.ok || response.body === null) throw this.refusal(response, await this.textOf(response));
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
    if (!isOurs(response) || !isStream) {
      await response.body.cancel();
      throw new NotOurs(this.url, response.status, '');
    }
    this.hasAnswered = true;
    return response.body;
  }

  private async textOf(response: Response): Promise<string> {
    const bytes = isOurs(response)
      ? await this.bytesOf(response, MAX_ANSWER_BYTES)
      : await this.beginningOf(response, MAX_STRANGER_BYTES);
    return bytes.toString('utf8');
  }

  private async bytesOf(response: Response, limit: number): Promise<Buffer> {
    const bytes = await this.beginningOf(response, limit + 1);
    if (bytes.length > limit) throw new TooLong(this.url, limit);
    return bytes;
  }

  /** Not more than `limit` bytes; the rest is not received. */
  private async beginningOf({ body }: Response, limit: number): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    try {
      // Leaving the loop gives the connection up.
      for await (const chunk of body ?? []) {
        chunks.push(chunk);
        length += chunk.length;
        if (length >= limit) break;
      }
    } catch (error) {
      throw new CutOff(this.settings.url, error);
    }
    return Buffer.concat(chunks).subarray(0, limit);
  }

  private async send(path: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
    const { authorization, own, needsProof } = this.settings;
    const headers = new Headers(init.headers);
    if (authorization !== undefined) headers.set('authorization', authorization);
    // Each time: the port may have passed to another program since the last answer.
    if (needsProof && own !== undefined) await this.prove(own, signal);
    return this.fetch(path, { ...init, headers, signal });
  }

  /** The service of the home shows that it is that, and hears of the key only then. */
  private async prove(own: HomeAddress, signal: AbortSignal): Promise<void> {
    const nonce = randomBytes(24).toString('base64url');
    const inTime = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
    const response = await this.fetch(`${HOME_PROOF_PATH}?nonce=${nonce}`, { signal: inTime });
    const text = (await this.beginningOf(response, MAX_STRANGER_BYTES)).toString('utf8');
    if (response.status === 503) throw this.refusal(response, text);
    const { proof } = fieldsIn(text);
    if (response.ok && typeof proof === 'string' && isHomeProof(own, nonce, proof)) return;
    const { home } = this.settings;
    throw new CommandError(
      `What answers at ${this.url} is not the service of ${home}, so no key was sent there. Start that service, or set SALLYPORT_URL and SALLYPORT_API_KEY.`,
    );
  }

  private async fetch(path: string, init: RequestInit): Promise<Response> {
    try {
      // A redirect would carry the key to somebody else.
      return await fetch(this.url + path, { ...init, redirect: 'error' });
    } catch (error) {
      throw new Unreachable(this.url, error);
    }
  }

  private refusal(response: Response, text: string): CommandError {
    const { status } = response;
    if (!isOurs(response) && status < 500) return new NotOurs(this.url, status, text);
    if (status === 401) {
      return new CommandError(this.wantsKey());
    }
    const retryAfter = response.headers.get('retry-after');
    const later = retryAfter === null ? '' : ` Try again in ${retryAfter} s.`;
    return new (status === 429 || status >= 500 ? Busy : Refused)(`${this.sentenceOf(text, status)}${later}`);
  }

  private wantsKey(): string {
    const { url, authorization, home, own } = this.settings;
    if (authorization !== undefined) {
      return `The key is not accepted by ${url}. Check SALLYPORT_API_KEY and SALLYPORT_URL.`;
    }
    const other =
      own === undefined
        ? 'or run this in the folder where the service keeps .sallyport'
        : `for the key in ${home} is sent only to the service of that folder, at ${own.url}`;
    return `${url} wants a key. Set SALLYPORT_API_KEY=keyId:keySecret, ${other}.`;
  }

  private sentenceOf(text: string, status: number): string {
    const { detail, message, errors, validationErrors } = fieldsIn(text) as RefusalBody;
    const said = detail ?? message;
    if (said === undefined)
      return `${this.url} answered ${status}. Check SALLYPORT_URL, and what stands between.`;
    return this.reworded(said, errors ?? validationErrors ?? []);
  }
}

/** What may be over in a moment; a stream tries again. */
export class Passing extends CommandError {}

/** The service cannot be reached now. */
class Unreachable extends Passing {
  constructor(url: string, cause: unknown) {
    super(`${url} does not answer (${whyOf(cause)}). Start the service there, or set SALLYPORT_URL.`, {
      cause,
    });
  }
}

/** The service began to answer and did not come to the end. */
class CutOff extends Passing {
  constructor(url: string, cause: unknown) {
    const remedy = 'What was asked for may have been done; look, or try again.';
    super(`The connection to ${url} was cut in the middle of the answer (${whyOf(cause)}). ${remedy}`, {
      cause,
    });
  }
}

/** What answers does not come to an end, as far as we wait for one. */
class TooLong extends CommandError {
  constructor(url: string, limit: number) {
    super(
      `${url} answered with more than ${limit / 1024 / 1024} MB, which Sallyport does not. Is that Sallyport? ${checkUrl(url)}`,
    );
  }
}

/** Something answers, and it is not the service. */
class NotOurs extends CommandError {
  constructor(url: string, status: number, text: string, options?: ErrorOptions) {
    const shown = text.trim() === '' ? '' : `: ${visible(text.trim().slice(0, 1_000), SHOWN_ANSWER)}`;
    super(
      `${url} answered what Sallyport does not (${status}${shown}). Is that Sallyport? ${checkUrl(url)}`,
      options,
    );
  }
}

/** The service understands the question, and the command does not understand the answer. */
export class NotUnderstood extends CommandError {
  constructor(url: string, cause: Error) {
    super(
      `${url} answered what this command cannot read (${cause.message}). Is that Sallyport, of this version? ${checkUrl(url)}`,
      { cause },
    );
  }
}

/** An address copied from the browser names a page. */
function checkUrl(url: string): string {
  const { pathname } = new URL(url);
  return pathname === '/'
    ? 'Check SALLYPORT_URL.'
    : `Check SALLYPORT_URL: the path ${pathname} may be too much.`;
}

const isOurs = ({ headers }: Response): boolean => headers.has(API_HEADER);

/** The service understood and says no, in its own sentence. */
export class Refused extends CommandError {}

/** The service is there and cannot answer now. */
export class Busy extends Passing {}

function whyOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message !== '' ? cause.message : message;
}

/** The service's own error body, under Conductor's paths in Conductor's shape. */
interface RefusalBody {
  readonly detail?: string;
  readonly message?: string;
  readonly errors?: readonly RefusedField[];
  readonly validationErrors?: readonly RefusedField[];
}

function fieldsIn(text: string): Readonly<Record<string, unknown>> {
  try {
    return (JSON.parse(text) as Record<string, unknown> | null) ?? {};
  } catch {
    // Not the service's own answer: a proxy in between, most likely.
    return {};
  }
}
