import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import ipaddr from 'ipaddr.js';
import type { Keyring } from '../access/keyring.js';
import { openText } from '../access/sealing.js';
import type { Config } from '../config.js';
import { vetAddresses, vettedLookup } from '../outbound/egress/vetted-lookup.js';
import { keysOf, type EndpointCredentials, type RegisteredEndpoint } from './registry/registered.js';
import { bareHost } from './registry/servers.js';

const CONNECT_TIMEOUT_MS = 5_000;
// Until the first byte of the answer; bodies have an idle timeout of their own, because a big one may take hours.
const ANSWER_TIMEOUT_MS = 30_000;
const MAX_SOCKETS = 64;
// STS's shortest: what leaks is worth little for long.
const ROLE_SECONDS = 900;

/**
 * What all clients have in common. Redirects to another host are not followed, and every connection goes to an address that
 * was checked in the same moment: never to a metadata service, to private networks only where they are allowed.
 */
export function commonSettings(allowPrivate: boolean): S3ClientConfig {
  const agent = { keepAlive: true, maxSockets: MAX_SOCKETS, lookup: vettedLookup(allowPrivate) };
  return {
    maxAttempts: 4,
    // Slows down what it sends while S3 answers SlowDown, and comes back by itself.
    retryMode: 'adaptive',
    followRegionRedirects: false,
    // Not every S3-compatible server knows the newer checksum trailers; bytes are checked by our own SHA-256.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: ANSWER_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      socketTimeout: 0,
      httpAgent: agent,
      httpsAgent: agent,
    },
  };
}

/**
 * The client's settings for an endpoint that a person registered.
 *
 * @throws EgressRefused when its address may not be called (any more), ConfigError when its keys cannot be decrypted.
 */
export function registeredSettings(
  endpoint: RegisteredEndpoint,
  config: Pick<Config, 'S3_ALLOW_PRIVATE_ENDPOINTS' | 'S3_STS_ENDPOINT'>,
  keyring: Keyring,
): S3ClientConfig {
  const { id, url, region, pathStyle } = endpoint;
  // AWS's own names lead to private addresses where a VPC has an endpoint.
  const allowPrivate = url === undefined || config.S3_ALLOW_PRIVATE_ENDPOINTS;
  if (url !== undefined) {
    // An address that is written as one is never looked up, so it is checked here.
    const hostname = bareHost(new URL(url));
    if (ipaddr.isValid(hostname)) vetAddresses(hostname, [{ address: hostname }], allowPrivate);
  }
  const credentials = credentialsFor(id, endpoint.credentials, {
    region,
    keyring,
    sts: config.S3_STS_ENDPOINT,
  });
  return {
    ...commonSettings(allowPrivate),
    region,
    forcePathStyle: pathStyle,
    ...(url !== undefined && { endpoint: url }),
    ...(credentials !== undefined && { credentials }),
  };
}

function credentialsFor(
  endpointId: string,
  credentials: EndpointCredentials,
  { region, keyring, sts }: { region: string; keyring: Keyring; sts: string | undefined },
): S3ClientConfig['credentials'] | undefined {
  switch (credentials.kind) {
    case 'default':
      return undefined;
    case 'keys':
      return keysFrom(endpointId, credentials.sealedKeys, keyring);
    case 'role': {
      const { roleArn, externalId, sealedKeys } = credentials;
      return fromTemporaryCredentials({
        params: {
          RoleArn: roleArn,
          RoleSessionName: `sallyport-${endpointId}`.slice(0, 64),
          DurationSeconds: ROLE_SECONDS,
          ...(externalId !== undefined && { ExternalId: externalId }),
        },
        ...(sealedKeys !== undefined && { masterCredentials: keysFrom(endpointId, sealedKeys, keyring) }),
        clientConfig: { region, ...(sts !== undefined && { endpoint: sts }) },
      });
    }
    default:
      return credentials satisfies never;
  }
}

function keysFrom(endpointId: string, sealed: string, keyring: Keyring) {
  const [accessKeyId, secretAccessKey] = JSON.parse(openText(keyring, sealed, keysOf(endpointId))) as [
    string,
    string,
  ];
  return { accessKeyId, secretAccessKey };
}
