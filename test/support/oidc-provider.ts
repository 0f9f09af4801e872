import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider, type Configuration } from 'oidc-provider';

/** What the provider says of somebody beside `sub`. */
export type ProviderClaims = Readonly<Record<string, unknown>>;

export interface RealProvider {
  readonly issuer: string;
  /** Who logs in next, and what is said of them. */
  person: { sub: string; claims: ProviderClaims } | 'says no';
  /** Changes what the metadata says, or breaks every answer. */
  lie: ((metadata: Record<string, unknown>) => Record<string, unknown>) | undefined;
  broken: boolean;
  /** Requests for the metadata. */
  discoveries: number;
  close(): Promise<void>;
}

export const CLIENT = { id: 'sallyport', secret: 'a secret of the client, of some length' } as const;
/** Another application of the same provider. */
export const OTHER_CLIENT = { id: 'other', redirectUri: 'http://127.0.0.1:1/back' } as const;

/** Settings of a service whose people sign in there, and get an account the first time. */
export const signInAt = ({ issuer }: Pick<RealProvider, 'issuer'>): Record<string, string> => ({
  OIDC_ISSUER: issuer,
  OIDC_NAME: 'Example Login',
  OIDC_CLIENT_ID: CLIENT.id,
  OIDC_CLIENT_SECRET: CLIENT.secret,
  OIDC_ALLOWED_NETWORKS: '127.0.0.1',
  OIDC_UNKNOWN: 'create',
});

/**
 * A certified OpenID Connect provider, in process: it logs in whoever the test says, without asking.
 * @param redirectUri of us.
 */
export async function realProvider(redirectUri: string): Promise<RealProvider> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const client = { grant_types: ['authorization_code'], response_types: ['code' as const] };
  const configuration: Configuration = {
    clients: [
      { ...client, client_id: CLIENT.id, client_secret: CLIENT.secret, redirect_uris: [redirectUri] },
      {
        ...client,
        client_id: OTHER_CLIENT.id,
        client_secret: 'another secret, as long as the first one',
        redirect_uris: [OTHER_CLIENT.redirectUri],
      },
    ],
    claims: {
      openid: ['sub'],
      profile: ['preferred_username', 'name', 'groups'],
      email: ['email', 'email_verified'],
    },
    ttl: {
      Interaction: 600,
      Grant: 600,
      Session: 600,
      AccessToken: 600,
      IdToken: 600,
      AuthorizationCode: 60,
    },
    cookies: { keys: ['a key of the test'] },
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'one' }] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    findAccount: (_context, accountId) => ({
      accountId,
      claims: () => ({ sub: accountId, ...said.get(accountId) }),
    }),
    // Nobody is asked whether this application may know who they are.
    loadExistingGrant: async ({ oidc }) => {
      const grant = new provider.Grant({
        clientId: oidc.client?.clientId ?? '',
        accountId: oidc.session?.accountId ?? '',
      });
      grant.addOIDCScope('openid profile email');
      await grant.save();
      return grant;
    },
  };
  const said = new Map<string, ProviderClaims>();

  let answer: (request: IncomingMessage, response: ServerResponse) => unknown = () => undefined;
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, configuration);
  const callback = provider.callback();

  const it: RealProvider = {
    issuer,
    person: 'says no',
    lie: undefined,
    broken: false,
    discoveries: 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  const interact = async (request: IncomingMessage, response: ServerResponse) => {
    const { person } = it;
    if (person !== 'says no') said.set(person.sub, person.claims);
    await provider.interactionFinished(
      request,
      response,
      person === 'says no'
        ? { error: 'access_denied', error_description: 'the person said no' }
        : { login: { accountId: person.sub } },
      { mergeWithLastSubmission: false },
    );
  };

  answer = (request, response) => {
    if (it.broken)
      return response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>');
    if (request.url?.startsWith('/interaction/') === true) return interact(request, response);
    if (request.url === '/.well-known/openid-configuration') {
      it.discoveries += 1;
      if (it.lie !== undefined) return liar(issuer, it.lie, response);
    }
    return callback(request, response);
  };
  return it;
}

function liar(issuer: string, lie: NonNullable<RealProvider['lie']>, response: ServerResponse): void {
  const metadata = lie({
    issuer,
    authorization_endpoint: `${issuer}/auth`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  });
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(metadata));
}
