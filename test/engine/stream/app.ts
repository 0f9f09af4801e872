import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Global, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { AccessModule } from '../../../src/access/access.module.js';
import { Keyring } from '../../../src/access/keyring.js';
import type { AccessRole } from '../../../src/access/principal.js';
import { Clock } from '../../../src/clock.js';
import { CONFIG, readConfig } from '../../../src/config.js';
import { Database } from '../../../src/database/database.js';
import { Notices } from '../../../src/database/notices.js';
import { EngineModule } from '../../../src/engine/engine.module.js';
import { StreamModule } from '../../../src/engine/stream/stream.module.js';
import { createAdapter, furnish } from '../../../src/http/server.js';
import { ErrorFilter } from '../../../src/ops/error.filter.js';
import { HealthRegistry } from '../../../src/ops/health.js';
import { LOG } from '../../../src/ops/log.js';
import { METRICS } from '../../../src/ops/metrics.js';
import { FakeClock } from '../../support/clock.js';
import { testDatabase } from '../../support/database.js';
import { EventReader } from '../../support/events.js';

export interface StreamApp {
  readonly url: string;
  readonly clock: FakeClock;
  readonly app: NestFastifyApplication;
  readonly database: Database;
  /** A key with these roles, as the value of Authorization. */
  key(id: string, ...roles: AccessRole[]): Promise<string>;
  /** Opens a stream; `authorization` as from `key`. */
  listen(
    query: string,
    authorization: string,
    headers?: Record<string, string>,
  ): Promise<{ response: Response; reader: EventReader; close: () => void }>;
  call(method: string, path: string, authorization: string, body?: unknown): Promise<Response>;
  close(): Promise<void>;
}

/** The engine, the stream and the access guard on a real server, whose clock the test moves. */
export async function streamApp(): Promise<StreamApp> {
  const test = await testDatabase();
  const database = new Database(test.url);
  const notices = await Notices.start({ listenUrl: test.url, sender: database });
  const clock = new FakeClock();
  const home = mkdtempSync(join(tmpdir(), 'engine-stream-'));
  const config = readConfig({ SALLYPORT_HOME: home });
  const log = pino({ level: 'silent' });
  const keyring = await Keyring.open(database, Buffer.alloc(32, 1), clock);

  @Global()
  @Module({
    providers: [
      ErrorFilter,
      HealthRegistry,
      { provide: LOG, useValue: log },
      { provide: CONFIG, useValue: config },
      { provide: Database, useValue: database },
      { provide: Notices, useValue: notices },
      { provide: Clock, useValue: clock },
      { provide: Keyring, useValue: keyring },
      { provide: METRICS, useValue: new Registry() },
    ],
    exports: [LOG, CONFIG, Database, Notices, Clock, HealthRegistry, Keyring, METRICS],
  })
  class Ground {}

  const engine = EngineModule.with({ workers: [] });
  @Module({ imports: [Ground, AccessModule, engine, StreamModule.with({ imports: [engine] })] })
  class TestModule {}

  const app = await NestFactory.create<NestFastifyApplication>(TestModule, await createAdapter(config, log), {
    logger: false,
    bodyParser: false,
    abortOnError: false,
  });
  await furnish(app, '/nonexistent');
  await app.init();
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    clock,
    app,
    database,
    key: async (id, ...roles) => {
      await database.query(
        'INSERT INTO api_key (id, name, secret_sha256, roles, created_at) VALUES ($1, $1, $2, $3, 1)',
        [id, createHash('sha256').update('secret').digest(), roles],
      );
      return `Basic ${Buffer.from(`${id}:secret`).toString('base64')}`;
    },
    listen: async (query, authorization, headers = {}) => {
      const aborter = new AbortController();
      const response = await fetch(`${url}/api/v1/stream${query}`, {
        headers: { authorization, ...headers },
        signal: aborter.signal,
      });
      if (response.body === null) throw new Error('an answer without a body');
      return { response, reader: new EventReader(response.body), close: () => aborter.abort() };
    },
    call: (method, path, authorization, body) =>
      fetch(url + path, {
        method,
        headers: { authorization, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    close: async () => {
      const state = { isClosed: false };
      const closed = app.close().finally(() => (state.isClosed = true));
      while (!state.isClosed) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        if (clock.sleeping.nextAt !== undefined) clock.advance(50);
      }
      await closed;
      await notices.stop();
      await database.close();
      rmSync(home, { recursive: true });
    },
  };
}
