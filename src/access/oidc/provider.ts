import { readFileSync } from 'node:fs';
import * as client from 'openid-client';
import type { Clock, Instant } from '../../clock.js';
import { publicUrl, type Config } from '../../config.js';
import { ConfigError } from '../../errors.js';
import { EgressFailed, EgressRefused, EgressTooLarge, type Egress } from '../../outbound/egress/egress.js';
import { identified, type Identified } from './claims.js';
import type { PendingSignIn } from './pending-sign-in.js';
import { SignInRefused, type SignInRefusal } from './sign-in-refused.js';

const TIMEOUT_MS = 10_000;
// Metadata and keys of the largest providers have some 30 kB.
const MAX_BYTES = 1_048_576;
// Endpoints move seldom, and a rotated client secret is read with them.
const METADATA_MS = 3_600_000;
// Clocks of providers and ours need not agree to the second.
const TOLERANCE_SECONDS = 60;

/** Where the provider sends the browser back to; it must be registered there, letter by letter. */
export const redirectUri = (config: Config): string => `${publicUrl(config)}/api/v1/session/oidc/callback`;

const OUR_SIDE: ReadonlySet<SignInRefusal> = new Set(['unavailable', 'untrusted', 'misconfigured']);

type Begun = Omit<PendingSignIn, 'returnTo' | 'expiresAt'> & { readonly url: string };

/** The one identity provider of the settings, spoken to by OpenID Connect: authorization code with PKCE. */
export class IdentityProvider {
  private known: { readonly as: Promise<client.Configuration>; readonly at: Instant } | undefined;
  /** Under which its people are known here: with and without a slash at the end it is the same. */
  readonly issuer: string;
  readonly clientId: string;

  /** @throws ConfigError when the client secret's file cannot be read. */
  constructor(
    private readonly config: Config & { readonly OIDC_ISSUER: string; readonly OIDC_CLIENT_ID: string },
    private readonly egress: Egress,
    private readonly clock: Clock,
  ) {
    this.issuer = config.OIDC_ISSUER.replace(/\/$/, '');
    this.clientId = config.OIDC_CLIENT_ID;
    clientSecret(config);
  }

  /** Where the browser goes to, and what its answer must fit. @throws SignInRefused */
  async begin(): Promise<Begun> {
    const provider = await this.discovered();
    const state = client.randomState();
    const nonce = client.randomNonce();
    const codeVerifier = client.randomPKCECodeVerifier();
    try {
      const url = client.buildAuthorizationUrl(provider, {
        redirect_uri: redirectUri(this.config),
        scope: this.config.OIDC_SCOPES.join(' '),
        state,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
      });
      return { url: url.href, state, nonce, codeVerifier, issuer: this.issuer, clientId: this.clientId };
    } catch (error) {
      throw this.failed(error);
    }
  }

  /** Who came back with this query of the callback's address. @throws SignInRefused */
  async finish(search: string, pending: PendingSignIn): Promise<Identified> {
    if (pending.issuer !== this.issuer || pending.clientId !== this.clientId)
      throw new SignInRefused('expired', 'The settings of the provider changed while somebody signed in.');
    const provider = await this.discovered();
    const here = new URL(redirectUri(this.config));
    here.search = search;
    try {
      const tokens = await client.authorizationCodeGrant(provider, here, {
        expectedState: pending.state,
        expectedNonce: pending.nonce,
        pkceCodeVerifier: pending.codeVerifier,
        idTokenExpected: true,
      });
      const idToken = tokens.claims();
      if (idToken === undefined) throw new SignInRefused('untrusted', 'The provider sent no ID token.');
      const more =
        provider.serverMetadata().userinfo_endpoint === undefined
          ? {}
          : await client.fetchUserInfo(provider, tokens.access_token, idToken.sub);
      // What is signed counts before what is only told.
      return identified(this.issuer, { ...more, ...idToken }, this.claimNames());
    } catch (error) {
      throw this.failed(error);
    }
  }

  /** Endpoints may have moved, and the secret may be another: both are read again at the next try. */
  private failed(error: unknown): SignInRefused {
    const failure = refused(error);
    if (OUR_SIDE.has(failure.refusal)) this.known = undefined;
    return failure;
  }

  private claimNames() {
    const { OIDC_LOGIN_CLAIM, OIDC_EMAIL_CLAIM, OIDC_EMAIL_VERIFIED_CLAIM, OIDC_GROUPS_CLAIM } = this.config;
    return {
      login: OIDC_LOGIN_CLAIM,
      email: OIDC_EMAIL_CLAIM,
      emailVerified: OIDC_EMAIL_VERIFIED_CLAIM,
      groups: OIDC_GROUPS_CLAIM,
    };
  }

  /** Asked for once, however many people wait for it; a failure is not kept. */
  private async discovered(): Promise<client.Configuration> {
    const now = this.clock.now();
    if (this.known === undefined || now - this.known.at > METADATA_MS)
      this.known = { as: this.discover(), at: now };
    const asked = this.known;
    try {
      return await asked.as;
    } catch (error) {
      if (this.known === asked) this.known = undefined;
      throw refused(error);
    }
  }

