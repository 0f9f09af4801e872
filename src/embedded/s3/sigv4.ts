import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { RequestHeaders } from './request-headers.js';
import { accessDenied, invalidArgument, invalidRequest, notImplemented, S3Error } from './s3-error.js';
import { encodePath, encodeRfc3986 } from './uri.js';
import type { Target } from './uri.js';

const ALGORITHM = 'AWS4-HMAC-SHA256';
const MAX_SKEW_MS = 15 * 60 * 1000;
const MAX_PRESIGNED_SECONDS = 7 * 24 * 60 * 60;

/** The one pair of keys that the endpoint knows, and the region that signatures must name. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

export interface SignedRequest {
  readonly method: string;
  readonly target: Target;
  readonly headers: RequestHeaders;
}

/** A request whose signature holds, and what is needed to check the signatures inside its body. */
export interface Authenticated {
  readonly accessKeyId: string;
  /** The signed value of x-amz-content-sha256. */
  readonly payloadHash: string;
  /** As in `20261123T101500Z`. */
  readonly timestamp: string;
  readonly scope: string;
  readonly signature: string;
  readonly signingKey: Buffer;
}

interface Claim {
  readonly accessKeyId: string;
  readonly scope: readonly string[];
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly timestamp: string;
  readonly payloadHash: string;
  readonly isPresigned: boolean;
}

/** Checks an AWS Signature Version 4 in the header or in the query. Throws what S3 would answer. */
export function authenticate(request: SignedRequest, known: Credentials, now: Date): Authenticated {
  const claim = readClaim(request, now);
  if (request.headers.get('x-amz-security-token') ?? request.target.query.get('X-Amz-Security-Token')) {
    const message =
      'The provided token is malformed or otherwise invalid: this endpoint gives out no session tokens.';
    throw new S3Error('InvalidToken', 400, message);
  }
  if (!isSame(claim.accessKeyId, known.accessKeyId)) {
    const message = 'The AWS Access Key Id you provided does not exist in our records.';
    throw new S3Error('InvalidAccessKeyId', 403, message, {
      elements: { AWSAccessKeyId: claim.accessKeyId },
    });
  }
  checkScope(claim, known.region);
  checkSignedHeaders(claim, request.headers);
  const scope = claim.scope.join('/');
  const canonical = canonicalRequest(request, claim);
  const toSign = [ALGORITHM, claim.timestamp, scope, sha256(Buffer.from(canonical, 'latin1'))].join('\n');
  const signingKey = signingKeyOf(known, claim.scope);
  if (!isSame(claim.signature, hmac(signingKey, toSign).toString('hex')))
    throw mismatch(claim, canonical, toSign);
  const { accessKeyId, payloadHash, timestamp, signature } = claim;
  return { accessKeyId, payloadHash, timestamp, scope, signature, signingKey };
}

/** The signature of the next piece of a signed body, given the one before it. */
export function signPiece(
  request: Authenticated,
  kind: string,
  previous: string,
  hashes: readonly string[],
): string {
  const toSign = [`${ALGORITHM}-${kind}`, request.timestamp, request.scope, previous, ...hashes].join('\n');
  return hmac(request.signingKey, toSign).toString('hex');
}

/** Compares without telling by its time where the first difference is. */
export function isSame(given: string, expected: string): boolean {
  // Hashed first: timingSafeEqual wants equal lengths, and the lengths are no secret then.
  return timingSafeEqual(
    createHash('sha256').update(given).digest(),
    createHash('sha256').update(expected).digest(),
  );
}

export const sha256 = (bytes: Uint8Array | string): string =>
  createHash('sha256').update(bytes).digest('hex');

const hmac = (key: Uint8Array | string, text: string): Buffer =>
  createHmac('sha256', key).update(text).digest();

const deriveKey = (secret: string, scope: readonly string[]): Buffer =>
  scope.reduce<Buffer>((key, part) => hmac(key, part), Buffer.from(`AWS4${secret}`));

/** Derived once a day: it costs four HMACs, and nearly every request names the same scope as the one before it. */
const derived = new WeakMap<Credentials, { readonly scope: string; readonly key: Buffer }>();

function signingKeyOf(known: Credentials, scope: readonly string[]): Buffer {
  const name = scope.join('/');
  const last = derived.get(known);
  if (last?.scope === name) return last.key;
  const key = deriveKey(known.secretAccessKey, scope);
  derived.set(known, { scope: name, key });
  return key;
}

