import { pino } from 'pino';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Dispatcher } from '../../src/backlog/dispatcher.js';
import { ItemAnswer, ItemPage, QueueSummary } from '../../src/backlog/queue-view.js';
import { InvalidInput } from '../../src/errors.js';
import { failure } from '../../src/verdicts/postgres-ledger.js';
import { awsMessage, intakeParts } from '../intake/intake-parts.js';
import { eventually } from '../support/eventually.js';
import { FakeEngine } from './fake-engine.js';
import { queueApp } from './queue-app.js';

const parts = await intakeParts();
const { intake, ledger, test, clock, bell, database } = parts;
const { call, metrics, health } = await queueApp(parts);
const log = pino({ level: 'silent' });
const webhook = { kind: 'webhook' } as const;

let engine: FakeEngine;
const dispatcher = (maxRunning = 32) => new Dispatcher({ database, engine, clock, bell, log, maxRunning });
const upload = (key: string, bucket = 'uploads', size = 10) =>
  intake.accept(awsMessage({ bucket, key, versionId: 'v', size }), webhook);
const scanOf = async (key: string) =>
  (
    await test.query<{ id: string }>(
      'SELECT s.id FROM scan s JOIN object_version o ON o.id = s.object_id WHERE o.key = $1 ORDER BY s.generation DESC',
      [key],
    )
  )[0]?.id ?? '';
const ledgerSays = async (key: string) =>
  (
    await test.query(
      `SELECT o.verdict, v.reason, v.detail FROM object_version o LEFT JOIN verdict v ON v.id = o.verdict_id
        WHERE o.key = $1`,
      [key],
    )
  )[0];
const audited = () =>
  test.query(`SELECT action, actor, subject FROM audit_event WHERE actor = 'user:alice' ORDER BY id`);
/** The counts may be a second old. */
const summary = (want: Partial<QueueSummary>) =>
  eventually(async () => {
    const read = QueueSummary.parse((await call('GET', '')).body);
    expect(read).toMatchObject(want);
    return read;
  });
const listed = async (query: string) => ItemPage.parse((await call('GET', `/items${query}`)).body);
const refuse = (count: number) => {
  for (let n = 0; n < count; n += 1) engine.failures.push(InvalidInput.field('input', 'is not for it'));
};

// Readings are kept for a second of real time: what an earlier test read must not be taken for what this one asks.
const realNow = performance.now.bind(performance);
let skippedMs = 0;

beforeEach(async () => {
  engine = new FakeEngine();
  await test.truncate();
  skippedMs += 60_000;
  vi.spyOn(performance, 'now').mockImplementation(() => realNow() + skippedMs);
});

describe('GET /api/v1/queue', () => {
  it('says by queue what waits, how old the oldest is, what runs and what is dead', async () => {
    await upload('dead');
    refuse(1);
    await dispatcher(1).dispatch();
    await upload('a', 'plain', 70);
    await dispatcher(1).dispatch();
    await upload('b', 'plain');
    clock.advance(5000);
    const read = await summary({ waiting: 1, running: 1, dead: 1 });
    expect(read.queues).toMatchObject([
      {
        bucket: 'plain',
        source: 'upload',
        waiting: 1,
        waitingBytes: 10,
        oldestAgeSeconds: 5,
        runningBytes: 70,
      },
      { bucket: 'uploads', source: 'upload', waiting: 0, oldestAt: null, running: 0, dead: 1 },
    ]);
  });

  it('is told to /metrics with one series per queue', async () => {
    await upload('a');
    await upload('b');
    await dispatcher(1).dispatch();
    clock.advance(3000);
    await summary({ waiting: 1, running: 1, dead: 0 });
    const text = await metrics.metrics();
    const queue = '{endpoint="embedded",bucket="uploads",source="upload"}';
    expect(text).toContain(`sallyport_backlog_waiting${queue} 1`);
    expect(text).toContain(`sallyport_backlog_running${queue} 1`);
    expect(text).toContain(`sallyport_backlog_running_bytes${queue} 10`);
    expect(text).toContain(`sallyport_backlog_oldest_age_seconds${queue} 3`);
    expect(text).toContain('sallyport_backlog_pauses 0');
  });
});

