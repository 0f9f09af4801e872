import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Body, Controller, Get, Module, Param, Post, Query } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readConfig } from '../../src/config.js';
import { Unauthorized } from '../../src/errors.js';
import { createAdapter, furnish } from '../../src/http/server.js';
import { eventually } from '../support/eventually.js';
import { ErrorFilter } from '../../src/ops/error.filter.js';
import { LOG, loggablePath } from '../../src/ops/log.js';

const Size = z.object({ width: z.literal('1') });
const Page = z.strictObject({ limit: z.literal('1').optional(), colour: z.string().optional() });

@Controller()
class Routes {
  @Post(['api/thing', 'api/v1/thing', 'api/v1/session'])
  take(@Body() body: unknown) {
    return { got: typeof body };
  }
  @Get(['api/tasks/poll/t', 'api/v1/thing'])
  look() {
    return { got: 'nothing' };
  }
  @Post('api/v1/sized/:size')
  sized(
    @Param('size', { schema: z.literal('small') }) size: string,
    @Query({ schema: Page }) page: unknown,
    @Query('colour', { schema: z.literal('red').optional() }) colour: unknown,
    @Body('outer', { schema: Size.optional() }) outer: unknown,
  ) {
    return { size, page, colour, outer };
  }
}

const log = pino({ level: 'silent' });
@Module({ controllers: [Routes], providers: [ErrorFilter, { provide: LOG, useValue: log }] })
class TestModule {}

let app: NestFastifyApplication;
let server: FastifyInstance;
let port: number;
let identified = 0;
const webRoot = mkdtempSync(join(tmpdir(), 'http-server-'));
mkdirSync(join(webRoot, 'assets'));
writeFileSync(join(webRoot, 'index.html'), '<title>The UI</title>');

beforeAll(async () => {
  app = await NestFactory.create<NestFastifyApplication>(
    TestModule,
    await createAdapter(readConfig({ PUBLIC_URL: 'https://scan.example.com' }), log),
    { logger: false, bodyParser: false, abortOnError: false },
  );
  await furnish(app, webRoot, async (request) => {
    identified += 1;
    if (request.headers.authorization !== 'right') throw new Unauthorized('Log in first.');
  });
  await app.listen(0, '127.0.0.1');
  server = app.getHttpAdapter().getInstance();
  const address = app.getHttpServer().address() as { port: number };
  port = address.port;
});
afterAll(async () => {
  await app.close();
  rmSync(webRoot, { recursive: true });
});

const ask = async (options: InjectOptions) => {
  const answer = await server.inject({
    ...options,
    headers: { host: 'localhost', ...options.headers },
  });
  return { status: answer.statusCode, body: answer.body };
};
const post = (url: string, payload: string, headers: Record<string, string> = {}) =>
  ask({ method: 'POST', url, payload, headers: { 'content-type': 'application/json', ...headers } });

