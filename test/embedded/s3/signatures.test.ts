import { GetObjectCommand, HeadBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cleanUp, connect, failure, start, SECRET_ACCESS_KEY } from './endpoint-fixture.js';
import { presign, rawText, sendRaw, sha256, sign, timestamp } from './raw-client.js';
import type { RawAnswer, RawRequest } from './raw-client.js';

const Bucket = 'uploads';
const NOW = new Date('2026-11-23T12:00:00Z');
const MINUTE = 60_000;
let client: S3Client;
let port: number;
let host: string;

beforeEach(async () => {
  const started = await start({ now: () => NOW });
  ({ port } = started.endpoint);
  host = `127.0.0.1:${port}`;
  // The SDK signs with the machine's clock, corrected by this much.
  client = connect(started.endpoint.url, { systemClockOffset: NOW.getTime() - Date.now() });
  await started.endpoint.createBucket(Bucket);
});
afterEach(async () => {
  client.destroy();
  await cleanUp();
});

const send = (request: RawRequest, body = '', extra = {}): Promise<RawAnswer> =>
  sendRaw(port, rawText(request, sign({ at: NOW, ...request }, host), body, extra));

const text = async (Key: string): Promise<string | undefined> =>
  (await client.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString();

describe('signatures in the header', () => {
  it('are accepted from a second implementation', async () => {
    const request = { method: 'PUT', path: '/uploads/k', payloadHash: sha256('hello') };
    expect(await send(request, 'hello')).toMatchObject({ status: 200 });
    expect(await text('k')).toBe('hello');
    expect(await send({ path: '/uploads/k' })).toMatchObject({ status: 200, body: 'hello' });
  });

  it('are refused with the reason', async () => {
    const path = '/uploads/k';
    expect(await send({ path, secretAccessKey: 'wrong' })).toMatchObject({
      status: 403,
      code: 'SignatureDoesNotMatch',
    });
    expect(await send({ path, accessKeyId: 'wrong' })).toMatchObject({
      status: 403,
      code: 'InvalidAccessKeyId',
    });
    expect(await send({ path, region: 'eu-west-1' })).toMatchObject({
      status: 400,
      code: 'AuthorizationHeaderMalformed',
    });
    const unsigned = { path, headers: { 'x-amz-security-token': 'x' } };
    expect(await send(unsigned)).toMatchObject({ status: 400, code: 'InvalidToken' });
    expect(await send({ path }, '', { 'x-amz-meta-a': '1' })).toMatchObject({
      status: 403,
      code: 'AccessDenied',
    });
    expect(
      await sendRaw(port, `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`),
    ).toMatchObject({
      status: 403,
      code: 'AccessDenied',
    });
  });

  it('never show the secret', async () => {
    const answer = await send({ path: '/uploads/k', secretAccessKey: 'wrong' });
    expect(answer.body).toContain('<CanonicalRequest>');
    expect(answer.body).not.toContain(SECRET_ACCESS_KEY);
  });

  it('hold for 15 minutes either way', async () => {
    const at = (ms: number) => send({ path: '/uploads', method: 'HEAD', at: new Date(NOW.getTime() + ms) });
    expect(await at(15 * MINUTE)).toMatchObject({ status: 200 });
    expect(await at(-15 * MINUTE)).toMatchObject({ status: 200 });
    for (const ms of [16 * MINUTE, -16 * MINUTE]) {
      const answer = await send({ path: '/uploads', at: new Date(NOW.getTime() + ms) });
      expect(answer).toMatchObject({ status: 403, code: 'RequestTimeTooSkewed' });
    }
  });

  it('cover the body', async () => {
    const request = { method: 'PUT', path: '/uploads/k', payloadHash: sha256('hello') };
    expect(await send(request, 'hellO')).toMatchObject({ status: 400, code: 'XAmzContentSHA256Mismatch' });
    expect(await failure(text('k'))).toMatchObject({ name: 'NoSuchKey' });
  });

  it.each([
    'AWS4-HMAC-SHA256',
    'AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host',
    'AWS4-HMAC-SHA256 Credential=/////, SignedHeaders=host, Signature=zz',
    `AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
    'AWS abc:def',
    'Bearer x',
    '=,=,=',
    'AWS4-ECDSA-P256-SHA256 x',
  ])('of garbage are refused: %s', async (authorization) => {
    const lines = `x-amz-date: ${timestamp(NOW)}\r\nx-amz-content-sha256: UNSIGNED-PAYLOAD\r\nauthorization: ${authorization}`;
    const answer = await sendRaw(
      port,
      `GET / HTTP/1.1\r\nhost: ${host}\r\n${lines}\r\nconnection: close\r\n\r\n`,
    );
    expect([400, 403, 501]).toContain(answer.status);
    expect(answer.code).toBeTruthy();
  });

  it.each(['', 'x', '20261123T1200', '20261399T999999Z', 'Mon, 99 Foo 2026 00:00:00 GMT', '0'.repeat(500)])(
    'with the date %j are refused',
    async (date) => {
      const headers = {
        ...sign({ path: '/', at: NOW }, host).headers,
        'x-amz-date': date,
        connection: 'close',
      };
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      expect(await sendRaw(port, `GET / HTTP/1.1\r\n${lines.join('')}\r\n`)).toMatchObject({
        status: 403,
        code: 'AccessDenied',
      });
    },
  );
});

describe('presigned addresses', () => {
  const fetchPath = (path: string, init = {}) => fetch(`http://${host}${path}`, init);
  const code = async (path: string): Promise<string | undefined> =>
    /<Code>(.*?)</.exec(await (await fetchPath(path)).text())?.[1];

  it('read and write without other headers', async () => {
    const put = await fetchPath(presign({ method: 'PUT', path: '/uploads/a%20b', at: NOW }, host, 60), {
      method: 'PUT',
      body: 'hi',
    });
    expect(put.status).toBe(200);
    const query = 'response-content-type=text%2Fx-test';
    const got = await fetchPath(presign({ path: '/uploads/a%20b', query, at: NOW }, host, 60));
    expect([got.status, await got.text(), got.headers.get('content-type')]).toEqual([
      200,
      'hi',
      'text/x-test',
    ]);
  });

  it('expire, and are not valid before their time', async () => {
    const at = (ms: number): Date => new Date(NOW.getTime() + ms);
    expect(await code(presign({ path: '/uploads/k', at: at(-61_000) }, host, 60))).toBe('AccessDenied');
    expect(await code(presign({ path: '/uploads/k', at: at(-59_000) }, host, 60))).toBe('NoSuchKey');
    expect(await code(presign({ path: '/uploads/k', at: at(16 * MINUTE) }, host, 60))).toBe('AccessDenied');
    for (const expires of [604_801, -1, 'x', '']) {
      expect(await code(presign({ path: '/uploads/k', at: NOW }, host, expires))).toBe(
        'AuthorizationQueryParametersError',
      );
    }
  });

  it('hold for what was signed only', async () => {
    const path = presign({ path: '/uploads/k', at: NOW }, host, 60);
    expect(await code(path.replace('/k?', '/other?'))).toBe('SignatureDoesNotMatch');
    expect(await code(`${path}&versionId=null`)).toBe('SignatureDoesNotMatch');
    expect(await code(path.replace('X-Amz-Expires=60', 'X-Amz-Expires=6000'))).toBe('SignatureDoesNotMatch');
    expect(await code(`${path}&X-Amz-Date=1`)).toBe('InvalidArgument');
    expect((await fetchPath(path, { method: 'DELETE' })).status).toBe(403);
    expect((await fetchPath(path, { headers: { 'x-amz-meta-a': '1' } })).status).toBe(403);
  });
});

describe('signed chunks', () => {
  const CHUNK = 8192;
  const BODY = 'x'.repeat(CHUNK) + 'y'.repeat(100);

  /** An upload in the coding that older SDKs use: each chunk carries a signature over the one before. */
  const chunked = async (change: (wire: string) => string, trailer?: string): Promise<RawAnswer> => {
    const mode = `STREAMING-AWS4-HMAC-SHA256-PAYLOAD${trailer === undefined ? '' : '-TRAILER'}`;
    const names: Record<string, string> =
      trailer === undefined ? {} : { 'x-amz-trailer': trailer.split(':')[0] ?? '' };
    const headers = {
      'content-encoding': 'aws-chunked,gzip',
      'x-amz-decoded-content-length': String(BODY.length),
      ...names,
    };
    const request = { method: 'PUT', path: '/uploads/k', payloadHash: mode, headers, at: NOW };
    const signed = sign(request, host);
    let previous = signed.signature;
    let wire = '';
    for (const piece of [BODY.slice(0, CHUNK), BODY.slice(CHUNK), '']) {
      previous = signed.signPiece('PAYLOAD', previous, sha256(''), sha256(piece));
      wire += `${piece.length.toString(16)};chunk-signature=${previous}\r\n${piece}${piece === '' ? '' : '\r\n'}`;
    }
    if (trailer !== undefined) {
      wire += `${trailer}\r\nx-amz-trailer-signature:${signed.signPiece('TRAILER', previous, sha256(`${trailer}\n`))}\r\n`;
    }
    return sendRaw(port, rawText(request, signed, change(`${wire}\r\n`)));
  };

  it('are decoded, and the coding is not kept with the object', async () => {
    expect(await chunked((wire) => wire)).toMatchObject({ status: 200 });
    const got = await client.send(new GetObjectCommand({ Bucket, Key: 'k' }));
    expect(await got.Body?.transformToString()).toBe(BODY);
    expect(got.ContentEncoding).toBe('gzip');
  });

  it('with a signed trailer are verified', async () => {
    const trailer = `x-amz-checksum-sha256:${Buffer.from(sha256(BODY), 'hex').toString('base64')}`;
    expect(await chunked((wire) => wire, trailer)).toMatchObject({ status: 200 });
    expect(
      await chunked((wire) => wire.replace('trailer-signature:', 'trailer-signature:0'), trailer),
    ).toMatchObject({
      code: 'SignatureDoesNotMatch',
    });
    const wrong = `x-amz-checksum-sha256:${Buffer.alloc(32).toString('base64')}`;
    expect(await chunked((wire) => wire, wrong)).toMatchObject({ status: 400, code: 'BadDigest' });
  });

  it.each([
    ['a changed byte', (wire: string) => wire.replace('yyy', 'yzy'), 'SignatureDoesNotMatch'],
    [
      'chunks in another order',
      (wire: string) => wire.replace(/^(2000.*?\r\nx+\r\n)(64.*?\r\ny+\r\n)/s, '$2$1'),
      'SignatureDoesNotMatch',
    ],
    ['no last chunk', (wire: string) => wire.slice(0, wire.indexOf('0;chunk')), 'IncompleteBody'],
    ['a missing chunk', (wire: string) => wire.replace(/64;.*?\r\ny+\r\n/s, ''), 'SignatureDoesNotMatch'],
    ['no signature', (wire: string) => wire.replace(/;chunk-signature=[0-9a-f]+/, ''), 'IncompleteBody'],
    ['a negative size', (wire: string) => wire.replace('2000;', '-200;'), 'IncompleteBody'],
    ['a huge size', (wire: string) => wire.replace('2000;', 'ffffffffff;'), 'IncompleteBody'],
    [
      'a long chunk header',
      (wire: string) => wire.replace('2000;', `2000;${'x'.repeat(5000)};`),
      'InvalidRequest',
    ],
    ['something at the end', (wire: string) => `${wire}more`, 'InvalidRequest'],
  ])('with %s store nothing', async (_what, change, code) => {
    expect(await chunked(change)).toMatchObject({ code });
    expect(await failure(text('k'))).toMatchObject({ name: 'NoSuchKey' });
  });
});

describe('unsigned chunks with a trailer', () => {
  const put = (wire: string, length: number, trailer = 'x-amz-checksum-crc32') => {
    const headers = { 'x-amz-decoded-content-length': String(length), 'x-amz-trailer': trailer };
    return send(
      { method: 'PUT', path: '/uploads/k', payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', headers },
      wire,
    );
  };

  it('are verified against the trailer', async () => {
    const wire = (sum: string) => `9\r\n123456789\r\n0\r\n${sum}\r\n\r\n`;
    expect(await put(wire('x-amz-checksum-crc32:y/Q5Jg=='), 9)).toMatchObject({ status: 200 });
    expect(await put(wire('x-amz-checksum-crc32:AAAAAA=='), 9)).toMatchObject({
      status: 400,
      code: 'BadDigest',
    });
    expect(await put(wire('x-amz-checksum-crc32:nonsense'), 9)).toMatchObject({
      status: 400,
      code: 'InvalidRequest',
    });
    expect(await put(wire('x-amz-checksum-sha1:y/Q5Jg=='), 9)).toMatchObject({
      code: 'MalformedTrailerError',
    });
    expect(await put(wire('nonsense'), 9)).toMatchObject({ code: 'MalformedTrailerError' });
    expect(await put('9\r\n123456789\r\n0\r\n\r\n', 9)).toMatchObject({ code: 'MalformedTrailerError' });
    expect(await put(wire('x-amz-checksum-crc32:y/Q5Jg=='), 8)).toMatchObject({ code: 'IncompleteBody' });
    expect(await put(wire('x-amz-checksum-crc32:y/Q5Jg=='), 10)).toMatchObject({ code: 'IncompleteBody' });
    expect(
      await put('4\r\n1234\r\n5\r\n56789\r\n0\r\nx-amz-checksum-crc32:y/Q5Jg==\r\n\r\n', 9),
    ).toMatchObject({
      code: 'InvalidChunkSizeError',
    });
    expect(await put(wire('x-amz-checksum-xxhash64:y/Q5Jg=='), 9, 'x-amz-checksum-xxhash64')).toMatchObject({
      status: 501,
    });
  });
});

describe('the region', () => {
  it('is said to clients that ask in another one', async () => {
    const elsewhere = connect(`http://${host}`, {
      region: 'eu-west-1',
      systemClockOffset: NOW.getTime() - Date.now(),
    });
    const put = new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' });
    expect(await failure(elsewhere.send(put))).toMatchObject({
      name: 'AuthorizationHeaderMalformed',
      status: 400,
    });
    elsewhere.destroy();
    await client.send(new HeadBucketCommand({ Bucket }));
  });
});
