import { connect as connectSocket } from 'node:net';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ListBucketsCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { assert, asyncProperty, constantFrom, oneof, string, uint8Array } from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseXml } from '../../../src/embedded/s3/parse-xml.js';
import { cleanUp, start } from './endpoint-fixture.js';
import { presign, rawText, readAnswer, sendRaw, sha256, sign } from './raw-client.js';
import type { RawAnswer, RawRequest } from './raw-client.js';

const Bucket = 'uploads';
const errors: unknown[] = [];
let client: S3Client;
let port: number;
let host: string;
let directory: string;

beforeEach(async () => {
  errors.length = 0;
  const logger = { info: () => {}, warn: () => {}, error: (fields: object) => errors.push(fields) };
  const timings = { headersMs: 200, bodyIdleMs: 100, slowBodyMs: 300, drainMs: 100 };
  const started = await start({ logger, timings });
  ({ client, directory } = started);
  ({ port } = started.endpoint);
  host = `127.0.0.1:${port}`;
  await started.endpoint.createBucket(Bucket);
});
afterEach(async () => {
  // Whatever a client did (it may have deleted the bucket), nothing of it was a fault of the server, and it still serves.
  expect(errors).toEqual([]);
  await client.send(new ListBucketsCommand({}));
  await cleanUp();
});

const send = (request: RawRequest, body = '', extra = {}): Promise<RawAnswer> =>
  sendRaw(port, rawText(request, sign(request, host), body, extra));

const post = (query: string, body: string, method = 'POST'): Promise<RawAnswer> =>
  send(
    { method, path: query === 'delete=' ? '/uploads' : '/uploads/k', query, payloadHash: sha256(body) },
    body,
  );

