import { useQuery } from '@tanstack/react-query';
import { call } from './api.js';

/** The identity provider that people can sign in at. */
export interface SignInProvider {
  readonly name: string;
  readonly url: string;
}

/** How people can log in beside name and password. */
export const useWays = () =>
  useQuery({
    queryKey: ['ways'],
    queryFn: () => call<{ readonly provider?: SignInProvider }>('/api/v1/session/ways'),
    staleTime: Infinity,
  });

const AGAIN = 'Try again';
const SENTENCES: Readonly<Record<string, string>> = {
  denied: `The sign-in was cancelled, or the provider does not let you use this service. ${AGAIN}, or log in with a password.`,
  expired: `This sign-in took too long, was finished already, or was begun in another browser. ${AGAIN}.`,
  unavailable: `The identity provider does not answer as it should. ${AGAIN} in a minute, or log in with a password.`,
  untrusted:
    'The answer did not come from the identity provider that was asked, so nobody was let in. Tell an admin if it happens again.',
  misconfigured:
    'The identity provider does not accept this service. An admin finds the reason in the service’s log.',
  unusable:
    'The identity provider sends no name that can be used here. An admin finds the claim in the service’s log.',
  unknown: 'You have no account here. Ask an admin for one.',
  unverified:
    'There is an account with your address, but the provider does not say that the address is yours. Confirm it there, or ask an admin to bind the account to you.',
  unbound:
    'There is an account with your address that this sign-in may not open by itself. Log in with its password, or ask an admin to bind it to you.',
  taken: 'Somebody else has your name here. Ask an admin to make an account for you, or to bind yours.',
  disabled: 'This account is disabled. An admin can enable it.',
  limited: 'Too many failed logins from this address. Try again in a quarter of an hour.',
  refused: 'The sign-in was refused. An admin finds the reason in the service’s log.',
};

/** Why the last sign-in failed, in the address that the service sent the browser to; never words of that address. */
export function signInProblem(search: string): string | undefined {
  const refusal = new URLSearchParams(search).get('sign-in');
  if (refusal === null) return undefined;
  return Object.hasOwn(SENTENCES, refusal) ? SENTENCES[refusal] : SENTENCES['refused'];
}

/** Begins a sign-in that ends at the page that is open now. */
export function signInAddress(
  { url }: SignInProvider,
  { pathname, search }: Pick<Location, 'pathname' | 'search'>,
): string {
  const query = new URLSearchParams(search);
  query.delete('sign-in');
  const left = query.size === 0 ? '' : `?${query.toString()}`;
  return `${url}?${new URLSearchParams({ to: pathname + left }).toString()}`;
}
