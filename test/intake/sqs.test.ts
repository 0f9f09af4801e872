import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Database } from '../../src/database/database.js';
import { IntakeService } from '../../src/intake/intake.service.js';
import { QueueIntake } from '../../src/intake/sqs/queue-intake.js';
import { QueuePoller } from '../../src/intake/sqs/queue-poller.js';
import { ReceiverRoom } from '../../src/intake/sqs/receiver-room.js';
import { MessageQueues } from '../../src/s3/message-queues.js';
import { FakeClock } from '../support/clock.js';
import { eventually } from '../support/eventually.js';
import { SqsServer } from '../support/sqs-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { awsMessage, intakeParts } from './intake-parts.js';

process.env['AWS_ACCESS_KEY_ID'] = 'test';
process.env['AWS_SECRET_ACCESS_KEY'] = 'test';

const parts = await intakeParts();
const { test } = parts;
const clock = new FakeClock();
const server = await SqsServer.start(() => clock.now());
const queues = new MessageQueues({ S3_REGION: 'us-east-1', SQS_ENDPOINT: server.endpoint }, clock);
const lines: { msg: string; level: number; trouble?: string }[] = [];
const log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) });
const results = new Map<string, number>();

let poller: QueuePoller;
let url: string;

function pollerOf(database: Database, helpers = 4): QueuePoller {
  const { buckets, rules, bell } = parts;
  const intake = new QueueIntake(
    new IntakeService(database, parts.clock, buckets, rules, bell, pino({ level: 'silent' })),
    database,
  );
  return new QueuePoller({
    url,
    name: 'events',
    queues,
    intake,
    clock,
    log,
    room: new ReceiverRoom(helpers),
    count: (result, messages) => results.set(result, (results.get(result) ?? 0) + messages),
  });
}

