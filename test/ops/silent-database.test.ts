import { randomBytes } from 'node:crypto';
import { Module } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AccessGuard } from '../../src/access/access.guard.js';
import { AccessService } from '../../src/access/access.service.js';
import { Keyring } from '../../src/access/keyring.js';
import { Ownership } from '../../src/access/ownership.js';
import { Clock } from '../../src/clock.js';
import { CONFIG, readConfig } from '../../src/config.js';
import { Database } from '../../src/database/database.js';
import { createAdapter, furnish } from '../../src/http/server.js';
import { ErrorFilter } from '../../src/ops/error.filter.js';
import { HealthRegistry } from '../../src/ops/health.js';
import { LOG } from '../../src/ops/log.js';
import { createMetrics, METRICS } from '../../src/ops/metrics.js';
import { OpsController } from '../../src/ops/ops.controller.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase } from '../support/database.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const basic = (id: string, secret: string) => ({
  host: 'localhost',
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
});

describe('while PostgreSQL is silent', { timeout: 60_000 }, () => {
  let proxy: TcpProxy;
  let database: Database;
  let clock: FakeClock;
  let app: NestFastifyApplication;

  beforeAll(async () => {
    const own = await testDatabase();
    await own.truncate();
    proxy = await TcpProxy.toUrl(own.url);
    database = new Database(proxy.through(own.url));
    clock = new FakeClock();
    const access = new AccessService(database, await Keyring.open(database, randomBytes(32), clock), clock);
    await access.bootstrap({ name: 'admin', password: 'x' }, { id: 'key-1', secret: 's' });
    const log = pino({ level: 'silent' });
    const config = readConfig({});
    @Module({
      controllers: [OpsController],
      providers: [
        ErrorFilter,
        HealthRegistry,
        AccessGuard,
        Ownership,
        { provide: APP_GUARD, useExisting: AccessGuard },
        { provide: AccessService, useValue: access },
        { provide: LOG, useValue: log },
        { provide: CONFIG, useValue: config },
        { provide: METRICS, useFactory: createMetrics },
        { provide: Database, useValue: database },
        { provide: Clock, useValue: clock },
      ],
    })
    class TestModule {}
    app = await NestFactory.create<NestFastifyApplication>(TestModule, await createAdapter(config, log), {
      logger: false,
      bodyParser: false,
      // A fault in its parts is this test's, not the end of its process.
      abortOnError: false,
    });
    await furnish(app, '/nonexistent');
    await app.init();
  });
  afterAll(async () => {
    await app.close();
    proxy.cut();
    await database.close();
    await proxy.close();
  });

  /** From now on, and longer than a key that was looked up is remembered. */
  const silence = (): void => {
    proxy.blackHole();
    clock.advance(250);
  };
  const get = async (url: string, headers: Record<string, string> = { host: 'localhost' }) => {
    const began = performance.now();
    const { statusCode, body } = await app.getHttpAdapter().getInstance().inject({ url, headers });
    return { status: statusCode, body, ms: performance.now() - began };
  };

  test('/metrics answers whom it knows, refuses others in time, and readiness says no in time', async () => {
    expect(await get('/metrics', basic('key-1', 's'))).toMatchObject({ status: 200 });
    expect(await get('/metrics', basic('key-1', 'wrong'))).toMatchObject({ status: 401 });
    expect(await get('/health/ready')).toMatchObject({ status: 200 });
    silence();

    const [known, wrong, ready] = await Promise.all([
      get('/metrics', basic('key-1', 's')),
      get('/metrics', basic('key-1', 'wrong')),
      get('/health/ready'),
    ]);
    expect(known.status).toBe(200);
    expect(known.body).toContain('process_cpu_seconds_total');
    expect(wrong.status).toBe(503);
    expect(ready.status).toBe(503);
    for (const { ms } of [known, wrong, ready]) expect(ms).toBeLessThan(4_000);
  });

  test('a call of somebody who cannot be identified is answered 503 well within 20 s', async () => {
    silence();
    const calls = await Promise.all(
      Array.from({ length: 3 }, () => get('/api/version', basic('key-1', 's'))),
    );
    expect(calls.map(({ status }) => status)).toEqual([503, 503, 503]);
    for (const { ms } of calls) expect(ms).toBeLessThan(14_000);
  });
});
