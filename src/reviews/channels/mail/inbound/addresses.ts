import { createHash, randomBytes } from 'node:crypto';
import type { Config } from '../../../../config.js';

/*
 * Each mail has addresses of its own for its answer and for its bounce: reviews+r.TOKEN@… and reviews+b.TOKEN@….
 * Servers on the way may change the case of a local part, so a token is of lower-case letters and digits.
 */

const TOKEN_BYTES = 20;
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const TOKEN = /^[a-z2-7]{32}$/;

/** What came in: an answer of a person, or the report of a mail server. */
export type InboundKind = 'reply' | 'bounce';

/** 160 random bits, as a mail's addresses carry them; the database keeps their SHA-256 only. */
export function newMailToken(): string {
  let bits = 0n;
  for (const byte of randomBytes(TOKEN_BYTES)) bits = (bits << 8n) | BigInt(byte);
  let text = '';
  for (let index = 0; index < (TOKEN_BYTES * 8) / 5; index++) {
    text = ALPHABET[Number(bits & 31n)] + text;
    bits >>= 5n;
  }
  return text;
}

export const mailTokenHash = (token: string): Buffer => createHash('sha256').update(`mail:${token}`).digest();

/** The addresses of one mail; undefined where no mail comes in. */
export function inboundAddresses(
  { MAIL_IN_ADDRESS: address, MAIL_IN_LISTEN: listen }: Pick<Config, 'MAIL_IN_ADDRESS' | 'MAIL_IN_LISTEN'>,
  token: string,
): { readonly replyTo: string; readonly returnPath: string } | undefined {
  if (address === undefined || listen === undefined) return undefined;
  const [local, domain] = address.split('@');
  return { replyTo: `${local}+r.${token}@${domain}`, returnPath: `${local}+b.${token}@${domain}` };
}

/** What an address says, where it is one of ours. */
export function readInboundAddress(
  own: string,
  given: string,
): { readonly kind: InboundKind; readonly token: string } | undefined {
  const [local, domain] = own.split('@');
  const at = given.lastIndexOf('@');
  if (given.slice(at + 1).toLowerCase() !== domain) return undefined;
  const [name, tag = ''] = given.slice(0, at).toLowerCase().split('+', 2);
  if (name !== local) return undefined;
  const [kind, token = ''] = tag.split('.', 2);
  if (!TOKEN.test(token) || (kind !== 'r' && kind !== 'b')) return undefined;
  return { kind: kind === 'r' ? 'reply' : 'bounce', token };
}