/** The first line of the answer to exactly these lines. */
const raw = (...lines: string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () =>
      socket.end(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`),
    );
    let answer = '';
    socket.on('data', (bytes) => (answer += bytes.toString('latin1')));
    socket.on('close', () => resolve(answer.split('\r\n', 1)[0] ?? ''));
    socket.on('error', reject);
  });

describe('the HTTP server', () => {
  it.each([
    ['/api/v1/thing/%', 'application/problem+json', 'detail'],
    ['/api/thing/%zz', 'application/json', 'retryable'],
  ])('answers an address that cannot be decoded as it answers everything: %s', async (url, type, field) => {
    const answer = await server.inject({ url, headers: { host: 'localhost' } });
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toContain(type);
    expect(answer.json()).toHaveProperty(field);
  });

  it('says of its answers that they are the API’s, and not of a page of the UI', async () => {
    for (const [url, says] of [
      ['/openapi.json', 'v1'],
      ['/api/v1/nothing', 'v1'],
      ['/executions', undefined],
    ] as const) {
      const { headers } = await server.inject({ method: 'GET', url, headers: { host: 'localhost' } });
      expect(headers['sallyport-api']).toBe(says);
    }
  });

  it.each(['/', '/executions', '/reviews/1', '//executions', '/apiary'])(
    'answers with the UI where a page of it may be: %s',
    async (url) => {
      const answer = await ask({ method: 'GET', url });
      expect(answer).toEqual({ status: 200, body: '<title>The UI</title>' });
    },
  );

  it.each([
    '/api/v1/nothing',
    '//api/v1/thing',
    '///api//v1/thing',
    '/API/V1/thing',
    '/Api/nothing',
    '/%41PI/v1/thing',
    '/api',
    '//health/live',
    '/Metrics',
    '/OpenAPI.json?x=1',
  ])('answers with an honest 404 where a client of the API is wrong: %s', async (url) => {
    const answer = await server.inject({ url, headers: { host: 'localhost' } });
    expect(answer.statusCode).toBe(404);
    expect(answer.headers['content-type']).toContain('json');
    expect(answer.json()).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  });

  it.each([
    ['/api/v1/sized/large', {}, ['size']],
    ['/api/v1/sized/small?limit=2', {}, ['limit']],
    ['/api/v1/sized/small?limit=1&other=2', {}, ['query']],
    ['/api/v1/sized/small?colour=blue', {}, ['colour']],
    ['/api/v1/sized/small', { outer: 1 }, ['outer']],
    ['/api/v1/sized/small', { outer: { width: '2' } }, ['outer.width']],
    ['/api/v1/sized/small?limit=1', { outer: { width: '1' } }, undefined],
  ])('names the place of what is wrong with an input: %s %j', async (url, body, places) => {
    const answer = JSON.parse((await post(url, JSON.stringify(body))).body) as {
      errors?: { path: string }[];
    };
    expect(answer.errors?.map(({ path }) => path)).toEqual(places);
  });

  it('reads a large body only for somebody who has logged in', async () => {
    const large = JSON.stringify({ text: 'x'.repeat(9_500_000) });
    expect((await post('/api/v1/thing', large)).status).toBe(401);
    expect((await post('/api/v1/thing', large, { authorization: 'right' })).status).toBe(201);
    expect((await post('/api/v1/thing', '{}')).status).toBe(201);
  });

  it('lets a large body wait while there are as many of others as the process can hold', async () => {
    identified = 0;
    const head = [
      'POST /api/v1/thing HTTP/1.1',
      'Host: localhost',
      'Authorization: right',
      'Content-Type: application/json',
      `Content-Length: ${16 * 1024 * 1024}`,
    ];
    // Three that say how much they will send, and do not.
    const slow = [1, 2, 3].map(() => {
      const socket = connect(port, '127.0.0.1');
      socket.write(`${head.join('\r\n')}\r\n\r\n{`);
      return socket;
    });
    await eventually(() => identified === 3);
    const answers: number[] = [];
    const headers = { 'content-type': 'application/json', authorization: 'right' };
    const body = JSON.stringify({ text: 'x'.repeat(100_000) });
    const fourth = fetch(`http://127.0.0.1:${port}/api/v1/thing`, { method: 'POST', headers, body }).then(
      ({ status }) => answers.push(status),
    );
    await eventually(() => identified === 4);
    // Small ones need no room, and this one's way is longer than what the fourth has still to go.
    expect((await post('/api/v1/thing', '{}')).status).toBe(201);
    expect(answers).toEqual([]);
    slow[0]?.destroy();
    await fourth;
    expect(answers).toEqual([201]);
    for (const socket of slow) socket.destroy();
  });

  it('refuses what PostgreSQL cannot keep also in a form', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await post('/api/v1/thing', 'a=b%00', form)).status).toBe(400);
    expect((await post('/api/v1/thing', 'a%00=b', form)).status).toBe(400);
    expect((await post('/api/v1/thing', 'a=b', form)).status).toBe(201);
  });

  it('reads only a small one where no login is needed', async () => {
    const large = JSON.stringify({ name: 'x'.repeat(100_000) });
    expect(await post('/api/v1/session', large)).toMatchObject({ status: 413 });
  });

  it('refuses a link on a foreign page that would take tasks from the workers', async () => {
    const from = (site: string) =>
      ask({ method: 'GET', url: '/api/tasks/poll/t', headers: { 'sec-fetch-site': site } });
    expect((await from('cross-site')).status).toBe(403);
    expect((await from('same-origin')).status).toBe(200);
    expect((await ask({ method: 'GET', url: '/api/tasks/poll/t' })).status).toBe(200);
    const reading = { 'sec-fetch-site': 'cross-site' };
    expect((await ask({ method: 'GET', url: '/api/v1/thing', headers: reading })).status).toBe(200);
  });

  it.each([
    ['no Host', ['GET /api/v1/thing HTTP/1.0'], '403'],
    ['a foreign Host', ['GET /api/v1/thing HTTP/1.1', 'Host: evil.example'], '403'],
    ['two Hosts', ['GET /api/v1/thing HTTP/1.1', 'Host: localhost', 'Host: evil.example'], '400'],
    ['a foreign whole address', ['GET http://evil.example/api/v1/thing HTTP/1.1', 'Host: localhost'], '403'],
    ['an own whole address', ['GET http://localhost/api/v1/thing HTTP/1.1', 'Host: localhost'], '200'],
    ['PUBLIC_URL’s name', ['GET /api/v1/thing HTTP/1.1', 'Host: scan.example.com'], '200'],
  ])('judges a request with %s', async (_, lines, status) => {
    expect(await raw(...lines)).toContain(` ${status} `);
  });
});

describe('a path in the log', () => {
  it.each([
    ['/events/s3/abc?x=1', '/events/s3/[redacted]'],
    ['/%65vents/s3/abc', '/events/s3/[redacted]'],
    ['http://localhost/events/s3/abc', '/events/s3/[redacted]'],
    ['/r/abc', '/r/[redacted]'],
    ['/events/s3', '/events/s3'],
    ['/api/v1/objects/%', '/api/v1/objects/%'],
  ])('%s is %s', (url, shown) => {
    expect(loggablePath(url)).toBe(shown);
  });
});