const expectNothingStored = async (): Promise<void> => {
  await expect.poll(() => readdir(join(directory, 'incoming'))).toEqual([]);
  expect(await readdir(join(directory, 'blobs'))).toEqual([]);
  expect((await client.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0);
};

describe('XML from outside', () => {
  it.each([
    ['nothing', ''],
    ['text', 'hello'],
    ['an unclosed element', '<Tagging><TagSet>'],
    ['crossed elements', '<Tagging><TagSet></Tagging></TagSet>'],
    ['two roots', '<Tagging><TagSet/></Tagging><Tagging/>'],
    ['another root', '<Other/>'],
    ['a document type', '<!DOCTYPE x [<!ENTITY a "b">]><Tagging><TagSet/></Tagging>'],
    ['an unknown entity', '<Tagging><TagSet><Tag><Key>&a;</Key><Value/></Tag></TagSet></Tagging>'],
    [
      'a prototype name as entity',
      '<Tagging><TagSet><Tag><Key>&toString;</Key><Value/></Tag></TagSet></Tagging>',
    ],
    ['a bare ampersand', '<Tagging><TagSet><Tag><Key>a&b</Key><Value/></Tag></TagSet></Tagging>'],
    ['a surrogate reference', '<Tagging><TagSet><Tag><Key>&#xD800;</Key><Value/></Tag></TagSet></Tagging>'],
    ['a processing instruction', '<?php x ?><Tagging><TagSet/></Tagging>'],
    ['deep nesting', '<a>'.repeat(10_000)],
    ['bytes that are not UTF-8', '<Tagging>\xff\xfe</Tagging>'],
    ['an unquoted attribute', '<Tagging a=b><TagSet/></Tagging>'],
    ['long names that come to nothing', `<${'a'.repeat(30_000)}`],
    ['long blanks that come to nothing', `<a${' '.repeat(30_000)}`],
    ['a tag without a value', '<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>'],
    ['two keys in a tag', '<Tagging><TagSet><Tag><Key>a</Key><Key>b</Key><Value/></Tag></TagSet></Tagging>'],
  ])('that is %s is refused as malformed', async (_what, body) => {
    await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }));
    const bytes = Buffer.from(body, 'latin1');
    const request = { method: 'PUT', path: '/uploads/k', query: 'tagging=', payloadHash: sha256(bytes) };
    expect(await send(request, body)).toMatchObject({ status: 400, code: 'MalformedXML' });
  });

  it('that is too large is refused without reading it', async () => {
    const request = { method: 'PUT', path: '/uploads/k', query: 'tagging=' };
    expect(await send(request, 'x'.repeat(70_000))).toMatchObject({ status: 400, code: 'EntityTooLarge' });
  });

  it('may have namespaces, comments, references and sections of character data', () => {
    const root = parseXml(
      Buffer.from(
        '<?xml version="1.0"?><!-- a --><s:T xmlns:s="u"><K a=\'1\'>&lt;&#65;&#x42;</K><V><![CDATA[<&>]]></V></s:T>\n',
      ),
    );
    expect(root).toMatchObject({
      name: 'T',
      children: [
        { name: 'K', text: '<AB' },
        { name: 'V', text: '<&>' },
      ],
    });
  });

  it('of any kind never gives more than a refusal', async () => {
    const piece = constantFrom(
      '<a>',
      '</a>',
      '<a/>',
      '&lt;',
      '&',
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      'x',
      '<',
      '>',
      '"',
      ' ',
      '<?',
    );
    await assert(
      asyncProperty(oneof(string({ unit: piece, maxLength: 20 }), string()), async (body) => {
        try {
          parseXml(Buffer.from(body));
        } catch (error) {
          expect(error).toMatchObject({ code: 'MalformedXML' });
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('with a thousand and one deletes, or none, is refused', async () => {
    const body = (count: number) => `<Delete>${'<Object><Key>k</Key></Object>'.repeat(count)}</Delete>`;
    for (const count of [0, 1001]) {
      const md5 = { 'content-md5': Buffer.alloc(16).toString('base64') };
      const text = body(count);
      const request = {
        method: 'POST',
        path: '/uploads',
        query: 'delete=',
        payloadHash: sha256(text),
        headers: md5,
      };
      expect((await send(request, text)).code).toBe('BadDigest');
      expect((await post('delete=', text)).code).toBe('InvalidRequest');
    }
  });
});

describe('requests over a raw socket', () => {
  it.each([
    ['garbage', 'GARBAGE\r\n\r\n'],
    ['another version', 'GET / HTTP/9.9\r\n\r\n'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['headers beyond 16 KB', `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`],
    ['a negative length', 'PUT /uploads/k HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n'],
    ['two lengths', 'PUT /uploads/k HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n'],
    [
      'two kinds of length',
      'PUT /uploads/k HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\nzz',
    ],
    ['an absolute address', 'GET http://elsewhere/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'],
    ['a broken escape', 'GET /%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'],
    ['a path that is not UTF-8', 'GET /%ff%fe/x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'],
    ['a query that is not UTF-8', 'GET /b/k?a=%C3 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'],
    ['a parameter twice', 'GET /b/k?a=1&a=2 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'],
  ])('that cannot be read get 400: %s', async (_what, wire) => {
    expect(await sendRaw(port, Buffer.from(wire, 'latin1'))).toMatchObject({
      status: 400,
      code: expect.any(String),
    });
  });

  it('without a signature get 403 whatever they ask', async () => {
    for (const line of [
      'GET /',
      'DELETE /uploads',
      'OPTIONS /uploads',
      'PUT /uploads/../../etc/passwd',
      'PATCH /uploads/k',
    ]) {
      const answer = await sendRaw(port, `${line} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
      expect(answer).toMatchObject({ status: 403, code: 'AccessDenied' });
    }
  });

  it('for what is not done get 405 or 501', async () => {
    expect(await send({ method: 'PATCH', path: '/uploads/k' })).toMatchObject({ status: 405 });
    expect(await send({ method: 'POST', path: '/uploads' })).toMatchObject({ status: 405 });
    for (const [method, path, query] of [
      ['PUT', '/uploads', 'acl='],
      ['GET', '/uploads', 'policy='],
      ['DELETE', '/uploads', 'lifecycle='],
      ['PUT', '/uploads/k', 'acl='],
      ['PUT', '/uploads/k', 'retention='],
      ['POST', '/uploads/k', 'restore='],
      ['DELETE', '/uploads/k', 'annotation='],
      ['GET', '/uploads/k', 'torrent='],
      ['GET', '/uploads', 'list-type=2&unheard-of=1'],
    ] as const) {
      expect(await send({ method, path, query })).toMatchObject({ status: 501, code: 'NotImplemented' });
    }
    await expectNothingStored();
  });

  it('with any path, query and method never give a 500', async () => {
    const word = oneof(
      constantFrom(
        'uploads',
        'k',
        '',
        '..',
        '.',
        '%00',
        '%2F',
        '%',
        'ä',
        '?',
        '#',
        '&',
        '=',
        'versionId',
        'uploadId',
        'partNumber',
        'tagging',
        'list-type',
        'versions',
        'max-keys',
        '-1',
        'null',
      ),
      string({ maxLength: 4 }),
    );
    const method = constantFrom('GET', 'HEAD', 'PUT', 'POST', 'DELETE');
    const run = async (verb: string, a: string, b: string, c: string, d: string): Promise<void> => {
      const path = `/${encodeURIComponent(a)}/${encodeURIComponent(b)}`.replaceAll("'", '%27');
      const query = `${encodeURIComponent(c)}=${encodeURIComponent(d)}`.replaceAll(/[!'()*]/g, '');
      const request = { method: verb, path, query: c === '' ? '' : query };
      const answer = await send(request);
      expect(answer.status === 501 || answer.status < 500, `${verb} ${path}?${query}: ${answer.status}`).toBe(
        true,
      );
    };
    await assert(asyncProperty(method, word, word, word, word, run), { numRuns: 200 });
  });
});

describe('clients that do not finish', () => {
  const begin = (length: number, more: Record<string, string> = {}): string => {
    const request = { method: 'PUT', path: '/uploads/k' };
    return rawText(request, sign(request, host), '', { 'content-length': String(length), ...more });
  };

  it('and hang up in the middle of an upload leave nothing', async () => {
    const socket = connectSocket(port, '127.0.0.1');
    socket.write(begin(1_000_000) + 'x'.repeat(100_000));
    await expect.poll(async () => (await readdir(join(directory, 'incoming'))).length).toBe(1);
    socket.destroy();
    await expectNothingStored();
  });

  it('and reset the connection in the middle of an upload leave nothing', async () => {
    const socket = connectSocket(port, '127.0.0.1');
    socket.write(begin(1_000_000) + 'x'.repeat(100_000));
    await expect.poll(async () => (await readdir(join(directory, 'incoming'))).length).toBe(1);
    socket.resetAndDestroy();
    await expectNothingStored();
  });

  it('and fall silent in the middle of an upload are told and cut off', async () => {
    expect(await sendRaw(port, `${begin(1000)}abc`)).toMatchObject({ status: 400, code: 'RequestTimeout' });
    await expectNothingStored();
  });

  it('and trickle are told and cut off', async () => {
    const socket = connectSocket(port, '127.0.0.1');
    socket.write(begin(100_000));
    const trickle = setInterval(() => socket.write('x'), 20);
    const [answer] = await once(socket, 'data');
    clearInterval(trickle);
    socket.destroy();
    expect(readAnswer(String(answer)).status).toBe(400);
    await expectNothingStored();
  });

  it('and break their own coding in the middle are cut off', async () => {
    const headers = { 'x-amz-decoded-content-length': '10' };
    const request = {
      method: 'PUT',
      path: '/uploads/k',
      payloadHash: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
      headers,
    };
    const lines = Object.entries(sign(request, host).headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const socket = connectSocket(port, '127.0.0.1');
    socket.write(
      `PUT /uploads/k HTTP/1.1\r\n${lines.join('')}transfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n`,
    );
    await expect.poll(async () => (await readdir(join(directory, 'incoming'))).length).toBe(1);
    socket.on('error', () => {}).resume();
    socket.write('ZZZZ\r\n');
    await once(socket, 'close');
    await expectNothingStored();
  });

  it('and end their side in the middle of an upload leave nothing', async () => {
    await sendRaw(port, `${begin(1000)}abc`, { end: true }).catch(() => {});
    await expectNothingStored();
  });

  it('and never finish their headers are cut off', async () => {
    expect(await sendRaw(port, 'GET / HTTP/1.1\r\nhost: x\r\nx: ')).toMatchObject({
      status: 400,
      code: 'RequestTimeout',
    });
  });

  it('and do not wait to be told to go on see the refusal all the same', async () => {
    const length = 3_000_000;
    const request = { method: 'PUT', path: '/nothing/k' };
    const wire = rawText(request, sign(request, host), 'x'.repeat(length));
    expect(await sendRaw(port, wire)).toMatchObject({ status: 404, code: 'NoSuchBucket' });
  });

  it('are told to go on only when the request is good', async () => {
    const refused = { method: 'PUT', path: '/nothing/k' };
    const expectation = { 'content-length': '3', expect: '100-continue' };
    const answer = await sendRaw(port, rawText(refused, sign(refused, host), '', expectation));
    expect(answer).toMatchObject({ status: 404, code: 'NoSuchBucket' });

    const good = { method: 'PUT', path: '/uploads/k' };
    const socket = connectSocket(port, '127.0.0.1');
    socket.write(rawText(good, sign(good, host), '', expectation));
    const [first] = await once(socket, 'data');
    expect(String(first)).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write('abc');
    const [second] = await once(socket, 'data');
    expect(readAnswer(String(second)).status).toBe(200);
    socket.destroy();
  });

  it('and announce too much, or nothing, are refused', async () => {
    expect(await sendRaw(port, begin(5 * 1024 ** 3 + 1))).toMatchObject({ code: 'EntityTooLarge' });
    const request = { method: 'PUT', path: '/uploads/k' };
    const headers = Object.entries(sign(request, host).headers).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    const wire = `PUT /uploads/k HTTP/1.1\r\n${headers.join('')}connection: close\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`;
    expect(await sendRaw(port, wire)).toMatchObject({ status: 411, code: 'MissingContentLength' });
    await expectNothingStored();
  });

  it('and read nothing of a large object do not fill the memory', async () => {
    const size = 64 * 1024 * 1024;
    await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: Buffer.alloc(size) }));
    const before = process.memoryUsage().arrayBuffers;
    const sockets = Array.from({ length: 8 }, () => {
      const socket = connectSocket(port, '127.0.0.1').pause();
      socket.write(`GET ${presign({ path: '/uploads/k' }, host, 60)} HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
      return socket;
    });
    await expect.poll(() => sockets.filter((socket) => socket.bytesWritten > 0).length).toBe(8);
    await client.send(new ListObjectsV2Command({ Bucket }));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024);
    for (const socket of sockets) socket.destroy();
  });
});

describe('aws-chunked bodies', () => {
  it('of any bytes never give a 500', async () => {
    const headers = { 'x-amz-decoded-content-length': '10', 'x-amz-trailer': 'x-amz-checksum-crc32' };
    const request = {
      method: 'PUT',
      path: '/uploads/k',
      payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      headers,
    };
    const run = async (bytes: Uint8Array): Promise<void> => {
      const answer = await send(request, Buffer.from(bytes).toString('latin1'));
      expect(answer.status).toBe(400);
    };
    const text = string({
      unit: constantFrom('a', '0', '1', '\r\n', ';', ':', 'chunk-signature='),
      maxLength: 20,
    });
    const wire = oneof(
      uint8Array({ maxLength: 40 }),
      text.map((each) => Buffer.from(each)),
    );
    await assert(asyncProperty(wire, run), { numRuns: 150 });
    await expectNothingStored();
  });
});