describe('the list of items', () => {
  it('goes through what waits a page at a time, each once, the oldest first', async () => {
    for (let n = 0; n < 5; n += 1) {
      await upload(`k${n}`, n % 2 === 0 ? 'uploads' : 'plain');
      clock.advance(1);
    }
    const keys: string[] = [];
    let cursor = '';
    for (let page = 0; page < 3; page += 1) {
      const { items, nextCursor = '' } = await listed(`?limit=2${cursor}`);
      keys.push(...items.map(({ key }) => key));
      cursor = nextCursor === '' ? '' : `&cursor=${nextCursor}`;
    }
    expect([keys, cursor]).toEqual([['k0', 'k1', 'k2', 'k3', 'k4'], '']);
    expect((await listed('?bucket=plain')).items.map(({ key }) => key)).toEqual(['k1', 'k3']);
    expect((await listed('?source=backfill')).items).toEqual([]);
  });

  it('shows what runs, what is tried again and what is dead', async () => {
    await upload('runs');
    await dispatcher().dispatch();
    await upload('again');
    engine.failures.push(new Error('out of luck'));
    await dispatcher().dispatch();
    await upload('dead');
    refuse(1);
    await dispatcher().dispatch();
    expect((await listed('?state=running')).items).toMatchObject([{ key: 'runs', state: 'running' }]);
    expect((await listed('?state=postponed')).items).toMatchObject([
      { key: 'again', attempts: 1, reason: 'out of luck' },
    ]);
    const { body } = await call('GET', '/dead-letters');
    expect(ItemPage.parse(body).items).toMatchObject([
      { key: 'dead', state: 'dead', code: 'INVALID_INPUT', reason: 'input: is not for it', attempts: 1 },
    ]);
  });

  it.each(['?state=lost', '?limit=0', '?cursor=abc', '?source=mail'])(
    'refuses %s and says why',
    async (query) => {
      const { status, body } = await call('GET', `/items${query}`);
      expect([status, body['code']]).toEqual([400, 'INVALID_INPUT']);
    },
  );
});

describe('a pause', () => {
  it('of a bucket stops it alone, over restarts, until somebody resumes it', async () => {
    await upload('a');
    await upload('b', 'plain');
    expect(await call('POST', '/pause', { bucket: 'uploads', reason: 'flood' })).toEqual({
      status: 200,
      body: { queue: 'bucket:embedded/uploads', paused: true, changed: true, settled: true },
    });
    expect(await dispatcher().dispatch()).toBe(1);
    expect(await dispatcher().dispatch()).toBe(0);
    // A reading of before the second upload would have one waiting too.
    const { pauses, queues } = await summary({ waiting: 1, running: 1 });
    expect(pauses).toMatchObject([{ bucket: 'uploads', reason: 'flood', pausedBy: 'user:alice' }]);
    expect(queues.map(({ bucket, paused }) => [bucket, paused])).toEqual([
      ['plain', false],
      ['uploads', true],
    ]);
    // What comes is taken in all the same.
    expect(await upload('c')).toMatchObject({ accepted: 1 });
    await call('POST', '/resume', { bucket: 'uploads' });
    expect(await dispatcher().dispatch()).toBe(2);
    expect((await audited()).map(({ action }) => action)).toEqual(['queue.paused', 'queue.resumed']);
  });

  it('of a source stops it in every bucket, and the rest behind it goes on', async () => {
    await upload('a');
    await test.query(`UPDATE backlog_item SET source_class = 'backfill'`);
    await upload('b');
    await call('POST', '/pause', { source: 'upload' });
    expect(await dispatcher().dispatch()).toBe(1);
    expect((await listed('')).items).toMatchObject([{ key: 'b' }]);
  });

  it('of everything stops everything, and is shown as degraded', async () => {
    await upload('a');
    await call('POST', '/pause', {});
    await call('POST', '/pause', {});
    clock.advance(120_000);
    expect(await dispatcher().dispatch()).toBe(0);
    const results = await health.results();
    expect(results).toMatchObject([{ name: 'backlog', healthy: true, degraded: true, state: 'paused' }]);
    expect(JSON.stringify(results)).toContain('a queue is paused, for 2 min');
    expect(JSON.stringify(results)).not.toMatch(/alice|uploads/);
    await call('POST', '/resume', {});
    expect(await dispatcher().dispatch()).toBe(1);
    // The second pause and a second resume change nothing.
    await call('POST', '/resume', {});
    expect(await audited()).toHaveLength(2);
  });

  it('is answered after the starts that were chosen before it', async () => {
    await upload('a');
    await upload('b');
    let isPaused = false;
    let begin: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    engine.beforeAnswer = () => {
      expect(isPaused).toBe(false);
      begin();
    };
    const look = dispatcher(1).dispatch();
    await begun;
    const paused = call('POST', '/pause', {}).then(({ body }) => {
      isPaused = true;
      return body;
    });
    expect(await look).toBe(1);
    expect(await paused).toMatchObject({ settled: true });
    expect(await dispatcher(9).dispatch()).toBe(0);
  });

  it('races with many looks: nothing starts after its answer', async () => {
    for (let n = 0; n < 20; n += 1) await upload(`k${n}`);
    let after = 0;
    let isPaused = false;
    engine.beforeAnswer = () => {
      if (isPaused) after += 1;
    };
    const looks = (async () => {
      for (let n = 1; n <= 12; n += 1)
        await Promise.all([dispatcher(n).dispatch(), dispatcher(n).dispatch()]);
    })();
    await eventually(() => engine.started.size > 2);
    await call('POST', '/pause', {});
    isPaused = true;
    await looks;
    expect(after).toBe(0);
    expect(engine.started.size).toBeLessThanOrEqual(12);
  });

  it.each([
    [{ bucket: 'nowhere' }, 'bucket'],
    [{ endpointId: 'embedded' }, 'endpointId'],
    [{ source: 'mail' }, 'source'],
    [{ buckets: 'uploads' }, 'body'],
  ])('of %j is refused, naming %s', async (body, path) => {
    expect(await call('POST', '/pause', body)).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  });
});

