import { createHmac, timingSafeEqual } from 'node:crypto';

/** What of a request says that Slack made it. */
export interface SignedRequest {
  /** The header `X-Slack-Signature`, as it came. */
  readonly signature: unknown;
  /** The header `X-Slack-Request-Timestamp`, as it came. */
  readonly timestamp: unknown;
  /** The body's bytes as they came. */
  readonly rawBody: Buffer;
}

/** What is wrong with a request that is not believed. */
export type Disbelief = 'no_secret' | 'no_signature' | 'timestamp' | 'signature';

// In both directions: a request from the future would otherwise be good for as long as somebody likes.
const TOLERANCE_SECONDS = 300;
const SIGNATURE = /^v0=([0-9a-f]{64})$/;
const TIMESTAMP = /^\d{1,12}$/;

/**
 * Whether Slack made a request: HMAC-SHA256 over `v0:timestamp:body` with the app's signing secret.
 *
 * @param secrets any of them may have signed it; without one nothing is believed.
 *
 * @returns what is wrong; `undefined` for a request that is believed.
 */
export function disbelieve(
  { signature, timestamp, rawBody }: SignedRequest,
  secrets: readonly string[],
  nowSeconds: number,
): Disbelief | undefined {
  // An empty secret is one that everybody knows.
  const usable = secrets.filter((secret) => secret !== '');
  if (usable.length === 0) return 'no_secret';
  if (typeof signature !== 'string' || typeof timestamp !== 'string') return 'no_signature';
  if (!TIMESTAMP.test(timestamp) || Math.abs(nowSeconds - Number(timestamp)) > TOLERANCE_SECONDS)
    return 'timestamp';
  const hex = SIGNATURE.exec(signature)?.[1];
  if (hex === undefined) return 'signature';
  const given = Buffer.from(hex, 'hex');
  // All are compared, so that the time does not tell which one it was.
  const fits = usable.map((secret) => timingSafeEqual(given, hmacOf(secret, timestamp, rawBody)));
  return fits.includes(true) ? undefined : 'signature';
}

const hmacOf = (secret: string, timestamp: string, rawBody: Buffer): Buffer =>
  createHmac('sha256', secret).update(`v0:${timestamp}:`).update(rawBody).digest();
