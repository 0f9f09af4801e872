/*
 * A principal is what S3 calls whoever made a request: text from outside that proves nothing of a person. Whoever takes on a
 * role chooses the session's name, so that it counts as a person's only where an admin says that the role's sessions do.
 */

/** Longest principal, or beginning of one, that is kept. */
export const MAX_PRINCIPAL_LENGTH = 500;
// `AWS:AROAEXAMPLEID:` has more; a shorter beginning would speak for strangers.
const SHORTEST_PREFIX = 8;

/** What STS allows as a session's name. */
const SESSION_NAME = /^[\w+=,.@-]{2,64}$/;
const ROLE_SESSION = /^(?:AWS:)?(AROA[A-Z0-9]{8,124}):(.*)$/;

/** The session's name in `AWS:AROA…:session`; undefined for principals of other kinds. */
export function sessionName(principal: string): string | undefined {
  const name = ROLE_SESSION.exec(principal)?.[2];
  return name !== undefined && SESSION_NAME.test(name) ? name : undefined;
}

/** All that AWS told is the account, or one of its services: of a person nothing. */
export const isAccount = (principal: string): boolean =>
  /^\d{12}$/.test(principal) || /^[a-z0-9.-]{1,100}\.amazonaws\.com(\.cn)?$/.test(principal);

/** What is wrong with a principal, or the beginning of some with a star at its end, that an admin gives. */
export function patternFault(pattern: string): string | undefined {
  if (pattern.length > MAX_PRINCIPAL_LENGTH) return `may have ${MAX_PRINCIPAL_LENGTH} characters`;
  if (!/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(pattern))
    return 'may hold visible ASCII characters alone, without blanks at its ends';
  const star = pattern.indexOf('*');
  if (star === -1) return undefined;
  if (star !== pattern.length - 1) return 'may have one star, at its end';
  return star < SHORTEST_PREFIX
    ? `must have ${SHORTEST_PREFIX} characters before the star, or it would speak for strangers`
    : undefined;
}

/** Whether it is meant; a star stands for one character or more. */
export const matches = (pattern: string, principal: string): boolean =>
  pattern.endsWith('*')
    ? principal.length >= pattern.length && principal.startsWith(pattern.slice(0, -1))
    : principal === pattern;
