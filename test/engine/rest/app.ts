import { Global, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll } from 'vitest';
import type { AccessRole } from '../../../src/access/principal.js';
import { Clock } from '../../../src/clock.js';
import { CONFIG, readConfig } from '../../../src/config.js';
import { Database } from '../../../src/database/database.js';
import { DatabaseClock } from '../../../src/database/database-clock.js';
import { Notices } from '../../../src/database/notices.js';
import { EngineModule } from '../../../src/engine/engine.module.js';
import { createAdapter, furnish } from '../../../src/http/server.js';
import { ErrorFilter } from '../../../src/ops/error.filter.js';
import { HealthRegistry } from '../../../src/ops/health.js';
import { LOG } from '../../../src/ops/log.js';
import { createMetrics, METRICS } from '../../../src/ops/metrics.js';
import { testDatabase } from '../../support/database.js';
import { LazyScripts } from '../../support/scripts.js';

export interface RestApp {
  readonly server: FastifyInstance;
  readonly app: NestFastifyApplication;
  /** Who makes the calls from now on; an author and operator named erin at first. */
  actAs(id: string, ...roles: readonly AccessRole[]): void;
  /** Sends JSON (or text when the body is a string) and parses what comes back. */
  call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  // What a server answers is looked at by matchers.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any;
  readonly type: string;
  readonly headers: Record<string, unknown>;
}

/** The engine's routes on a real Fastify with the service's parsers, pipe and error filter, logged in as an author and operator. */
export async function restApp(): Promise<RestApp> {
  const test = await testDatabase();
  const database = new Database(test.url);
  const clock = await DatabaseClock.start(database);
  const notices = await Notices.start({ listenUrl: test.url, sender: database });
  const home = mkdtempSync(join(tmpdir(), 'engine-rest-'));
  const config = readConfig({ SALLYPORT_HOME: home });
  const log = pino({ level: 'silent' });

  @Global()
  @Module({
    providers: [
      ErrorFilter,
      HealthRegistry,
      { provide: LOG, useValue: log },
      { provide: CONFIG, useValue: config },
      { provide: METRICS, useFactory: createMetrics },
      { provide: Database, useValue: database },
      { provide: Clock, useValue: clock },
      { provide: Notices, useValue: notices },
    ],
    exports: [LOG, CONFIG, METRICS, Database, Clock, Notices, HealthRegistry],
  })
  class Ground {}

  @Module({ imports: [Ground, EngineModule.with({ workers: [], scripts: new LazyScripts() })] })
  class TestModule {}

  const app = await NestFactory.create<NestFastifyApplication>(TestModule, await createAdapter(config, log), {
    logger: false,
    bodyParser: false,
    abortOnError: false,
  });
  await furnish(app, '/nonexistent');
  const server = app.getHttpAdapter().getInstance();
  let principal = {
    kind: 'user',
    id: 'erin',
    name: 'Erin',
    roles: ['author', 'operator'] as readonly AccessRole[],
  };
  server.addHook('preHandler', async (request) => {
    Object.assign(request, { principal });
  });
  await app.init();
  await server.ready();
  afterAll(async () => {
    await app.close();
    clock.stop();
    await notices.stop();
    await database.close();
    rmSync(home, { recursive: true });
  });
  return {
    server,
    app,
    actAs: (id, ...roles) => {
      principal = { ...principal, id, name: id, roles };
    },
    call: async (method, url, body) => {
      const isText = typeof body === 'string';
      const response = await server.inject({
        method,
        url,
        headers: {
          host: '127.0.0.1',
          ...(body === undefined ? {} : { 'content-type': isText ? 'text/plain' : 'application/json' }),
        },
        ...(body === undefined ? {} : { payload: isText ? body : JSON.stringify(body) }),
      });
      const type = String(response.headers['content-type'] ?? '');
      const json: unknown = /json/.test(type) ? JSON.parse(response.body) : undefined;
      return { status: response.statusCode, text: response.body, json, type, headers: response.headers };
    },
  };
}