describe('a dead letter', () => {
  it('is one at once when the start was refused, and the ledger says that it failed, and why', async () => {
    await upload('a');
    refuse(1);
    expect(await dispatcher().dispatch()).toBe(0);
    expect(await ledgerSays('a')).toEqual({
      verdict: 'failed',
      reason: 'could_not_start',
      detail: 'input: is not for it',
    });
    expect(await health.results()).toMatchObject([{ degraded: true, state: 'dead_letters' }]);
    expect(await test.query(`SELECT actor FROM audit_event WHERE action = 'scan.dead_lettered'`)).toEqual([
      { actor: 'system:backlog' },
    ]);
    clock.advance(86_400_000);
    expect(await dispatcher().dispatch()).toBe(0);
    expect(engine.calls).toBe(1);
  });

  it('keeps what an earlier scan found of the object', async () => {
    await upload('a');
    await dispatcher().dispatch();
    const first = await scanOf('a');
    await ledger.recordVerdict(first, {
      ...failure('', 'w'),
      verdict: 'clean',
    });
    await ledger.close(first);
    expect((await call('POST', `/items/${first}/requeue`)).status).toBe(202);
    refuse(1);
    await dispatcher().dispatch();
    expect(await ledgerSays('a')).toMatchObject({ verdict: 'clean' });
    expect((await listed('?state=dead')).items).toHaveLength(1);
  });

  it('waits again after a redrive, with the count of tries begun anew, and is scanned as the scan it was', async () => {
    await upload('a');
    refuse(1);
    await dispatcher().dispatch();
    const scanId = await scanOf('a');
    expect(await call('POST', '/dead-letters/redrive', { scanId })).toEqual({
      status: 200,
      body: { redriven: 1, left: 0 },
    });
    expect((await listed('')).items).toMatchObject([{ scanId, attempts: 0 }]);
    expect(await dispatcher().dispatch()).toBe(1);
    await ledger.recordVerdict(scanId, { ...failure('', 'w'), verdict: 'clean' });
    expect(await ledgerSays('a')).toMatchObject({ verdict: 'clean' });
    expect((await audited()).map(({ action }) => action)).toEqual(['backlog.redriven']);
  });

  it('is redriven by bucket, by code and all together, and to another definition where one is named', async () => {
    for (const [key, bucket] of [
      ['a', 'uploads'],
      ['b', 'plain'],
      ['c', 'plain'],
    ] as const)
      await upload(key, bucket);
    refuse(3);
    await dispatcher().dispatch();
    const redrive = async (body: object) => (await call('POST', '/dead-letters/redrive', body)).body;
    expect(await redrive({ code: 'NOT_FOUND' })).toEqual({ redriven: 0, left: 0 });
    expect(await redrive({ bucket: 'plain', newWorkflowName: 'scan_again' })).toEqual({
      redriven: 2,
      left: 0,
    });
    expect(await redrive({ all: true })).toEqual({ redriven: 1, left: 0 });
    expect(await redrive({})).toMatchObject({ code: 'INVALID_INPUT' });
    expect(await dispatcher().dispatch()).toBe(3);
    expect([...engine.started.values()].map(({ name }) => name).sort()).toEqual([
      'scan_again',
      'scan_again',
      'scan_upload',
    ]);
  });
});

