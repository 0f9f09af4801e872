import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config } from '../../config.js';
import { ConfigError } from '../../errors.js';

/** What signs a mail, and what the world has to know to check it. */
export interface Dkim {
  readonly domain: string;
  readonly selector: string;
  /** PEM. */
  readonly privateKey: string;
  /** Name of the DNS record that holds the public key. */
  readonly recordName: string;
  /** Its text, as it has to be published. */
  readonly record: string;
}

const LEAST_RSA_BITS = 2048;

/** The domain of `Name <local@domain>`; `localhost` where there is none. */
export const domainOf = (mailbox: string): string =>
  /@([A-Za-z0-9.-]+)>?\s*$/.exec(mailbox)?.[1]?.toLowerCase() ?? 'localhost';

/** Reads the key. @returns undefined when none is set. @throws ConfigError for one that cannot sign. */
export function dkimOf(
  config: Pick<Config, 'DKIM_KEY_FILE' | 'DKIM_SELECTOR' | 'DKIM_DOMAIN' | 'MAIL_FROM'>,
): Dkim | undefined {
  const { DKIM_KEY_FILE: path, DKIM_SELECTOR: selector } = config;
  if (path === undefined || selector === undefined) return undefined;
  const domain = config.DKIM_DOMAIN ?? domainOf(config.MAIL_FROM);
  const key = readKey(path);
  return {
    domain,
    selector,
    privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    recordName: `${selector}._domainkey.${domain}`,
    record: recordOf(key),
  };
}

function readKey(path: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(readFileSync(path));
  } catch (error) {
    // OpenSSL's own words may quote the file; the code says enough.
    const { code = 'it is no private key' } = error as NodeJS.ErrnoException;
    throw new ConfigError(
      `DKIM_KEY_FILE: cannot be read (${code}). Make one with: openssl genrsa -out dkim.pem 2048`,
    );
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  // RSA alone: it is what every receiver checks.
  if (key.asymmetricKeyType === 'rsa' && bits >= LEAST_RSA_BITS) return key;
  throw new ConfigError(
    `DKIM_KEY_FILE: must be an RSA key of ${LEAST_RSA_BITS} bits or more. Make one with: openssl genrsa -out dkim.pem 2048`,
  );
}

/** RFC 6376 3.6.1. */
const recordOf = (key: KeyObject): string =>
  `v=DKIM1; k=rsa; p=${createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64')}`;

/** Whether a published record (its strings joined) holds this key. */
export function holdsKey({ record }: Pick<Dkim, 'record'>, published: string): boolean {
  const keyIn = (text: string): string | undefined =>
    /(?:^|;)\s*p=([A-Za-z0-9+/=\s]*)/.exec(text)?.[1]?.replace(/\s/g, '');
  const wanted = keyIn(record);
  return wanted !== undefined && wanted !== '' && keyIn(published) === wanted;
}