function readClaim(request: SignedRequest, now: Date): Claim {
  const authorization = request.headers.get('authorization');
  const { query } = request.target;
  const isPresigned =
    query.has('X-Amz-Algorithm') || query.has('X-Amz-Signature') || query.has('X-Amz-Credential');
  if (authorization !== undefined && isPresigned) {
    throw invalidArgument('Authorization', '', 'Only one auth mechanism allowed: the header or the query.');
  }
  if (isPresigned) return readQuery(request, now);
  if (query.has('AWSAccessKeyId')) checkAlgorithm('AWS'); // Signature Version 2 in the query
  if (authorization === undefined) throw accessDenied('Access Denied: the request is not signed.');
  return readHeader(authorization, request.headers, now);
}

function readHeader(authorization: string, headers: RequestHeaders, now: Date): Claim {
  const [algorithm, rest] = splitOnce(authorization, ' ');
  checkAlgorithm(algorithm);
  const fields = new Map(rest.split(',').map((field) => splitOnce(field.trim(), '=')));
  const credential = fields.get('Credential');
  const signedHeaders = fields.get('SignedHeaders');
  const signature = fields.get('Signature');
  if (credential === undefined || signedHeaders === undefined || signature === undefined) {
    throw malformed('the header must have Credential, SignedHeaders and Signature.');
  }
  const date = headers.get('x-amz-date') ?? headers.get('date');
  const at = parseTimestamp(date);
  if (at === undefined) throw accessDenied('AWS authentication requires a valid Date or x-amz-date header');
  checkSkew(at, now);
  const payloadHash = headers.get('x-amz-content-sha256');
  if (payloadHash === undefined)
    throw invalidRequest('Missing required header for this request: x-amz-content-sha256');
  const timestamp = formatTimestamp(at);
  return {
    ...readCredential(credential),
    ...readSigned(signedHeaders, signature),
    timestamp,
    payloadHash,
    isPresigned: false,
  };
}

function readQuery({ target, headers }: SignedRequest, now: Date): Claim {
  const parameter = (name: string): string => {
    const value = target.query.get(name);
    if (value === undefined || value === '') {
      const message =
        'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.';
      throw new S3Error('AuthorizationQueryParametersError', 400, message);
    }
    return value;
  };
  checkAlgorithm(parameter('X-Amz-Algorithm'));
  const timestamp = parameter('X-Amz-Date');
  const at = parseTimestamp(timestamp);
  const expires = parameter('X-Amz-Expires');
  if (at === undefined || !/^\d{1,6}$/.test(expires) || Number(expires) > MAX_PRESIGNED_SECONDS) {
    const message =
      "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\", X-Amz-Expires a number of seconds up to a week.";
    throw new S3Error('AuthorizationQueryParametersError', 400, message);
  }
  if (at.getTime() - now.getTime() > MAX_SKEW_MS) throw accessDenied('Request is not yet valid');
  const expiresAt = new Date(at.getTime() + Number(expires) * 1000);
  if (now > expiresAt) {
    throw accessDenied('Request has expired', {
      Expires: expiresAt.toISOString(),
      ServerTime: now.toISOString(),
    });
  }
  return {
    ...readCredential(parameter('X-Amz-Credential')),
    ...readSigned(parameter('X-Amz-SignedHeaders'), parameter('X-Amz-Signature')),
    timestamp,
    payloadHash:
      headers.get('x-amz-content-sha256') ?? target.query.get('X-Amz-Content-Sha256') ?? 'UNSIGNED-PAYLOAD',
    isPresigned: true,
  };
}

function checkAlgorithm(algorithm: string): void {
  if (algorithm === ALGORITHM) return;
  if (algorithm === 'AWS4-ECDSA-P256-SHA256') throw notImplemented('Signature Version 4A');
  throw invalidRequest(
    `The authorization mechanism you have provided is not supported. Please use ${ALGORITHM}.`,
  );
}

function readCredential(credential: string): { accessKeyId: string; scope: readonly string[] } {
  const parts = credential.split('/');
  // The key id itself may hold slashes; the scope is always the last four.
  const accessKeyId = parts.slice(0, -4).join('/');
  if (accessKeyId === '') throw malformed('the Credential must be id/date/region/service/aws4_request.');
  return { accessKeyId, scope: parts.slice(-4) };
}

