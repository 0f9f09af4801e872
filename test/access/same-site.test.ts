import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setSession } from '../../src/access/session-cookie.js';
import { readConfig } from '../../src/config.js';
import { createAdapter, furnish } from '../../src/http/server.js';
import { ErrorFilter } from '../../src/ops/error.filter.js';
import { LOG } from '../../src/ops/log.js';

const log = pino({ level: 'silent' });
@Module({ providers: [ErrorFilter, { provide: LOG, useValue: log }] })
class TestModule {}

async function serve(settings: Record<string, string>): Promise<NestFastifyApplication> {
  const config = readConfig(settings);
  const adapter = await createAdapter(config, log);
  const server = adapter.getInstance() as FastifyInstance;
  server.all('/api/v1/thing', async () => ({ done: true }));
  server.post('/api/v1/in', async (request, reply) => {
    const principal = { kind: 'user', id: 'a', name: 'a', roles: [], method: 'session' } as const;
    setSession(request, reply, config, { token: 't', maxAgeSeconds: 1, principal });
    return {};
  });
  const app = await NestFactory.create<NestFastifyApplication>(TestModule, adapter, {
    logger: false,
    bodyParser: false,
    abortOnError: false,
  });
  await furnish(app, '/nonexistent');
  await app.init();
  return app;
}

const statusOf = async (
  app: NestFastifyApplication,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  headers: object,
) => (await app.inject({ method, url: '/api/v1/thing', headers: { ...headers } })).statusCode;

describe('a write', () => {
  let app: NestFastifyApplication;
  beforeAll(async () => (app = await serve({ PUBLIC_URL: 'https://scan.example.com' })));
  afterAll(() => app.close());

  const host = 'scan.example.com';
  it.each<[string, object, number]>([
    ['without Origin, from no browser', { host }, 200],
    ['from its own origin', { host, origin: 'https://scan.example.com' }, 200],
    ['that the browser calls same-origin', { host, 'sec-fetch-site': 'same-origin' }, 200],
    ['typed by a person', { host, 'sec-fetch-site': 'none' }, 200],
    ['with a null Origin', { host, origin: 'null' }, 403],
    ['with an empty Origin', { host, origin: '' }, 403],
    ['from a sibling site', { host, origin: 'https://evil.example.com' }, 403],
    ['that the browser calls same-site', { host, 'sec-fetch-site': 'same-site' }, 403],
    ['from another site', { host, 'sec-fetch-site': 'cross-site' }, 403],
    ['from a site whose name begins like ours', { host, origin: 'https://scan.example.com.evil.net' }, 403],
    ['from our name at another port', { host, origin: 'https://scan.example.com:8443' }, 403],
    ['for a wrong Host', { host: 'evil.example.com' }, 403],
    ['for a wrong Host with an Origin to match', { host: 'evil.net', origin: 'http://evil.net' }, 403],
    ['for a wrong Host that X-Forwarded-Host corrects', { host: 'evil.net', 'x-forwarded-host': host }, 403],
    [
      'from an origin that X-Forwarded-Host makes its own',
      { host, 'x-forwarded-host': 'evil.net', origin: 'https://evil.net' },
      403,
    ],
    ['for an address with a user', { host: 'a@scan.example.com' }, 403],
  ])('%s: %j is answered with %i', async (_, headers, status) => {
    for (const method of ['POST', 'PUT', 'DELETE'] as const)
      expect([method, await statusOf(app, method, headers)]).toEqual([method, status]);
  });

  it('is what is looked at: a page elsewhere may link here, and for a wrong Host nothing is read either', async () => {
    expect(await statusOf(app, 'GET', { host, 'sec-fetch-site': 'cross-site' })).toBe(200);
    expect(await statusOf(app, 'GET', { host: 'evil.net' })).toBe(403);
  });
});

describe('the cookie of a session', () => {
  const cookieOf = async (
    settings: Record<string, string>,
    headers: Record<string, string>,
    peer: string,
  ) => {
    const app = await serve(settings);
    try {
      const { headers: answered } = await app.inject({
        method: 'POST',
        url: '/api/v1/in',
        headers: { host: 'localhost', ...headers },
        remoteAddress: peer,
      });
      return String(answered['set-cookie']);
    } finally {
      await app.close();
    }
  };
  const https = { 'x-forwarded-proto': 'https' };

  it.each<[string, Record<string, string>, Record<string, string>, string, boolean]>([
    ['our address is https', { PUBLIC_URL: 'https://scan.example.com' }, {}, '192.0.2.1', true],
    ['a trusted proxy says https', { TRUST_PROXY: '10.0.0.0/8' }, https, '10.1.1.1', true],
    ['somebody else says https', { TRUST_PROXY: '10.0.0.0/8' }, https, '192.0.2.1', false],
    ['no proxy is trusted', {}, https, '10.1.1.1', false],
    ['nothing says https', {}, {}, '127.0.0.1', false],
  ])('asks for TLS or not where %s', async (_, settings, headers, peer, secure) => {
    const cookie = await cookieOf(settings, headers, peer);
    expect(cookie).toContain('HttpOnly; ');
    expect(cookie).toContain('SameSite=Lax');
    expect(cookie.includes('Secure')).toBe(secure);
  });
});