describe('a single item', () => {
  it('that is cancelled is not started, and the ledger says skipped', async () => {
    await upload('a');
    const scanId = await scanOf('a');
    expect(await call('POST', `/items/${scanId}/cancel`, { reason: 'a test file' })).toMatchObject({
      status: 200,
      body: { scanId, state: 'cancelled' },
    });
    expect(await ledgerSays('a')).toEqual({
      verdict: 'skipped',
      reason: 'cancelled_by_operator',
      detail: 'a test file',
    });
    expect(await dispatcher().dispatch()).toBe(0);
    expect((await audited()).map(({ action }) => action)).toContain('scan.cancelled');
    expect(await call('POST', `/items/${scanId}/cancel`)).toMatchObject({
      status: 409,
      body: { code: 'CONFLICT' },
    });
  });

  it('that is being started is not cancelled', async () => {
    await upload('a');
    const scanId = await scanOf('a');
    let cancelled: ReturnType<typeof call> | undefined;
    engine.beforeAnswer = () => {
      cancelled ??= call('POST', `/items/${scanId}/cancel`);
    };
    expect(await dispatcher().dispatch()).toBe(1);
    expect(await cancelled).toMatchObject({ status: 409 });
    expect(await ledgerSays('a')).toMatchObject({ verdict: 'pending' });
  });

  it('that was tried in vain starts at once when it is requeued, before others if that is wanted', async () => {
    await upload('a');
    engine.failures.push(new Error('out of luck'));
    await dispatcher().dispatch();
    await upload('b');
    const scanId = await scanOf('a');
    expect(await call('POST', `/items/${scanId}/requeue`, { priority: 99 })).toMatchObject({
      status: 202,
      body: { scanId, state: 'waiting' },
    });
    await dispatcher(1).dispatch();
    expect([...engine.started.values()].map(({ idempotencyKey }) => idempotencyKey)).toEqual([scanId]);
  });

  it('that runs can be neither requeued nor cancelled; one that is over is scanned once more', async () => {
    await upload('a');
    await dispatcher().dispatch();
    const scanId = await scanOf('a');
    for (const verb of ['requeue', 'cancel'])
      expect(await call('POST', `/items/${scanId}/${verb}`)).toMatchObject({ status: 409 });
    await ledger.recordVerdict(scanId, failure('test', 'w'));
    await ledger.close(scanId);
    const again = ItemAnswer.parse((await call('POST', `/items/${scanId}/requeue`)).body);
    expect(again.scanId).not.toBe(scanId);
    expect((await listed('')).items).toMatchObject([
      { scanId: again.scanId, source: 'request', priority: 70 },
    ]);
    expect(await dispatcher().dispatch()).toBe(1);
  });

  it.each(['requeue', 'cancel'])('that nobody knows is not found (%s)', async (verb) => {
    const unknown = '00000000-0000-4000-8000-000000000000';
    expect((await call('POST', `/items/${unknown}/${verb}`)).status).toBe(404);
    expect((await call('POST', `/items/none/${verb}`)).status).toBe(400);
  });
});