  private async discover(): Promise<client.Configuration> {
    const secret = clientSecret(this.config);
    const authentication =
      secret === undefined
        ? client.None()
        : this.config.OIDC_CLIENT_AUTH === 'post'
          ? client.ClientSecretPost(secret)
          : client.ClientSecretBasic(secret);
    const issuer = new URL(this.config.OIDC_ISSUER);
    const found = await client.discovery(
      issuer,
      this.clientId,
      { [client.clockTolerance]: TOLERANCE_SECONDS },
      authentication,
      {
        [client.customFetch]: through(this.egress),
        timeout: TIMEOUT_MS / 1000,
        execute: [
          // The ID token's signature is verified although it came straight from the provider.
          client.enableNonRepudiationChecks,
          // The settings take http on loopback alone, for trying out.
          ...(issuer.protocol === 'http:' ? [client.allowInsecureRequests] : []),
        ],
      },
    );
    // The library lets some providers name another issuer, for tokens of all tenants there are.
    const said = found.serverMetadata().issuer;
    if (new URL(said).href !== issuer.href)
      throw new SignInRefused('untrusted', `OIDC_ISSUER is ${this.issuer}, and calls itself ${said}.`);
    return found;
  }
}

function clientSecret(config: Config): string | undefined {
  const { OIDC_CLIENT_SECRET: secret, OIDC_CLIENT_SECRET_FILE: file } = config;
  if (file === undefined) return secret;
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new ConfigError(`OIDC_CLIENT_SECRET_FILE: cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (text === '') throw new ConfigError(`OIDC_CLIENT_SECRET_FILE: ${file} is empty.`);
  return text;
}

/** The library's requests go through the egress guard, too; redirects are not followed. */
function through(egress: Egress): client.CustomFetch {
  return async (url, { method, headers, body }) => {
    const answer = await egress.fetch({
      url,
      method: method === 'POST' ? 'POST' : 'GET',
      headers,
      ...(body instanceof URLSearchParams && { body: body.toString() }),
      ...(typeof body === 'string' && { body }),
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_BYTES,
    });
    const received = new Headers();
    for (const [name, value] of Object.entries(answer.headers))
      for (const one of [value ?? []].flat()) received.append(name, one);
    const isEmpty = answer.status === 204 || answer.status === 304;
    return new Response(isEmpty ? null : new Uint8Array(answer.body), {
      status: answer.status,
      headers: received,
    });
  };
}

const PERSON_SAID_NO = new Set([
  'access_denied',
  'login_required',
  'consent_required',
  'interaction_required',
  'account_selection_required',
]);
const TROUBLES = new Set([
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
  'OAUTH_PARSE_ERROR',
  'OAUTH_TIMEOUT',
  'OAUTH_ABORT',
]);

function refused(error: unknown): SignInRefused {
  if (error instanceof SignInRefused) return error;
  return new SignInRefused(refusalOf(error), told(error), { cause: error });
}

function refusalOf(error: unknown): SignInRefusal {
  if (error instanceof client.AuthorizationResponseError) {
    if (PERSON_SAID_NO.has(error.error)) return 'denied';
    const isTrouble = error.error === 'server_error' || error.error === 'temporarily_unavailable';
    return isTrouble ? 'unavailable' : 'misconfigured';
  }
  // A code that was used, is too old or belongs to another client.
  if (error instanceof client.ResponseBodyError)
    return error.error === 'invalid_grant'
      ? 'expired'
      : error.status >= 500
        ? 'unavailable'
        : 'misconfigured';
  if (error instanceof client.WWWAuthenticateChallengeError || error instanceof ConfigError)
    return 'misconfigured';
  const sent = egressError(error);
  if (sent instanceof EgressRefused) return sent.reason === 'not_found' ? 'unavailable' : 'misconfigured';
  if (sent !== undefined) return 'unavailable';
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && TROUBLES.has(code) ? 'unavailable' : 'untrusted';
}

// The library wraps what our fetch throws once; more is not looked through.
const egressError = (error: unknown): EgressRefused | EgressFailed | EgressTooLarge | undefined =>
  [error, (error as Error).cause].find(
    (one) => one instanceof EgressRefused || one instanceof EgressFailed || one instanceof EgressTooLarge,
  );

const LONGEST = 300;

/** For the log: what failed, in the library's and the provider's words; no tokens and no codes. */
function told(error: unknown): string {
  const { message, cause } = error as Error;
  const parts = [message, ...saidBy(error), cause instanceof Error ? cause.message : ''];
  return parts
    .filter((part) => part !== '')
    .join(': ')
    .slice(0, LONGEST);
}

function saidBy(error: unknown): string[] {
  if (error instanceof client.AuthorizationResponseError || error instanceof client.ResponseBodyError)
    return [error.error, error.error_description ?? ''];
  if (error instanceof client.WWWAuthenticateChallengeError)
    return error.cause.map(({ parameters }) => parameters.error ?? '');
  return [];
}
