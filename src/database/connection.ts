import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { ClientConfig } from 'pg';
import { ConfigError } from '../errors.js';

/** How to reach one PostgreSQL: what every connection of ours has in common. */
export type Connection = Pick<
  ClientConfig,
  'connectionString' | 'ssl' | 'keepAlive' | 'keepAliveInitialDelayMillis' | 'connectionTimeoutMillis'
>;

const CONNECT_TIMEOUT_MS = 10_000;
// A peer that vanished without a word (a failover that moved the address) is noticed within half a minute.
const KEEP_ALIVE_AFTER_MS = 10_000;
const TLS_PARAMETERS = ['ssl', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'sslnegotiation'];
const MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const;

type Mode = (typeof MODES)[number];

/**
 * Reads a database URL as libpq does: `sslmode` (disable, require, verify-ca, verify-full), `sslrootcert`, `sslcert`
 * and `sslkey` name files in PEM.
 *
 * @param variable names the setting in errors. @throws ConfigError naming what is wrong and the remedy.
 */
export function connectionTo(url: string, variable = 'DATABASE_URL'): Connection {
  const common = {
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  };
  const parsed = new URL(url);
  const given = parsed.searchParams;
  if (!TLS_PARAMETERS.some((name) => given.has(name))) return { ...common, connectionString: url };
  const ssl = tlsOf(given, variable);
  for (const name of TLS_PARAMETERS) given.delete(name);
  return { ...common, connectionString: parsed.href, ssl };
}

/** Whether a URL asks for encryption and lets any server pass for the right one. */
export function isUnverified(url: string): boolean {
  const { ssl } = connectionTo(url);
  return typeof ssl === 'object' && ssl.rejectUnauthorized === false;
}

function tlsOf(given: URLSearchParams, variable: string): false | ConnectionOptions {
  const mode = modeOf(given, variable);
  if (mode === 'disable') return false;
  const rootCertificate = given.get('sslrootcert');
  const ca = rootCertificate === null || rootCertificate === 'system' ? {} : { ca: read('sslrootcert') };
  const own = {
    ...(given.has('sslcert') ? { cert: read('sslcert') } : {}),
    ...(given.has('sslkey') ? { key: read('sslkey') } : {}),
  };
  // As in libpq: a root certificate makes `require` mean verify-ca.
  if (mode === 'require' && rootCertificate === null) return { ...own, rejectUnauthorized: false };
  if (mode === 'verify-full' || rootCertificate === 'system') return { ...own, ...ca };
  if (rootCertificate === null) {
    throw new ConfigError(
      `${variable}: sslmode=verify-ca needs sslrootcert=<file> with the CA's certificate; or say sslmode=verify-full.`,
    );
  }
  return { ...own, ...ca, checkServerIdentity: () => undefined };

  function read(name: string): string {
    const path = given.get(name) ?? '';
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      throw new ConfigError(
        `${variable}: ${name} names the file ${path}, which cannot be read (${(error as Error).message}). Give the path of a PEM file that this user may read.`,
        { cause: error },
      );
    }
  }
}

function modeOf(given: URLSearchParams, variable: string): Mode {
  const mode = given.get('sslmode') ?? (given.get('ssl') === 'true' ? 'verify-full' : undefined);
  const known = MODES.find((name) => name === mode);
  if (known !== undefined) return known;
  if (mode === undefined && given.get('ssl') === 'false') return 'disable';
  throw new ConfigError(
    mode === undefined
      ? `${variable}: TLS settings without sslmode. Add sslmode=verify-full (or require, verify-ca, disable).`
      : `${variable}: sslmode=${mode} is not offered, because it may go on without encryption. Say ${MODES.join(', ')}.`,
  );
}
