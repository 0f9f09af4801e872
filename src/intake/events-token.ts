import { createHash, timingSafeEqual } from 'node:crypto';

/** The secret that event sources present; from EVENTS_TOKEN, or generated and kept where the service keeps its keys. */
export abstract class EventsToken {
  /** At least 16 characters. Never logged, never in an answer. */
  abstract value(): string;
}

/** Whether what came is the token, in a time that does not tell how much of it is right. */
export function isToken(expected: string, given: string | undefined): boolean {
  if (given === undefined || expected === '') return false;
  return timingSafeEqual(digest(expected), digest(given));
}

/** What an Authorization header may hold: `Bearer <token>`, or the token bare, as MinIO sends one of two words. */
export function tokensIn(authorization: string | undefined): readonly string[] {
  if (authorization === undefined) return [];
  const given = authorization.trim();
  return [given, given.replace(/^Bearer\s+/i, '')];
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
