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

/**
 * 160 random bits for a mail's bounce, of which follow those for its answer. Everybody who is in copy of an answer reads where
 * it went: they must not be able to say that its writer takes no mail.
 */
export const newMailToken = (): string => inLetters(randomBytes(TOKEN_BYTES));

/** What stands in the address for the answer; the database keeps its SHA-256 only. */
export const replyToken = (token: string): string =>
  inLetters(createHash('sha256').update(`reply:${token}`).digest().subarray(0, TOKEN_BYTES));

function inLetters(bytes: Buffer): string {
  let bits = 0n;
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte);
  let text = '';
  for (let index = 0; index < (TOKEN_BYTES * 8) / 5; index++) {
    text = ALPHABET[Number(bits & 31n)] + text;
    bits >>= 5n;
  }
  return text;
}

/** @param token of the answer. */
export const mailTokenHash = (token: string): Buffer => createHash('sha256').update(`mail:${token}`).digest();

/** The addresses of one mail; undefined where no mail comes in. */
export function inboundAddresses(
  { MAIL_IN_ADDRESS: address, MAIL_IN_LISTEN: listen }: Pick<Config, 'MAIL_IN_ADDRESS' | 'MAIL_IN_LISTEN'>,
  token: string,
): { readonly replyTo: string; readonly returnPath: string } | undefined {
  if (address === undefined || listen === undefined) return undefined;
  const [local, domain] = address.split('@');
  return {
    replyTo: `${local}+r.${replyToken(token)}@${domain}`,
    returnPath: `${local}+b.${token}@${domain}`,
  };
}

/** What an address says, where it is one of ours; the token is that of the answer for a bounce, too. */
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
  return kind === 'r' ? { kind: 'reply', token } : { kind: 'bounce', token: replyToken(token) };
}