const count = async (table: string): Promise<number | undefined> =>
  (await test.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`))[0]?.n;

/** Lets the time pass that the poller waits for, until it is so. */
const inTime = (probe: () => boolean | Promise<boolean>): Promise<boolean> =>
  eventually(
    async () => {
      if (await probe()) return true;
      clock.advance(500);
      return false;
    },
    { timeoutMs: 20_000 },
  );

const upload = (key: string) => awsMessage({ key, versionId: `v-${key}`, size: 1, eTag: 'e' });

beforeEach(async () => {
  await test.truncate();
  url = server.make('events');
  server.calls.length = 0;
  server.failing.clear();
  server.interfere = () => undefined;
  results.clear();
  lines.length = 0;
  poller = pollerOf(parts.database);
});
afterEach(() => poller.stop());

describe('a message of a queue', () => {
  it('is stored whole, and only then deleted', async () => {
    server.put('events', awsMessage({ key: 'a', versionId: 'v' }, { key: 'b', versionId: 'v' }), upload('c'));
    poller.start();
    await inTime(() => server.bodies('events').length === 0);
    expect([await count('intake_event'), await count('scan')]).toEqual([3, 3]);
    expect(results.get('stored')).toBe(2);
  });

  it('may be what S3 sends to a topic or a bus, or a probe', async () => {
    const wrapped = { Type: 'Notification', TopicArn: 'arn', Message: JSON.stringify(upload('sns')) };
    const bridge = {
      source: 'aws.s3',
      'detail-type': 'Object Created',
      detail: { bucket: { name: 'uploads' }, object: { key: 'bus', 'version-id': 'v' } },
    };
    const job = { objects: [{ bucket: 'uploads', key: 'job', versionId: 'v' }] };
    server.put('events', wrapped, bridge, job, {
      Service: 'Amazon S3',
      Event: 's3:TestEvent',
      Bucket: 'uploads',
    });
    poller.start();
    await inTime(() => server.bodies('events').length === 0);
    const keys = await test.query('SELECT key, source_kind FROM intake_event ORDER BY key');
    expect(keys).toEqual([
      { key: 'bus', source_kind: 'eventbridge' },
      { key: 'job', source_kind: 'job' },
      { key: 'sns', source_kind: 'aws' },
    ]);
    expect(await count('intake_reject')).toBe(0);
  });

  it('that nobody understands is kept with its reason and deleted, never handed round', async () => {
    server.put('events', 'not JSON', { hello: 1 }, '', awsMessage({ bucket: 'elsewhere' }));
    poller.start();
    await inTime(() => server.bodies('events').length === 0);
    const rejects = await test.query('SELECT source_kind, reason FROM intake_reject ORDER BY reason');
    expect(rejects).toEqual([
      { source_kind: 'sqs', reason: 'not_json' },
      { source_kind: 'sqs', reason: 'not_json' },
      { source_kind: 'sqs', reason: 'unknown_bucket' },
      { source_kind: 'sqs', reason: 'unknown_shape' },
    ]);
  });

  it('that S3 sends twice, and the queue again, is stored once', async () => {
    server.put('events', upload('a'), upload('a'), upload('a'));
    poller.start();
    await inTime(() => server.bodies('events').length === 0);
    expect(await count('intake_event')).toBe(1);
  });

  it('whose deletion fails is deleted by another try, or comes again and changes nothing', async () => {
    server.put('events', upload('soon'), upload('late'));
    server.failing.set(JSON.stringify(upload('soon')), 1);
    server.failing.set(JSON.stringify(upload('late')), 3);
    poller.start();
    await inTime(() => server.bodies('events').length === 1);
    expect(server.bodies('events')).toEqual([JSON.stringify(upload('late'))]);
    await inTime(() => server.bodies('events').length === 0);
    expect(results.get('not_deleted')).toBe(1);
    expect(await count('intake_event')).toBe(2);
  });

  it('that fails for a reason that nobody foresaw comes back later, and is stored once that is mended', async () => {
    await test.query('ALTER TABLE backlog_item ADD CONSTRAINT refuse CHECK (bucket <> $$plain$$)');
    server.put('events', awsMessage({ bucket: 'plain', key: 'k', eTag: 'e' }), upload('good'));
    poller.start();
    await inTime(() => server.bodies('events').length === 1 && results.get('put_back') === 1);
    expect(await count('intake_event')).toBe(1);
    await test.query('ALTER TABLE backlog_item DROP CONSTRAINT refuse');
    await inTime(() => server.bodies('events').length === 0);
    expect(await count('intake_event')).toBe(2);
    expect(await count('intake_reject')).toBe(0);
  });

  it('that goes on failing is set aside with what it said, instead of being handed round for ever', async () => {
    await test.query('ALTER TABLE backlog_item ADD CONSTRAINT refuse CHECK (bucket <> $$plain$$)');
    try {
      server.put('events', awsMessage({ bucket: 'plain', key: 'k', eTag: 'e' }));
      poller.start();
      await inTime(() => server.bodies('events').length === 0);
      expect(results.get('put_back')).toBe(4);
      const [reject] = await test.query('SELECT reason, message, raw FROM intake_reject');
      expect(reject?.['reason']).toBe('not_storable');
      expect(reject?.['message']).toMatch(/failed 5 times: .*refuse/);
      expect(reject?.['raw']).toContain('plain');
    } finally {
      await test.query('ALTER TABLE backlog_item DROP CONSTRAINT refuse');
    }
  });
});

describe('a queue', () => {
  it('that is full is emptied by several receivers, and by one again when it is quiet', async () => {
    const messages = Array.from({ length: 120 }, (_, index) => upload(`k${index}`));
    server.put('events', ...messages);
    let most = 0;
    server.interfere = () => {
      most = Math.max(most, poller.receiving);
      return undefined;
    };
    poller.start();
    await inTime(() => server.bodies('events').length === 0);
    expect(await count('intake_event')).toBe(120);
    expect(most).toBeGreaterThan(2);
    expect(most).toBeLessThanOrEqual(5);
    await inTime(() => poller.receiving === 1);
  });

  it('is not read while the database is away, so that no message is used up', async () => {
    const proxy = await TcpProxy.toUrl(test.url);
    const database = new Database(proxy.through(test.url), { maxConnections: 2 });
    try {
      poller = pollerOf(database);
      await database.query('SELECT 1');
      proxy.refuse();
      server.put('events', upload('a'));
      poller.start();
      await inTime(() => results.get('put_back') === 1);
      for (let minute = 0; minute < 60; minute += 1) {
        clock.advance(60_000);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      expect(server.receives('events')).toBe(1);
      expect(await count('intake_event')).toBe(0);
      proxy.heal();
      await inTime(() => server.bodies('events').length === 0);
      expect(await count('intake_event')).toBe(1);
      await poller.stop();
    } finally {
      await database.close();
      await proxy.close();
    }
  });

  const troubles: readonly [string, { status: number; type: string }, string][] = [
    ['is missing', { status: 400, type: 'QueueDoesNotExist' }, 'missing'],
    ['is forbidden', { status: 403, type: 'AccessDeniedException' }, 'denied'],
    ['meets expired credentials', { status: 403, type: 'ExpiredTokenException' }, 'credentials'],
    ['is encrypted with a key that may not be used', { status: 400, type: 'KmsAccessDenied' }, 'kms'],
  ];
  it.each(troubles)(
    'that %s is told once with a remedy, and read again when it answers',
    async (_, answer, trouble) => {
      let refusals = 0;
      server.interfere = (action) => {
        if (action !== 'ReceiveMessage') return undefined;
        refusals += 1;
        return answer;
      };
      server.put('events', upload('a'));
      poller.start();
      await inTime(() => refusals >= 4);
      expect(poller.state).toMatchObject({ trouble });
      expect(poller.state.remedy).toMatch(/\.$/);
      expect(lines.filter((line) => line.trouble === trouble)).toHaveLength(1);
      server.interfere = () => undefined;
      await inTime(() => server.bodies('events').length === 0);
      expect(poller.state.trouble).toBeUndefined();
      expect(lines.at(-1)?.msg).toBe('the queue answers again');
    },
  );

  it('that stops is left with what was received stored and deleted', async () => {
    server.put('events', ...Array.from({ length: 30 }, (_, index) => upload(`k${index}`)));
    poller.start();
    await eventually(() => server.count('ReceiveMessage') > 0);
    await poller.stop();
    expect(await count('intake_event')).toBe(30 - server.bodies('events').length);
    expect(poller.receiving).toBe(0);
  });
});
