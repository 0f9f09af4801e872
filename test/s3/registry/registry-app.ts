import { randomBytes } from 'node:crypto';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { pino } from 'pino';
import { afterAll } from 'vitest';
import { Keyring } from '../../../src/access/keyring.js';
import { CONFIG, readConfig, type Config } from '../../../src/config.js';
import { Database } from '../../../src/database/database.js';
import { Notices } from '../../../src/database/notices.js';
import { createAdapter, furnish } from '../../../src/http/server.js';
import { ErrorFilter } from '../../../src/ops/error.filter.js';
import { LOG } from '../../../src/ops/log.js';
import type { Resolve } from '../../../src/outbound/egress/egress.js';
import { BucketSettings } from '../../../src/s3/bucket-settings.js';
import { Endpoints } from '../../../src/s3/endpoints.js';
import { BucketLook } from '../../../src/s3/registry/bucket-look.js';
import { BucketRegistry } from '../../../src/s3/registry/bucket-registry.js';
import { BucketsController } from '../../../src/s3/registry/buckets.controller.js';
import { BucketsService } from '../../../src/s3/registry/buckets.service.js';
import { EndpointsController } from '../../../src/s3/registry/endpoints.controller.js';
import { EndpointsService } from '../../../src/s3/registry/endpoints.service.js';
import { RegistryChanges } from '../../../src/s3/registry/registry-changes.js';
import { reservedBuckets, seedRegistry } from '../../../src/s3/registry/seed.js';
import { FakeClock } from '../../support/clock.js';
import type { TestDatabase } from '../../support/database.js';

/** One node's registry with its routes on a real Fastify; whoever calls is logged in as an author and operator. */
export interface RegistryNode {
  readonly config: Config;
  readonly clock: FakeClock;
  readonly database: Database;
  readonly registry: BucketRegistry;
  readonly changes: RegistryChanges;
  readonly buckets: BucketsService;
  readonly keyring: Keyring;
  readonly endpoints: Endpoints;
  readonly server: FastifyInstance;
  /** What it logged. */
  readonly lines: string[];
  call(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    url: string,
    body?: object,
    headers?: Record<string, string>,
  ): Promise<{
    status: number;
    body: Record<string, unknown>;
    headers: Record<string, unknown>;
  }>;
  close(): Promise<void>;
}

export const MASTER_KEY = randomBytes(32);

/** @param environment of the node; it is seeded with it, as a start does. */
export async function registryNode(
  test: TestDatabase,
  environment: Record<string, string> = {},
  resolve?: Resolve,
): Promise<RegistryNode> {
  const config = readConfig(environment);
  const clock = new FakeClock();
  const lines: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) });
  const database = new Database(test.url, { maxConnections: 6 });
  const notices = await Notices.start({ listenUrl: test.url, sender: database });
  const keyring = await Keyring.open(database, MASTER_KEY, clock);
  const registry = new BucketRegistry({ database, notices, clock, log });
  const reserved = reservedBuckets(config);
  const changes = new RegistryChanges({ database, clock, log, registry, reserved, resolve });
  const endpoints = new Endpoints(config, { source: registry, keyring });

  @Module({
    controllers: [BucketsController, EndpointsController],
    providers: [
      ErrorFilter,
      BucketsService,
      BucketLook,
      EndpointsService,
      { provide: BucketSettings, useValue: new BucketSettings(endpoints) },
      { provide: LOG, useValue: log },
      { provide: CONFIG, useValue: config },
      { provide: Keyring, useValue: keyring },
      { provide: BucketRegistry, useValue: registry },
      { provide: RegistryChanges, useValue: changes },
    ],
  })
  class TestModule {}

  const adapter = await createAdapter(config, log);
  const app = await NestFactory.create<NestFastifyApplication>(TestModule, adapter, {
    logger: false,
    bodyParser: false,
    abortOnError: false,
  });
  await furnish(app, '/nonexistent');
  const server = app.getHttpAdapter().getInstance();
  server.addHook('preHandler', async (request) => {
    Object.assign(request, {
      principal: { kind: 'user', id: 'erin', name: 'Erin', roles: ['author', 'operator'] },
    });
  });
  await app.init();
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= stop());
  const stop = async (): Promise<void> => {
    await registry.stop();
    await notices.stop();
    endpoints.close();
    await app.close();
    await database.close();
  };
  afterAll(close);
  await seedRegistry(changes, config);
  await registry.open();
  await notices.subscribed();
  return {
    config,
    clock,
    database,
    registry,
    changes,
    buckets: app.get(BucketsService),
    keyring,
    endpoints,
    server,
    lines,
    call: async (method, url, body, headers = {}) => {
      const options: InjectOptions = { method, url, headers, ...(body !== undefined && { payload: body }) };
      const answer = await server.inject(options);
      return {
        status: answer.statusCode,
        body: answer.body === '' ? {} : answer.json<Record<string, unknown>>(),
        headers: answer.headers,
      };
    },
    close,
  };
}
