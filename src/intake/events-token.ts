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

/** The token in an Authorization header: `Bearer <token>`, or bare as MinIO sends one of two words. */
export function tokenIn(authorization: string | undefined, expected: string): boolean {
  if (authorization === undefined) return false;
  const given = authorization.trim();
  // Both are always compared, so that the time does not tell which form was meant.
  const bare = isToken(expected, given);
  const bearer = isToken(expected, given.replace(/^Bearer\s+/i, ''));
  return bare || bearer;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
