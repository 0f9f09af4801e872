import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Keyring } from '../../../../access/keyring.js';

const PERSON = /^[A-Za-z0-9-]{1,64}$/;

const macOf = (keyring: Pick<Keyring, 'for'>, personId: string): string =>
  createHmac('sha256', keyring.for('links').key).update(`less-mail:${personId}`).digest('base64url');

/** Lets whoever has a mail ask for less of them, and nothing else; none for an address that is nobody's account. */
export const unsubscribeToken = (keyring: Pick<Keyring, 'for'>, personId: string): string | undefined =>
  PERSON.test(personId) ? `${personId}.${macOf(keyring, personId)}` : undefined;

/** @returns the person whose token it is. */
export function personOfToken(keyring: Pick<Keyring, 'for'>, token: string): string | undefined {
  const dot = token.indexOf('.');
  const personId = token.slice(0, dot);
  if (dot === -1 || !PERSON.test(personId)) return undefined;
  const [given, right] = [Buffer.from(token.slice(dot + 1)), Buffer.from(macOf(keyring, personId))];
  return given.length === right.length && timingSafeEqual(given, right) ? personId : undefined;
}
