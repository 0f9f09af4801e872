/**
 * What can keep PostgreSQL from doing its work for a while. The same statement succeeds later, once the reason is gone.
 *
 * - `away`: not reached, or starting or stopping; a silent connection is one of these.
 * - `refused`: it answers and lets nobody in: password, database, certificate.
 * - `crowded`: no connection or memory left for one more.
 * - `full`: its disk is full; reads go on.
 * - `read-only`: a standby, or set so; reads go on.
 * - `slow`: it gave a statement up after its time limit.
 */
export const TROUBLES = ['away', 'refused', 'crowded', 'full', 'read-only', 'slow'] as const;
export type TroubleKind = (typeof TROUBLES)[number];

const REMEDIES: Readonly<Record<TroubleKind, string>> = {
  away: 'Check that PostgreSQL runs and that DATABASE_URL is right; the service goes on by itself.',
  refused:
    'Check the user, password, database and TLS settings in DATABASE_URL against the server (pg_hba.conf, its certificate).',
  crowded: "Lower DATABASE_POOL_SIZE or raise PostgreSQL's max_connections; the service goes on by itself.",
  full: "Make room on the disk that holds PostgreSQL's data; the service goes on by itself.",
  'read-only':
    'Point DATABASE_URL at the primary, or set default_transaction_read_only off; the service goes on by itself.',
  slow: 'Look for what holds PostgreSQL up: locks, a starved disk, missing CPU; the service goes on by itself.',
};

const SENTENCES: Readonly<Record<TroubleKind, string>> = {
  away: 'The database does not answer now.',
  refused: 'The database lets nobody in now.',
  crowded: 'The database has no connection left for this now.',
  full: "The database's disk is full: reading works, changing does not.",
  'read-only': 'The database is read-only now: reading works, changing does not.',
  slow: 'The database takes too long now.',
};

const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

// What OpenSSL says of a certificate, by Node's names, and what Node says of the name in it.
const CERTIFICATE_CODES =
  /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(GET_ISSUER|VERIFY_LEAF|DECRYPT|DECODE)|ERR_TLS_CERT|ERR_SSL_|EPROTO)/;

// The driver and poolers give these no code, or one that says less.
const MESSAGES: readonly (readonly [RegExp, TroubleKind])[] = [
  [/no more connections allowed|too many clients|remaining connection slots/i, 'crowded'],
  [/The server does not support SSL connections|certificate|no pg_hba\.conf entry|auth failed/, 'refused'],
  [/^Query read timeout|due to statement timeout/, 'slow'],
  [
    /^(timeout exceeded when trying to connect|timeout expired|Connection terminated|Client has encountered a connection error|Client was closed|the database system is|Connection ended|server conn crashed|query_wait_timeout)/,
    'away',
  ],
];

const SQLSTATE = /^[0-9A-Z]{5}$/;
const MAX_CAUSES = 6;

/** Sorts an error by what PostgreSQL, the driver or a pooler said; `undefined` when it is no passing trouble. */
export function troubleOf(error: unknown): TroubleKind | undefined {
  let current = error;
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Error; depth++) {
    const kind = ofOne(current);
    if (kind !== undefined) return kind;
    // Several addresses of one host name were tried.
    const first: unknown = current instanceof AggregateError ? current.errors[0] : undefined;
    current = first ?? current.cause;
  }
  return undefined;
}

function ofOne(error: Error): TroubleKind | undefined {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === '25006') return 'read-only';
  if (code === '53100') return 'full';
  // PgBouncer reports what it could not do as 08P01; its words say which it was. Words of other states are data.
  const hasOwnState = SQLSTATE.test(code) && !/^(08|28|53|57)/.test(code) && !SOCKET_CODES.has(code);
  const said = hasOwnState ? undefined : MESSAGES.find(([pattern]) => pattern.test(error.message))?.[1];
  if (said !== undefined) return said;
  if (code.startsWith('53')) return 'crowded';
  if (/^28|^3D000$/.test(code) || CERTIFICATE_CODES.test(code)) return 'refused';
  if (/^(08|57P0)/.test(code) || SOCKET_CODES.has(code)) return 'away';
  if (code === '25P03' || code === '25P04') return 'slow';
  return undefined;
}

/** What mends it, for the operator. */
export const remedyOf = (kind: TroubleKind): string => REMEDIES[kind];

/** What it means, for whoever asked the service for something. */
export const sentenceOf = (kind: TroubleKind): string => SENTENCES[kind];

/** Whether it leaves the connection of no use: broken, silent, or to a server that will not do the work. */
export const endsConnection = (kind: TroubleKind | undefined): boolean =>
  kind !== undefined && kind !== 'full';
