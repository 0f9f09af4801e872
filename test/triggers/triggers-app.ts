import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { pino } from 'pino';
import { afterAll } from 'vitest';
import { CONFIG, readConfig } from '../../src/config.js';
import { Clock } from '../../src/clock.js';
import { Database } from '../../src/database/database.js';
import { parseWorkflowDef } from '../../src/engine/decider/parse-definition.js';
import type { JsonObject } from '../../src/engine/model/json.js';
import { Engine, Metadata } from '../../src/engine/ports.js';
import { PostgresDefinitionStore } from '../../src/engine/postgres/postgres-definition-store.js';
import { Definitions } from '../../src/engine/runtime/definitions.js';
import { createAdapter, furnish } from '../../src/http/server.js';
import { ErrorFilter } from '../../src/ops/error.filter.js';
import { LOG } from '../../src/ops/log.js';
import { Buckets } from '../../src/s3/buckets.js';
import { ObjectStorage } from '../../src/s3/object-storage.js';
import { WorkflowJob } from '../../src/triggers/schedules/jobs/workflow.job.js';
import { ScheduleRunner } from '../../src/triggers/schedules/schedule-runner.js';
import { ScheduledJobs } from '../../src/triggers/schedules/scheduled-job.js';
import { SchedulesController } from '../../src/triggers/schedules/schedules.controller.js';
import { Schedules } from '../../src/triggers/schedules/schedules.service.js';
import { TriggerTest } from '../../src/triggers/trigger-test.js';
import { TriggersController } from '../../src/triggers/triggers.controller.js';
import { Triggers } from '../../src/triggers/triggers.service.js';
import { FakeEngine } from '../backlog/fake-engine.js';
import { TestBuckets } from '../intake/intake-parts.js';
import { chain, register } from '../support/engine.js';
import { testDatabase } from '../support/database.js';
import { StillClock } from '../verdicts/still-clock.js';

export interface Answered {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** Rules and schedules on a real Fastify, with the service's parsers, pipe and error filter; Alice is logged in. */
export async function triggersApp(storage: Pick<ObjectStorage, 'head' | 'peek' | 'readTags'>) {
  const test = await testDatabase();
  const database = new Database(test.url, { maxConnections: 8 });
  const clock = new StillClock();
  const definitions = new Definitions(new PostgresDefinitionStore(database), clock, parseWorkflowDef);
  const engine = new FakeEngine();
  const triggers = new Triggers(database, clock, definitions);
  const workflowJob = new WorkflowJob(engine, definitions);
  const jobs = new ScheduledJobs([workflowJob]);
  const config = readConfig({ ROLES: 'api' });
  const log = pino({ level: 'silent' });

  @Module({
    controllers: [TriggersController, SchedulesController],
    providers: [
      ErrorFilter,
      TriggerTest,
      Schedules,
      ScheduleRunner,
      { provide: LOG, useValue: log },
      { provide: CONFIG, useValue: config },
      { provide: Clock, useValue: clock },
      { provide: Database, useValue: database },
      { provide: Metadata, useValue: definitions },
      { provide: Engine, useValue: engine },
      { provide: Buckets, useValue: new TestBuckets() },
      { provide: ObjectStorage, useValue: storage },
      { provide: ScheduledJobs, useValue: jobs },
      { provide: Triggers, useValue: triggers },
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
    Object.assign(request, { principal: { kind: 'user', id: 'alice', name: 'Alice', roles: ['admin'] } });
  });
  await app.init();
  afterAll(async () => {
    await app.close();
    await database.close();
  });

  const call = async (
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    url: string,
    payload?: unknown,
  ): Promise<Answered> => {
    const { statusCode, body } = await server.inject({
      method,
      url,
      ...(payload !== undefined && {
        headers: { 'content-type': 'application/json' },
        payload: JSON.stringify(payload),
      }),
    });
    return { status: statusCode, body: body === '' ? {} : (JSON.parse(body) as Record<string, unknown>) };
  };
  const audited = () =>
    test.query<{ actor: string; action: string; subject: string; data: JsonObject }>(
      'SELECT actor, action, subject, data FROM audit_event ORDER BY id',
    );
  /** Registers `scan_upload` and these. */
  const reset = async (...workflows: string[]): Promise<void> => {
    await test.truncate();
    await register({ definitions }, ...['scan_upload', ...workflows].map((name) => chain(name, 'fetch')));
  };
  return {
    /** Its address, for clients that need a real one. */
    listen: () => server.listen({ host: '127.0.0.1', port: 0 }),
    test,
    database,
    clock,
    definitions,
    engine,
    triggers,
    schedules: app.get(Schedules),
    jobs,
    workflowJob,
    call,
    audited,
    reset,
  };
}
