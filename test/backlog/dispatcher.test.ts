import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { BacklogBell } from '../../src/backlog/backlog-bell.js';
import { Dispatcher } from '../../src/backlog/dispatcher.js';
import type { JsonObject } from '../../src/engine/model/json.js';
import { NotFound, Overloaded } from '../../src/errors.js';
import { IntakeService } from '../../src/intake/intake.service.js';
import { workflowIdOf } from '../../src/verdicts/ids.js';
import { failure } from '../../src/verdicts/postgres-ledger.js';
import { ASSUMED_BYTES } from '../../src/backlog/look.js';
import { awsMessage, intakeParts } from '../intake/intake-parts.js';
import { eventually } from '../support/eventually.js';
import { FakeEngine } from './fake-engine.js';

const { intake, ledger, test, clock, bell, buckets, rules, database, progress } = await intakeParts();
const webhook = { kind: 'webhook' } as const;
const log = pino({ level: 'silent' });

let engine: FakeEngine;
const dispatcherParts = () => ({ database, engine, clock, bell, log });
const dispatcher = (maxRunning = 32) => new Dispatcher({ ...dispatcherParts(), maxRunning });
const waiting = async () =>
  (await test.query<{ n: number }>('SELECT count(*)::int AS n FROM backlog_item'))[0]?.n;
const bucketOf = (input: JsonObject | undefined): string => {
  const bucket = input?.['bucket'];
  return typeof bucket === 'string' ? bucket : '';
};
const startedOf = (bucket: string) =>
  [...engine.started.values()].filter(({ input }) => bucketOf(input) === bucket).length;
const upload = (count: number, bucket = 'uploads', prefix = 'k') =>
  intake.accept(
    awsMessage(
      ...Array.from({ length: count }, (_, index) => ({ bucket, key: `${prefix}${index}`, versionId: 'v' })),
    ),
    webhook,
  );

beforeEach(async () => {
  engine = new FakeEngine();
  await test.truncate();
});

