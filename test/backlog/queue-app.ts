import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterAll } from 'vitest';
import { BacklogBell } from '../../src/backlog/backlog-bell.js';
import { QueueGauges } from '../../src/backlog/queue-gauges.js';
import { QueueHealth } from '../../src/backlog/queue-health.js';
import { QueueItems } from '../../src/backlog/queue-items.service.js';
import { QueueReadings } from '../../src/backlog/queue-readings.js';
import { QueueController } from '../../src/backlog/queue.controller.js';
import { Queues } from '../../src/backlog/queues.service.js';
import { Clock } from '../../src/clock.js';
import { CONFIG, readConfig } from '../../src/config.js';
import { Database } from '../../src/database/database.js';
import { createAdapter, furnish } from '../../src/http/server.js';
import { ErrorFilter } from '../../src/ops/error.filter.js';
import { HealthRegistry } from '../../src/ops/health.js';
import { LOG } from '../../src/ops/log.js';
import { METRICS } from '../../src/ops/metrics.js';
import { Buckets } from '../../src/s3/buckets.js';
import type { IntakeParts } from '../intake/intake-parts.js';

/** The queue's routes on a real Fastify, with the service's own parsers, pipe and error filter; Alice is logged in. */
export async function queueApp({ database, clock, buckets, bell }: IntakeParts) {
  const log = pino({ level: 'silent' });
  const config = readConfig({});
  const metrics = new Registry();

  @Module({
    controllers: [QueueController],
    providers: [
      ErrorFilter,
      Queues,
      QueueItems,
      QueueReadings,
      QueueHealth,
      QueueGauges,
      HealthRegistry,
      { provide: LOG, useValue: log },
      { provide: CONFIG, useValue: config },
      { provide: METRICS, useValue: metrics },
      { provide: Database, useValue: database },
      { provide: Clock, useValue: clock },
      { provide: Buckets, useValue: buckets },
      { provide: BacklogBell, useValue: bell },
    ],
  })
  class TestModule {}

  const app = await NestFactory.create<NestFastifyApplication>(TestModule, await createAdapter(config, log), {
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
  afterAll(() => app.close());

  async function call(method: 'GET' | 'POST', path: string, body?: object) {
    const answer = await server.inject({
      method,
      url: `/api/v1/queue${path}`,
      headers: { host: 'localhost' },
      ...(body !== undefined && { payload: body }),
    });
    return { status: answer.statusCode, body: JSON.parse(answer.body) as Record<string, unknown> };
  }
  /** Its address, for clients that speak HTTP. */
  const listen = () => server.listen({ port: 0, host: '127.0.0.1' });
  return { call, listen, metrics, health: app.get(HealthRegistry), readings: app.get(QueueReadings) };
}
