import { ConfigError, Unavailable, type AppError } from '../errors.js';
import { remedyOf, troubleOf } from './trouble.js';

const MINIMUM_MAJOR = 15;

/** @throws ConfigError for a PostgreSQL older than 15; `version` is `server_version_num`, as in 150018. */
export function checkServerVersion(version: number): void {
  if (version >= MINIMUM_MAJOR * 10_000) return;
  const major = Number.isFinite(version) ? String(Math.floor(version / 10_000)) : 'of an unknown version';
  throw new ConfigError(`DATABASE_URL: PostgreSQL ${MINIMUM_MAJOR} or newer is needed; this is ${major}.`);
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/**
 * What a first connection that failed says, as a sentence with its remedy: a wrong setting is a ConfigError, a server
 * that does not answer is Unavailable.
 *
 * @param variable names the setting that holds the URL.
 */
export function explainRefusal(error: unknown, variable: string): AppError {
  const said = error instanceof Error ? error.message : String(error);
  const cause = { cause: error };
  const tls = explainTls(codeOf(error), said);
  if (tls !== undefined) return new ConfigError(`${variable}: ${tls}`, cause);
  if (troubleOf(error) === 'refused') {
    return new ConfigError(`${variable}: PostgreSQL lets nobody in: ${said}. ${remedyOf('refused')}`, cause);
  }
  if (troubleOf(error) === 'crowded') {
    return new Unavailable('postgresql', `PostgreSQL has no room: ${said}. ${remedyOf('crowded')}`, cause);
  }
  return new Unavailable(
    'postgresql',
    `PostgreSQL does not answer: ${said || codeOf(error)}. Check ${variable} and that the server runs.`,
    cause,
  );
}

function explainTls(code: string, said: string): string | undefined {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `the server's certificate is for another name: ${said} Use the name that is in the certificate, or sslmode=verify-ca when the CA signs nothing but your databases.`;
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return `the server's certificate is not valid now: ${said}. Renew it, or mend the clock.`;
  }
  if (/^(DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|CERT_)/.test(code)) {
    return `the server's certificate is signed by a CA that is not trusted here: ${said}. Add sslrootcert=<PEM file of that CA> to the URL.`;
  }
  if (/does not support SSL/.test(said)) {
    return 'the server offers no TLS. Turn `ssl` on in postgresql.conf, or say sslmode=disable.';
  }
  if (/no encryption|SSL off/.test(said)) {
    return `the server takes encrypted connections only: ${said}. Add sslmode=verify-full to the URL.`;
  }
  return undefined;
}
