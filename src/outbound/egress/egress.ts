import { lookup as dnsLookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { Agent, request, type Dispatcher } from 'undici';
import { AppError } from '../../errors.js';
import { forbiddenBecause, type AllowedNetwork, type Forbidden } from './addresses.js';

/** The address may not be called; nothing was sent. */
export class EgressRefused extends AppError {
  readonly code = 'EGRESS_REFUSED';
  readonly status = 400;
  constructor(
    readonly reason: Forbidden | 'scheme' | 'credentials' | 'port' | 'redirects' | 'bad_url' | 'not_found',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The answer was larger than the caller wanted. */
export class EgressTooLarge extends AppError {
  readonly code = 'EGRESS_TOO_LARGE';
  readonly status = 502;
}

/** No answer in time, or the connection failed. */
export class EgressFailed extends AppError {
  readonly code = 'EGRESS_FAILED';
  readonly status = 502;
  override readonly retryable = true;
}

export interface EgressRequest {
  readonly url: string;
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Lower-case names. Credentials are dropped when a redirect leaves the host. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Whole time, redirects and body included. */
  readonly timeoutMs: number;
  /** Larger answers are cut off and refused. */
  readonly maxBytes: number;
  /** 0 hands the redirect back as it is. */
  readonly maxRedirects?: number;
}

export interface EgressResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** After redirects. */
  readonly url: string;
}

/** All addresses of a name, as the system resolves them. */
export type Resolve = (hostname: string) => Promise<readonly { address: string; family: number }[]>;

export const systemResolve: Resolve = (hostname) => dnsLookup(hostname, { all: true, verbatim: true });

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const CREDENTIALS = new Set(['authorization', 'cookie', 'proxy-authorization', 'x-api-key']);
// Ports of services that would act on what an HTTP request looks like to them.
const REFUSED_PORTS = new Set([22, 23, 25, 110, 143, 465, 587, 993, 995, 3306, 5432, 6379, 11211]);

/**
 * The only way to call an address that a user, an event or a definition named.
 *
 * A name is resolved once and every address it has is checked; the connection goes to a checked address, so a name that
 * changes its mind between check and connect (DNS rebinding) gains nothing. Redirects are checked like the first URL.
 */
export class Egress {
  constructor(
    private readonly options: {
      readonly allowed?: readonly AllowedNetwork[];
      readonly resolve?: Resolve;
    } = {},
  ) {}

  /** @throws EgressRefused, EgressTooLarge, EgressFailed */
  async fetch(wanted: EgressRequest): Promise<EgressResponse> {
    const signal = AbortSignal.timeout(wanted.timeoutMs);
    let { url, method = 'GET', headers = {}, body } = wanted;
    for (let hop = 0; ; hop++) {
      const target = parseTarget(url);
      const addresses = await this.check(target, signal);
      const answer = await this.once(
        target,
        addresses,
        { ...wanted, method, headers, ...(body && { body }) },
        signal,
      );
      const location = answer.headers['location'];
      if (!REDIRECTS.has(answer.status) || typeof location !== 'string' || (wanted.maxRedirects ?? 0) === 0)
        return { ...answer, url: target.href };
      if (hop >= (wanted.maxRedirects ?? 0))
        throw new EgressRefused('redirects', `${target.origin} redirects more than ${hop} times.`);
      const next = URL.canParse(location, target.href) ? new URL(location, target) : undefined;
      if (next === undefined) throw new EgressRefused('bad_url', `${target.origin} redirects to no address.`);
      if (next.origin !== target.origin) headers = withoutCredentials(headers);
      if (answer.status === 303 || (method === 'POST' && answer.status < 303)) {
        method = method === 'HEAD' ? 'HEAD' : 'GET';
        body = undefined;
      }
      url = next.href;
    }
  }

  private async check(
    target: URL,
    signal: AbortSignal,
  ): Promise<readonly { address: string; family: number }[]> {
    const hostname = target.hostname.replace(/^\[|\]$/g, '');
    const family = isIP(hostname);
    const addresses =
      family === 0 ? await this.resolveName(hostname, signal) : [{ address: hostname, family }];
    for (const { address } of addresses) {
      const reason = forbiddenBecause(address, this.options.allowed);
      // One wrong address among right ones is enough: which one is used must not be left to chance.
      if (reason !== undefined)
        throw new EgressRefused(
          reason,
          `${hostname} may not be called: it is a ${reason.replace('_', ' ')} address.`,
        );
    }
    return addresses;
  }

  private async resolveName(
    hostname: string,
    signal: AbortSignal,
  ): Promise<readonly { address: string; family: number }[]> {
    try {
      const addresses = await Promise.race([
        (this.options.resolve ?? systemResolve)(hostname),
        rejected(signal),
      ]);
      if (addresses.length > 0) return addresses;
    } catch (error) {
      if (signal.aborted) throw new EgressFailed(`${hostname} was not resolved in time.`, { cause: error });
      throw new EgressRefused('not_found', `${hostname} is not known to DNS.`, { cause: error });
    }
    throw new EgressRefused('not_found', `${hostname} has no address.`);
  }

  private async once(
    target: URL,
    addresses: readonly { address: string; family: number }[],
    wanted: EgressRequest,
    signal: AbortSignal,
  ): Promise<Omit<EgressResponse, 'url'>> {
    const agent = new Agent({
      connect: {
        timeout: wanted.timeoutMs,
        // What was checked is what is connected to; nobody is asked again.
        lookup: (_hostname, options, callback) => {
          if (options.all === true) callback(null, [...addresses]);
          else callback(null, addresses[0]?.address ?? '', addresses[0]?.family);
        },
      },
      maxHeaderSize: 32_768,
      pipelining: 0,
    });
    try {
      const answer = await request(target, {
        dispatcher: agent,
        method: wanted.method ?? 'GET',
        headers: { ...wanted.headers },
        body: wanted.body ?? null,
        signal,
      });
      return {
        status: answer.statusCode,
        headers: answer.headers,
        body: await readCapped(answer, wanted.maxBytes, target),
      };
    } catch (error) {
      if (error instanceof AppError) throw error;
      throw new EgressFailed(`${target.origin} did not answer: ${(error as Error).message}`, {
        cause: error,
      });
    } finally {
      // Not closed but destroyed: a body that was cut off would keep the connection waiting.
      await agent.destroy();
    }
  }
}

/** An address that may be called as far as its text tells. @throws EgressRefused */
export function parseTarget(url: string): URL {
  if (!URL.canParse(url)) throw new EgressRefused('bad_url', 'This is not an address.');
  const target = new URL(url);
  if (target.protocol !== 'https:' && target.protocol !== 'http:')
    throw new EgressRefused('scheme', `${target.protocol} addresses are not called; use https.`);
  if (target.username !== '' || target.password !== '')
    throw new EgressRefused('credentials', 'The address holds credentials; send them in a header.');
  if (target.port !== '' && REFUSED_PORTS.has(Number(target.port)))
    throw new EgressRefused('port', `Port ${target.port} is not an HTTP port.`);
  return target;
}

async function readCapped(answer: Dispatcher.ResponseData, maxBytes: number, target: URL): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer.body) {
    const bytes = Buffer.from(chunk as Uint8Array);
    size += bytes.length;
    if (size > maxBytes) throw new EgressTooLarge(`${target.origin} sent more than ${maxBytes} bytes.`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

const withoutCredentials = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !CREDENTIALS.has(name.toLowerCase())));

const rejected = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
