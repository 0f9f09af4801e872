import { displayed, Email } from '../names.js';
import { SignInRefused } from './sign-in-refused.js';

/** Which claims say what, as the settings name them. */
export interface ClaimNames {
  readonly login: string;
  readonly email: string;
  readonly emailVerified: string;
  readonly groups: string;
}

/** Who the provider says that somebody is. */
export interface Identified {
  readonly issuer: string;
  readonly subject: string;
  readonly login: string;
  readonly displayName: string | null;
  /** Only as far as the provider vouches for it. */
  readonly email: string | null;
  /** An address that it names and does not vouch for. */
  readonly unverifiedEmail: string | null;
  /** Of the provider; none where it says nothing of groups. */
  readonly groups: readonly string[];
}

type Claims = Readonly<Record<string, unknown>>;

const Login = displayed(100);
const DisplayName = displayed(200);
// More would be no groups of people any more; ids of groups are shorter than this.
const MAX_GROUPS = 2_000;
const MAX_GROUP_LENGTH = 500;
const MAX_SUBJECT_LENGTH = 255;

/** @throws SignInRefused when there is no subject, or no login that can be used. */
export function identified(issuer: string, claims: Claims, names: ClaimNames): Identified {
  const { sub: subject } = claims;
  if (typeof subject !== 'string' || !isSubject(subject))
    throw new SignInRefused('unusable', 'The provider names nobody: the claim sub is missing or no text.');
  const login = Login.safeParse(claimOf(claims, names.login));
  if (!login.success) {
    const why = login.error.issues[0]?.message ?? 'is missing';
    throw new SignInRefused('unusable', `The claim ${names.login} is no login that can be used: ${why}.`);
  }
  const address = Email.safeParse(claimOf(claims, names.email));
  const email = address.success ? address.data : null;
  const vouched = claimOf(claims, names.emailVerified);
  // Some providers write it as text.
  const isVouched = vouched === true || vouched === 'true';
  const name = DisplayName.safeParse(claimOf(claims, 'name'));
  return {
    issuer,
    subject,
    login: login.data,
    displayName: name.success ? name.data : null,
    email: isVouched ? email : null,
    unverifiedEmail: isVouched ? null : email,
    groups: groupsOf(claimOf(claims, names.groups)),
  };
}

// PostgreSQL keeps no NUL; the specification allows ASCII alone.
const isSubject = (subject: string): boolean =>
  subject.length > 0 && subject.length <= MAX_SUBJECT_LENGTH && /^[\x20-\x7e]+$/.test(subject);

/** A claim by its name, or, where there is none of that name, by a path: `realm_access.roles`. */
function claimOf(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let found: unknown = claims;
  for (const part of name.split('.')) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, part)) return undefined;
    found = (found as Claims)[part];
  }
  return found;
}

function groupsOf(claim: unknown): readonly string[] {
  const list: unknown[] = Array.isArray(claim) ? claim.slice(0, MAX_GROUPS) : [claim];
  const names = list.filter(
    (name): name is string => typeof name === 'string' && name.length > 0 && name.length <= MAX_GROUP_LENGTH,
  );
  return [...new Set(names)];
}