function readSigned(
  signedHeaders: string,
  signature: string,
): { signedHeaders: readonly string[]; signature: string } {
  if (!/^[0-9a-f]{64}$/.test(signature)) throw malformed('the Signature must be 64 hex digits.');
  if (!/^[a-z0-9-]+(;[a-z0-9-]+)*$/.test(signedHeaders))
    throw malformed('SignedHeaders must be lower-case names.');
  return { signedHeaders: signedHeaders.split(';'), signature };
}

function checkScope({ scope, timestamp }: Claim, region: string): void {
  const [date, givenRegion, service, terminator] = scope;
  if (date !== timestamp.slice(0, 8))
    throw malformed('the date in the Credential is not the date of the request.');
  if (givenRegion !== region) {
    throw malformed(`the region '${givenRegion}' is wrong; expecting '${region}'.`, { Region: region });
  }
  if (service !== 's3') throw malformed(`the service '${service}' is wrong; expecting 's3'.`);
  if (terminator !== 'aws4_request') throw malformed("the Credential must end in 'aws4_request'.");
}

function checkSkew(at: Date, now: Date): void {
  if (Math.abs(at.getTime() - now.getTime()) <= MAX_SKEW_MS) return;
  const message = 'The difference between the request time and the current time is too large.';
  const elements = {
    RequestTime: formatTimestamp(at),
    ServerTime: now.toISOString(),
    MaxAllowedSkewMilliseconds: String(MAX_SKEW_MS),
  };
  throw new S3Error('RequestTimeTooSkewed', 403, message, { elements });
}

/** What S3 acts on must be what was signed: the host and all x-amz- headers. */
function checkSignedHeaders({ signedHeaders }: Claim, headers: RequestHeaders): void {
  const required = ['host', ...headers.names().filter((name) => name.startsWith('x-amz-'))];
  const unsigned = required.filter((name) => !signedHeaders.includes(name));
  if (unsigned.length > 0) {
    const message = 'There were headers present in the request which were not signed';
    throw accessDenied(message, { HeadersNotSigned: unsigned.join(', ') });
  }
}

function canonicalRequest({ method, target, headers }: SignedRequest, claim: Claim): string {
  const path =
    target.bucket === undefined ? '' : target.bucket + (target.key === undefined ? '' : `/${target.key}`);
  return [
    method,
    // A bucket may be addressed with a slash behind it or without; the signature says which it was.
    target.hasTrailingSlash ? `/${encodePath(path)}/` : `/${encodePath(path)}`,
    canonicalQuery(target.query),
    ...claim.signedHeaders.map((name) => `${name}:${headers.canonical(name)}`),
    '',
    claim.signedHeaders.join(';'),
    claim.payloadHash,
  ].join('\n');
}

const canonicalQuery = (query: ReadonlyMap<string, string>): string =>
  [...query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encodeRfc3986(name), encodeRfc3986(value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');

function mismatch(claim: Claim, canonical: string, toSign: string): S3Error {
  const message =
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.';
  return new S3Error('SignatureDoesNotMatch', 403, message, {
    elements: {
      AWSAccessKeyId: claim.accessKeyId,
      StringToSign: toSign,
      SignatureProvided: claim.signature,
      CanonicalRequest: canonical,
    },
  });
}

const malformed = (detail: string, elements: Readonly<Record<string, string>> = {}): S3Error =>
  new S3Error('AuthorizationHeaderMalformed', 400, `The authorization you provided is malformed; ${detail}`, {
    elements,
  });

const splitOnce = (text: string, separator: string): [string, string] => {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
};

/** ISO 8601's basic form, or for the Date header HTTP's own; `undefined` for anything else. */
function parseTimestamp(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const basic = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  const iso =
    basic === null ? undefined : `${basic[1]}-${basic[2]}-${basic[3]}T${basic[4]}:${basic[5]}:${basic[6]}Z`;
  if (iso === undefined && !/^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(text))
    return undefined;
  const at = new Date(iso ?? text);
  return Number.isNaN(at.getTime()) ? undefined : at;
}

const formatTimestamp = (at: Date): string => at.toISOString().replace(/[-:]|\.\d{3}/g, '');
