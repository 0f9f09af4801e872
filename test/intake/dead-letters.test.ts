import { pino } from 'pino';
import { Registry } from 'prom-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { CONFIG, readConfig } from '../../src/config.js';
import { Clock } from '../../src/clock.js';
import { DeadLetterWatch } from '../../src/intake/sqs/dead-letter-watch.js';
import { EventQueuesController } from '../../src/intake/sqs/event-queues.controller.js';
import { HealthRegistry } from '../../src/ops/health.js';
import { Alerts } from '../../src/outbound/alerts.js';
import { OutboxBell } from '../../src/outbound/outbox-bell.js';
import { PostgresOutbox } from '../../src/outbound/postgres-outbox.js';
import { MessageQueues } from '../../src/s3/message-queues.js';
import { SqsServer } from '../support/sqs-server.js';
import { headOf, httpApp } from './http-app.js';
import { intakeParts } from './intake-parts.js';

process.env['AWS_ACCESS_KEY_ID'] = 'test';
process.env['AWS_SECRET_ACCESS_KEY'] = 'test';

const parts = await intakeParts();
const { test, database, clock } = parts;
const sqs = await SqsServer.start(() => clock.now());
const queues = new MessageQueues({ S3_REGION: 'us-east-1', SQS_ENDPOINT: sqs.endpoint }, clock);
const config = readConfig({
  SQS_QUEUE_URLS: `${sqs.endpoint}/111122223333/events`,
  ALERT_TO: 'ops@example.org',
});
const { server } = await httpApp(
  parts,
  { head: async () => headOf() },
  {
    controllers: [EventQueuesController],
    providers: [
      { provide: Clock, useValue: clock },
      { provide: MessageQueues, useValue: queues },
      { provide: CONFIG, useValue: config },
    ],
  },
);
const REDRIVE = {
  RedrivePolicy: JSON.stringify({
    deadLetterTargetArn: 'arn:aws:sqs:us-east-1:111122223333:dead',
    maxReceiveCount: 3,
  }),
};

const watchOf = (): DeadLetterWatch =>
  new DeadLetterWatch(
    database,
    clock,
    queues,
    new Alerts(new PostgresOutbox(clock, new OutboxBell()), config),
    new HealthRegistry(),
    config,
    new Registry(),
    pino({ level: 'silent' }),
  );
let watch: DeadLetterWatch;
const mails = async () =>
  (
    await test.query<{ payload: { subject: string } }>(
      `SELECT payload FROM outbox WHERE kind = 'mail' ORDER BY id`,
    )
  ).map(({ payload }) => payload.subject);
const minute = async () => {
  clock.advance(60_000);
  await watch.turn();
};
const redrive = async (name: string) => {
  const answer = await server.inject({ method: 'POST', url: `/api/v1/event-queues/${name}/redrive` });
  return { status: answer.statusCode, body: answer.json() };
};

beforeEach(async () => {
  await test.truncate();
  sqs.make('events', REDRIVE);
  sqs.make('dead');
  sqs.interfere = () => undefined;
  sqs.failing.clear();
  sqs.calls.length = 0;
  watch = watchOf();
});

describe('a dead-letter queue', () => {
  it('that fills is told once for each rise, in /health until it is empty', async () => {
    await minute();
    expect(watch.check()).toMatchObject([{ name: 'dead_letters:events', detail: 'empty' }]);
    sqs.put('dead', 'a', 'b');
    await minute();
    await minute();
    expect(await mails()).toEqual(['Sallyport: 2 message(s) in the dead-letter queue of events']);
    expect(watch.check()).toMatchObject([{ healthy: true, degraded: true }]);
    expect(watch.check()[0]?.remedy).toMatch('sallyport event-queues redrive events');
    sqs.put('dead', 'c');
    await minute();
    expect(await mails()).toHaveLength(2);
    sqs.make('dead');
    await minute();
    expect(watch.check()[0]?.degraded).toBeUndefined();
    sqs.put('dead', 'd');
    await minute();
    expect(await mails()).toHaveLength(3);
  });

  it('whose number wavers, as SQS’s do, is not told anew', async () => {
    sqs.put('dead', 'a', 'b', 'c', 'd');
    await minute();
    for (const depth of ['3', '4', '3', '4']) {
      sqs.make('dead', { ApproximateNumberOfMessages: depth });
      await minute();
    }
    expect(await mails()).toHaveLength(1);
  });

  it('is looked at by one node for all, and shown by every one', async () => {
    sqs.put('dead', 'a');
    const nodes = [watchOf(), watchOf(), watchOf()];
    clock.advance(60_000);
    await Promise.all(nodes.map((node) => node.turn()));
    expect(sqs.count('GetQueueAttributes')).toBe(2);
    expect(await mails()).toHaveLength(1);
    await Promise.all(nodes.map((node) => node.turn()));
    for (const node of nodes) expect(node.check()).toMatchObject([{ degraded: true }]);
  });

  it('that may not be looked at is said, with what to allow', async () => {
    sqs.interfere = (action) =>
      action === 'GetQueueAttributes' ? { status: 403, type: 'AccessDeniedException' } : undefined;
    await minute();
    expect(watch.check()).toMatchObject([{ healthy: true, degraded: true }]);
    expect(watch.check()[0]?.remedy).toMatch('GetQueueAttributes');
  });

  it('is not needed', async () => {
    sqs.make('events');
    await minute();
    expect(watch.check()[0]?.detail).toMatch('no dead-letter queue');
    expect((await redrive('events')).status).toBe(404);
  });

  it('beside a queue that takes only small messages: that is said, since large events are lost', async () => {
    sqs.make('events', { ...REDRIVE, MaximumMessageSize: '1024' });
    await minute();
    expect(watch.check()[0]?.detail).toMatch('1024 bytes');
  });
});

describe('sending dead letters back', () => {
  it('is left to SQS where it offers to, and told in the audit', async () => {
    sqs.put('dead', 'a', 'b');
    expect(await redrive('events')).toEqual({ status: 200, body: { method: 'task' } });
    expect([sqs.bodies('events'), sqs.bodies('dead')]).toEqual([['a', 'b'], []]);
    expect(await test.query('SELECT actor, action, subject FROM audit_event')).toEqual([
      { actor: 'user:alice', action: 'event_queue.redriven', subject: 'event_queue:events' },
    ]);
  });

  it.each([
    { status: 400, type: 'UnsupportedOperation' },
    { status: 500, type: 'InternalFailure' },
  ])('is done here where it answers $type, and loses none', async (refusal) => {
    sqs.interfere = (action) => (action === 'StartMessageMoveTask' ? refusal : undefined);
    sqs.put('dead', ...Array.from({ length: 25 }, (_, n) => `m${n}`));
    expect(await redrive('events')).toEqual({
      status: 200,
      body: { method: 'moved', moved: 25, isWhole: true },
    });
    expect(sqs.bodies('events')).toHaveLength(25);
    expect(sqs.bodies('dead')).toEqual([]);
  });

  it('of a queue that nobody configured is refused', async () => {
    expect((await redrive('other')).status).toBe(404);
  });

  it('shows before and after how many there are', async () => {
    sqs.put('dead', 'a');
    await minute();
    const answer = await server.inject({ method: 'GET', url: '/api/v1/event-queues' });
    expect(answer.json()).toMatchObject({
      items: [{ name: 'events', waiting: 0, deadLetterQueue: 'dead', deadLetters: 1, problem: null }],
    });
  });
});
