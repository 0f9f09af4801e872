import { createHash, createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY } from './endpoint-fixture.js';

/** A second, independent signer, for requests that no SDK would send. */
export interface RawRequest {
  readonly method?: string;
  /** Encoded as it goes over the wire. */
  readonly path: string;
  /** Encoded and sorted. */
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly payloadHash?: string;
  readonly at?: Date;
  readonly region?: string;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
}

export const sha256 = (bytes: string | Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

export const timestamp = (at: Date): string => at.toISOString().replace(/[-:]|\.\d{3}/g, '');

export interface Signed {
  readonly headers: Readonly<Record<string, string>>;
  readonly signature: string;
  /** Signs what a piece of the body says, as in `AWS4-HMAC-SHA256-PAYLOAD`. */
  readonly signPiece: (kind: string, previous: string, ...hashes: string[]) => string;
}

function signer(request: RawRequest) {
  const { at = new Date(), region = REGION, secretAccessKey = SECRET_ACCESS_KEY } = request;
  const date = timestamp(at);
  const scope = `${date.slice(0, 8)}/${region}/s3/aws4_request`;
  const key = scope
    .split('/')
    .reduce((sum: string | Buffer, part) => hmac(sum, part), `AWS4${secretAccessKey}`);
  const signLines = (kind: string, ...lines: string[]): string =>
    hmac(key, [kind, date, scope, ...lines].join('\n')).toString('hex');
  return { date, scope, signLines, credential: `${request.accessKeyId ?? ACCESS_KEY_ID}/${scope}` };
}

export function sign(request: RawRequest, host: string): Signed {
  const { date, signLines, credential } = signer(request);
  const payloadHash = request.payloadHash ?? 'UNSIGNED-PAYLOAD';
  const headers: Record<string, string> = {
    ...request.headers,
    host,
    'x-amz-content-sha256': payloadHash,
    'x-amz-date': date,
  };
  const names = Object.keys(headers).toSorted();
  const canonical = [
    request.method ?? 'GET',
    request.path,
    request.query ?? '',
    ...names.map((name) => `${name}:${headers[name]}`),
    '',
    names.join(';'),
    payloadHash,
  ].join('\n');
  const signature = signLines('AWS4-HMAC-SHA256', sha256(Buffer.from(canonical, 'latin1')));
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return {
    headers: { ...headers, authorization },
    signature,
    signPiece: (kind, previous, ...hashes) => signLines(`AWS4-HMAC-SHA256-${kind}`, previous, ...hashes),
  };
}

/** A presigned path with its query. */
export function presign(request: RawRequest, host: string, expires: number | string): string {
  const { date, signLines, credential } = signer(request);
  const query = [
    ...(request.query ?? '').split('&').filter((each) => each !== ''),
    'X-Amz-Algorithm=AWS4-HMAC-SHA256',
    `X-Amz-Credential=${encodeURIComponent(credential)}`,
    `X-Amz-Date=${date}`,
    `X-Amz-Expires=${expires}`,
    'X-Amz-SignedHeaders=host',
  ].toSorted();
  const canonical = [
    request.method ?? 'GET',
    request.path,
    query.join('&'),
    `host:${host}`,
    '',
    'host',
    'UNSIGNED-PAYLOAD',
  ];
  const signature = signLines('AWS4-HMAC-SHA256', sha256(canonical.join('\n')));
  return `${request.path}?${query.join('&')}&X-Amz-Signature=${signature}`;
}

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
  /** The code in an error's XML. */
  readonly code: string | undefined;
}

/** Sends bytes as they are and reads until the server closes. */
export async function sendRaw(
  port: number,
  bytes: string | Uint8Array,
  { end = false } = {},
): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1');
  const pieces: Buffer[] = [];
  await new Promise<void>((resolve, reject) => {
    socket.on('data', (piece) => pieces.push(piece));
    socket.on('error', reject);
    socket.on('close', () => resolve());
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    if (end) socket.end();
  }).catch((error: unknown) => {
    if (pieces.length === 0) throw error;
  });
  return readAnswer(Buffer.concat(pieces).toString('latin1'));
}

export function readAnswer(text: string): RawAnswer {
  const final = text.replace(/^HTTP\/1\.1 100 [^\r]*\r\n\r\n/, '');
  const split = final.indexOf('\r\n\r\n');
  const body = final.slice(split + 4);
  return {
    status: Number(final.split(' ')[1]),
    head: final.slice(0, split),
    body,
    code: /<Code>(.*?)<\/Code>/.exec(body)?.[1],
  };
}

/** The text of a signed request; `Connection: close`, so that the answer has an end. */
export function rawText(
  request: RawRequest,
  signed: Signed,
  body = '',
  extra: Readonly<Record<string, string>> = {},
): string {
  const headers = {
    'content-length': String(Buffer.byteLength(body, 'latin1')),
    ...signed.headers,
    connection: 'close',
    ...extra,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const query = request.query === undefined ? '' : `?${request.query}`;
  return `${request.method ?? 'GET'} ${request.path}${query} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}
