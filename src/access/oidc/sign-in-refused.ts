import { AppError } from '../../errors.js';

/** Why a sign-in at the identity provider let nobody in; the login page has a sentence for each. */
export const SIGN_IN_REFUSALS = [
  // The person, or the provider, said no.
  'denied',
  // Not begun in this browser, begun too long ago, or finished already.
  'expired',
  // The provider does not answer, or not as it should.
  'unavailable',
  // What came does not come from the provider, or was not meant for us.
  'untrusted',
  // The provider does not take our client id or secret.
  'misconfigured',
  // The provider says nobody's login, or one that cannot be used.
  'unusable',
  // Nobody here is bound to this identity.
  'unknown',
  // The account with this address could be taken over: the provider does not vouch for the address.
  'unverified',
  // The account with this address is an admin's, or has an identity: it takes an admin to bind it.
  'unbound',
  // The login is that of somebody else here.
  'taken',
  'disabled',
  // What else stands against it; the log says what.
  'refused',
  // Too many failures from this address.
  'limited',
] as const;
export type SignInRefusal = (typeof SIGN_IN_REFUSALS)[number];

/** A sign-in at the identity provider failed; the message is for the log. */
export class SignInRefused extends AppError {
  readonly code = 'SIGN_IN_REFUSED';
  readonly status = 401;
  constructor(
    readonly refusal: SignInRefusal,
    message: string,
    options?: ErrorOptions & {
      /** Whom it was about, where that is known. */
      readonly userId?: string;
    },
  ) {
    super(message, options);
    this.userId = options?.userId;
  }
  readonly userId: string | undefined;
}
