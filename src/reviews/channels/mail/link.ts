import { createHash, createHmac, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';

/*
 * A mail's link carries 256 random bits; the database keeps their SHA-256 only. The code beside it is short, so what
 * is kept of it is hashed together with the token: from the row alone neither can be found.
 */

const CODE_DIGITS = 8;

/** Hours that a link works; the question itself stays open in the inbox. */
export const LINK_HOURS = 72;
/** After so many wrong codes the link is locked. */
export const MAX_WRONG_CODES = 5;

export const TOKEN_PATTERN = /^[A-Za-z0-9_-]{43}$/;
export const HANDLE_PATTERN = /^[A-Za-z0-9_-]{16}$/;

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/** A new link's secrets; `handle` may be seen by anybody. */
export function newLink(): { handle: string; token: string; code: string } {
  return {
    handle: randomBytes(12).toString('base64url'),
    token: randomBytes(32).toString('base64url'),
    code: String(randomInt(10 ** CODE_DIGITS)).padStart(CODE_DIGITS, '0'),
  };
}

export const tokenHash = (token: string): Buffer => sha256(`link:${token}`);
export const codeHash = (token: string, code: string): Buffer => sha256(`code:${token}:${code}`);

export const isCode = (token: string, code: string, hash: Buffer): boolean =>
  timingSafeEqual(codeHash(token, code), hash);

/** Only who has the token's cookie can make it, so another site's form cannot. */
export const csrfToken = (token: string): string =>
  createHmac('sha256', token).update('csrf').digest('base64url');

export function isCsrfToken(token: string, given: string): boolean {
  const expected = sha256(csrfToken(token));
  return timingSafeEqual(expected, sha256(given));
}

/** What a person typed, without the blanks and dashes that people type. */
export const typedCode = (text: string): string => text.replace(/[\s-]/g, '');
