import { isAccount, matches, sessionName } from './principal.js';

/** Somebody with a local account, who decides reviews or not. */
export interface Account {
  readonly id: string;
  readonly login: string;
  readonly name: string;
  readonly email?: string | undefined;
  readonly disabled: boolean;
}

/**
 * What an admin says of a principal. `user`: it is this account. `mail`: somebody without one. `session`: the name of a role's
 * session is the login or address of its person. `service`: a machine, behind which nobody is meant.
 */
export const IDENTITY_KINDS = ['user', 'mail', 'session', 'service'] as const;
export type IdentityKind = (typeof IDENTITY_KINDS)[number];

export interface Identity {
  readonly principal: string;
  readonly kind: IdentityKind;
  readonly target: string;
}

/**
 * Who is behind a principal, and how that is known. `mapped`: an admin said so. `named`: the definition did. `likely`: only the
 * names agree, which proves nothing. `unknown` and `likely` leave it undetermined.
 */
export type Uploader =
  | { readonly how: 'mapped' | 'named' | 'likely'; readonly account: Account }
  | { readonly how: 'mapped'; readonly email: string }
  | { readonly how: 'service' }
  | { readonly how: 'unknown' };

export const UNKNOWN: Uploader = { how: 'unknown' };

/** Whether somebody is still to be found behind it. */
export const isUndetermined = ({ how }: Uploader): boolean => how === 'unknown' || how === 'likely';

/** The exact principal before the longest beginning. */
export function identityOf(principal: string, identities: readonly Identity[]): Identity | undefined {
  const meant = identities.filter((identity) => matches(identity.principal, principal));
  return (
    meant.find((identity) => identity.principal === principal) ??
    meant.toSorted((a, b) => b.principal.length - a.principal.length)[0]
  );
}

/**
 * Who is meant by a principal that an event named, or by what a definition says.
 *
 * @param isTold by the definition, whose author answers for it.
 */
export function resolveUploader(
  said: string | undefined,
  identities: readonly Identity[],
  accounts: readonly Account[],
  isTold = false,
): Uploader {
  const principal = said?.trim() ?? '';
  if (principal === '') return UNKNOWN;
  const identity = identityOf(principal, identities);
  if (identity !== undefined) return mapped(identity, principal, accounts);
  const named = accountOf(principal.replace(/^user:/, ''), accounts);
  if (named !== undefined) return { how: isTold ? 'named' : 'likely', account: named };
  if (isAccount(principal)) return UNKNOWN;
  const session = sessionName(principal);
  const likely = session === undefined ? undefined : accountOf(session, accounts);
  return likely === undefined ? UNKNOWN : { how: 'likely', account: likely };
}

function mapped({ kind, target }: Identity, principal: string, accounts: readonly Account[]): Uploader {
  switch (kind) {
    case 'user': {
      const account = accounts.find(({ id }) => id === target);
      // The account was removed since: what was said of the principal holds no more.
      return account === undefined ? UNKNOWN : { how: 'mapped', account };
    }
    case 'mail':
      return behind(target, accounts);
    case 'session': {
      const session = sessionName(principal);
      if (session === undefined) return UNKNOWN;
      const account = accountOf(session, accounts);
      if (account !== undefined) return { how: 'mapped', account };
      return MAIL.test(session) ? { how: 'mapped', email: session } : UNKNOWN;
    }
    case 'service':
      return { how: 'service' };
    default:
      return kind satisfies never;
  }
}

const MAIL = /^[^\s@]{1,64}@[^\s@]{1,190}$/;

function behind(email: string, accounts: readonly Account[]): Uploader {
  const account = accounts.find((one) => one.email?.toLowerCase() === email.toLowerCase());
  return account === undefined ? { how: 'mapped', email } : { how: 'mapped', account };
}

/** By id, login or address, all of which are one person's alone. */
function accountOf(name: string, accounts: readonly Account[]): Account | undefined {
  const wanted = name.toLowerCase();
  return (
    accounts.find(({ id, login }) => id === name || login === name) ??
    accounts.find(({ email }) => email?.toLowerCase() === wanted)
  );
}
