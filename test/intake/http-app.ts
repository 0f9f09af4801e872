import { Module, type Provider, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { DataSource } from 'typeorm';
import { afterAll } from 'vitest';
import { readConfig } from '../../src/config.js';
import { createDataSource } from '../../src/database/data-source.js';
import { Database } from '../../src/database/database.js';
import { createAdapter, furnish } from '../../src/http/server.js';
import { EventsController } from '../../src/intake/events.controller.js';
import { EventsToken } from '../../src/intake/events-token.js';
import { IntakeService } from '../../src/intake/intake.service.js';
import { ScanRequests } from '../../src/intake/scan-requests.service.js';
import { ScansController } from '../../src/intake/scans.controller.js';
import { ErrorFilter } from '../../src/ops/error.filter.js';
import { LOG } from '../../src/ops/log.js';
import type { ObjectHead, ObjectStorage } from '../../src/s3/object-storage.js';
import { ObjectStories } from '../../src/verdicts/object-story.js';
import { ObjectsController } from '../../src/verdicts/objects.controller.js';
import { VERDICT_ENTITIES } from '../../src/verdicts/verdicts.module.js';
import type { IntakeParts } from './intake-parts.js';

export const TOKEN = ['events', 'token', 'of', 'this', 'test'].join('-');

/** The stage's routes on a real Fastify, with the service's own parsers, pipe and error filter; logged in already. */
export async function httpApp(
  parts: IntakeParts,
  storage: Pick<ObjectStorage, 'head'>,
  more: { readonly controllers?: Type[]; readonly providers?: Provider[] } = {},
): Promise<{ readonly server: FastifyInstance; readonly lines: string[] }> {
  const { database, clock, buckets, rules, bell, intake, test } = parts;
  const dataSource = await (await createDataSource(test.url, [...VERDICT_ENTITIES])).initialize();
  const lines: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) });
  const requests = new ScanRequests(database, clock, buckets, storage as ObjectStorage, rules, bell);

  @Module({
    controllers: [EventsController, ScansController, ObjectsController, ...(more.controllers ?? [])],
    providers: [
      ErrorFilter,
      ObjectStories,
      { provide: LOG, useValue: log },
      { provide: Database, useValue: database },
      { provide: DataSource, useValue: dataSource },
      { provide: IntakeService, useValue: intake },
      { provide: ScanRequests, useValue: requests },
      { provide: EventsToken, useValue: { value: () => TOKEN } },
      ...(more.providers ?? []),
    ],
  })
  class TestModule {}

  const adapter = await createAdapter(readConfig({}), log);
  const app = await NestFactory.create<NestFastifyApplication>(TestModule, adapter, {
    logger: false,
    bodyParser: false,
    abortOnError: false,
  });
  await furnish(app, '/nonexistent');
  const server = app.getHttpAdapter().getInstance();
  server.addHook('preHandler', async (request) => {
    Object.assign(request, { principal: { kind: 'user', id: 'alice', name: 'Alice', roles: ['admin'] } });
  });
  await app.init();
  afterAll(async () => {
    await app.close();
    await dataSource.destroy();
  });
  return { server, lines };
}

export const headOf = (parts: Partial<ObjectHead> = {}): ObjectHead => ({
  eTag: 'e',
  sizeBytes: 3,
  lastModified: '2026-11-23T11:00:00.000Z',
  metadata: {},
  headers: {},
  isArchived: false,
  isRestoring: false,
  encryption: {},
  lock: { hasLegalHold: false },
  ...parts,
});