describe('the dispatcher', () => {
  it('starts what waits with derived ids, and records it', async () => {
    await upload(1);
    const [scan] = await test.query<{ id: string; object_id: string }>('SELECT id, object_id FROM scan');
    expect(await dispatcher().dispatch()).toBe(1);
    const workflowId = workflowIdOf(scan?.id ?? '');
    expect(engine.started.get(workflowId)).toMatchObject({
      name: 'scan_upload',
      idempotencyKey: scan?.id,
      correlationId: scan?.object_id,
      priority: 50,
      input: { scanId: scan?.id, bucket: 'uploads', key: 'k0', versionId: 'v', source: 'aws' },
    });
    expect(await waiting()).toBe(0);
    expect(
      await test.query(
        'SELECT s.started_at IS NOT NULL AS started, o.workflow_id FROM scan s, object_version o',
      ),
    ).toEqual([{ started: true, workflow_id: workflowId }]);
    expect(await dispatcher().dispatch()).toBe(0);
  });

  it('keeps to its limit, shares it among buckets, and goes on when a scan is judged', async () => {
    await upload(5);
    await upload(2, 'plain');
    const limited = dispatcher(4);
    expect(await limited.dispatch()).toBe(4);
    expect(
      [...engine.started.values()].map(({ input }) => bucketOf(input)).sort((a, b) => a.localeCompare(b)),
    ).toEqual(['plain', 'plain', 'uploads', 'uploads']);
    expect(await limited.dispatch()).toBe(0);
    const [first] = [...engine.started.values()];
    await ledger.recordVerdict(first?.idempotencyKey ?? '', {
      verdict: 'infected',
      reason: 'malware_found',
      engines: [],
      bytesScanned: 0,
      bytesTotal: 0,
      notCovered: [],
      workflowId: 'w',
    });
    expect(await limited.dispatch()).toBe(1);
  });

  it('starts nothing twice when it is killed between the start and its record', async () => {
    await upload(3);
    await test.query('ALTER TABLE scan ADD CONSTRAINT killed CHECK (started_at IS NULL)');
    await expect(dispatcher().dispatch()).rejects.toThrow('killed');
    await test.query('ALTER TABLE scan DROP CONSTRAINT killed');
    expect([engine.started.size, await waiting()]).toEqual([3, 3]);
    await dispatcher().dispatch();
    expect([engine.started.size, engine.calls, await waiting()]).toEqual([3, 6, 0]);
  });

  it('tries again when the answer to a start was lost', async () => {
    await upload(1);
    engine.beforeAnswer = () => {
      throw new Error('connection lost');
    };
    expect(await dispatcher().dispatch()).toBe(0);
    engine.beforeAnswer = () => undefined;
    expect(await dispatcher().dispatch()).toBe(0);
    clock.advance(2000);
    expect(await dispatcher().dispatch()).toBe(1);
    expect([engine.started.size, await waiting()]).toEqual([1, 0]);
  });

  it('holds off from an engine that is full', async () => {
    await upload(2);
    engine.failures.push(new Overloaded('full', 5));
    const one = dispatcher(1);
    expect(await one.dispatch()).toBe(0);
    expect(await one.dispatch()).toBe(0);
    expect(engine.calls).toBe(1);
    clock.advance(5000);
    expect(await one.dispatch()).toBe(1);
    expect(await test.query('SELECT attempts FROM backlog_item')).toEqual([{ attempts: 0 }]);
  });

  it('does not let one start that fails hold up the others', async () => {
    await upload(1, 'uploads', 'bad');
    clock.advance(1);
    await upload(2);
    engine.failures.push(new NotFound('no such definition'));
    expect(await dispatcher(1).dispatch()).toBe(0);
    expect(await dispatcher().dispatch()).toBe(2);
    expect(await test.query('SELECT attempts, last_error FROM backlog_item')).toEqual([
      { attempts: 1, last_error: 'no such definition' },
    ]);
  });

  it('dispatches on one node at a time', async () => {
    await upload(10);
    const started = await Promise.all([
      dispatcher(4).dispatch(),
      dispatcher(4).dispatch(),
      dispatcher(4).dispatch(),
    ]);
    expect(started.reduce((sum, count) => sum + count, 0)).toBe(4);
  });

  it('keeps to a bucket’s own limits, and fills the places with others', async () => {
    await upload(5);
    await upload(5, 'plain');
    const quotasOf = (_: string, bucket: string) => (bucket === 'uploads' ? { maxRunning: 1 } : undefined);
    const parts = { database, engine, clock, bell, log, maxRunning: 4, quotasOf };
    expect(await new Dispatcher(parts).dispatch()).toBe(4);
    expect(startedOf('uploads')).toBe(1);
  });

  it('counts the bytes that are in flight as inspection told them, and lets one object through however large', async () => {
    const sized = (key: string, size: number) =>
      intake.accept(awsMessage({ key, versionId: 'v', size }), webhook).then(() => clock.advance(1));
    await sized('huge', 5000);
    await sized('middle', 80);
    await sized('other', 30);
    const limited = new Dispatcher({
      database,
      engine,
      clock,
      bell,
      log,
      maxRunning: 9,
      maxRunningBytes: 100,
    });
    expect(await limited.dispatch()).toBe(2);
    expect(await limited.dispatch()).toBe(0);
    // Inspection found that one is smaller than its event said.
    await test.query(`UPDATE object_version SET size_bytes = 70 WHERE key = 'middle'`);
    expect(await limited.dispatch()).toBe(1);
  });

  it('takes an object whose size nobody told for a common one', async () => {
    await upload(3);
    const limited = (maxRunningBytes: number) =>
      new Dispatcher({ database, engine, clock, bell, log, maxRunning: 9, maxRunningBytes });
    expect(await limited(ASSUMED_BYTES).dispatch()).toBe(2);
    expect(await limited(ASSUMED_BYTES).dispatch()).toBe(0);
  });

  it('leaves for the next look what somebody holds, and waits for nobody', async () => {
    await upload(2);
    await database.transaction(async (tx) => {
      await tx.query(`SELECT FROM object_version WHERE key = 'k0' FOR UPDATE`);
      expect(await dispatcher().dispatch()).toBe(2);
      expect(await waiting()).toBe(1);
    });
    // It runs already: it is started again, which starts nothing new.
    await dispatcher().dispatch();
    expect([engine.started.size, await waiting()]).toEqual([2, 0]);
    expect(await test.query('SELECT count(DISTINCT workflow_id)::int AS n FROM object_version')).toEqual([
      { n: 2 },
    ]);
  });

  it('refills as soon as a scan ends, without a second’s delay', async () => {
    await upload(3);
    const loop = dispatcher(1);
    const end = progress.onFreed(() => loop.freed());
    const begun = clock.now();
    loop.start();
    try {
      for (let count = 1; count <= 3; count += 1) {
        await eventually(async () => {
          clock.advance(5);
          return engine.started.size === count && (await waiting()) === 3 - count;
        });
        const scanId = [...engine.started.values()].at(-1)?.idempotencyKey ?? '';
        await ledger.recordVerdict(scanId, failure('test', 'w'));
      }
      expect(clock.now() - begun).toBeLessThan(1000);
    } finally {
      end();
      await loop.stop();
    }
  });

  it('starts four a second while intake needs the time, and the rest as soon as it does not', async () => {
    await upload(30);
    let isStorm = true;
    const loop = new Dispatcher({ ...dispatcherParts(), maxRunning: 32, isStorm: () => isStorm });
    const begun = clock.now();
    loop.start();
    try {
      await eventually(async () => engine.started.size === 4 && (await waiting()) === 26);
      await eventually(() => {
        // However often somebody rings.
        bell.ring();
        clock.advance(20);
        return engine.started.size === 8;
      });
      expect(clock.now() - begun).toBeGreaterThanOrEqual(1000);
      isStorm = false;
      await eventually(async () => {
        clock.advance(100);
        return engine.started.size === 30 && (await waiting()) === 0;
      });
    } finally {
      await loop.stop();
    }
  });

  it('wakes at a commit in its process, and each second by itself', async () => {
    const loop = dispatcher();
    const end = progress.onFreed(() => loop.freed());
    loop.start();
    try {
      await upload(1);
      await eventually(() => engine.started.size === 1);
      // Another process's commit rings no bell here.
      const elsewhere = new IntakeService(database, clock, buckets, rules, new BacklogBell(), log);
      await elsewhere.accept(awsMessage({ key: 'other', versionId: 'v' }), webhook);
      await eventually(() => {
        clock.advance(1000);
        return engine.started.size === 2;
      });
    } finally {
      end();
      await loop.stop();
    }
  });
});
