import { Injectable } from '@nestjs/common';
import { Clock } from '../../clock.js';
import { Overloaded, Unavailable } from '../../errors.js';
import { Egress } from '../../outbound/egress/egress.js';

/** Where the certificates come from with which SNS signs. */
export abstract class SnsCertificates {
  /**
   * @param url checked already: it leads to SNS.
   * @returns what is there, in PEM. @throws Unavailable, Overloaded
   */
  abstract fetch(url: string): Promise<string>;
}

const TIMEOUT_MS = 5_000;
const MAX_BYTES = 32_768;
// SNS signs with one certificate for months.
const KEEP_MS = 24 * 3_600_000;
const MAX_KEPT = 32;
/*
 * Anybody may post a message that names another certificate of SNS's host, before the signature tells that it is forged.
 * So few are fetched that nobody is bothered; those that are known go on working.
 */
const MAX_PER_MINUTE = 10;

/** From SNS's own host, over TLS that is verified as any other; each kept for a day. */
@Injectable()
export class FetchedCertificates extends SnsCertificates {
  private readonly kept = new Map<string, { readonly pem: string; readonly at: number }>();
  private readonly underWay = new Map<string, Promise<string>>();
  private minute = { from: 0, fetches: 0 };

  constructor(
    private readonly egress: Egress,
    private readonly clock: Clock,
  ) {
    super();
  }

  async fetch(url: string): Promise<string> {
    const known = this.kept.get(url);
    if (known !== undefined && this.clock.now() - known.at < KEEP_MS) return known.pem;
    const already = this.underWay.get(url);
    if (already !== undefined) return already;
    this.spend();
    const fetching = this.load(url).finally(() => this.underWay.delete(url));
    this.underWay.set(url, fetching);
    return fetching;
  }

  private spend(): void {
    const now = this.clock.now();
    if (now - this.minute.from >= 60_000) this.minute = { from: now, fetches: 0 };
    if (this.minute.fetches >= MAX_PER_MINUTE) {
      throw new Overloaded('Too many certificates were asked for; send the message again later.', 60, 503);
    }
    this.minute.fetches += 1;
  }

  private async load(url: string): Promise<string> {
    const pem = await this.get(url);
    if (this.kept.size >= MAX_KEPT) {
      const [oldest] = this.kept.keys();
      if (oldest !== undefined) this.kept.delete(oldest);
    }
    this.kept.set(url, { pem, at: this.clock.now() });
    return pem;
  }

  private async get(url: string): Promise<string> {
    try {
      const answer = await this.egress.fetch({
        url,
        timeoutMs: TIMEOUT_MS,
        maxBytes: MAX_BYTES,
        maxRedirects: 0,
      });
      if (answer.status === 200) return answer.body.toString('latin1');
      throw new Error(`it answered ${answer.status}`);
    } catch (error) {
      // 503, so that SNS delivers the message again: a refusal would be for good.
      const { message } = error as Error;
      throw new Unavailable('sns', `The certificate of SNS could not be fetched: ${message}`, {
        cause: error,
      });
    }
  }
}
