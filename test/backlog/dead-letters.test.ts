import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { Dispatcher } from '../../src/backlog/dispatcher.js';
import { MAX_ATTEMPTS, startFailure } from '../../src/backlog/start-failure.js';
import {
  Conflict,
  Forbidden,
  InvalidInput,
  NotFound,
  Overloaded,
  TooLarge,
  Unavailable,
} from '../../src/errors.js';
import { awsMessage, intakeParts } from '../intake/intake-parts.js';
import { FakeEngine } from './fake-engine.js';

const { intake, test, clock, bell, database } = await intakeParts();
const log = pino({ level: 'silent' });

let engine: FakeEngine;
const dispatcher = () => new Dispatcher({ database, engine, clock, bell, log, maxRunning: 8 });
const upload = (...keys: string[]) =>
  intake.accept(awsMessage(...keys.map((key) => ({ key, versionId: 'v' }))), { kind: 'webhook' });
const counts = async () =>
  (
    await test.query(`SELECT (SELECT count(*)::int FROM backlog_item) AS waiting,
                             (SELECT count(*)::int FROM dead_letter) AS dead`)
  )[0];
const cut = () => Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' });

describe('a start that fails for', () => {
  it.each([
    ['refused input', InvalidInput.field('input', 'no'), 'hopeless'],
    ['too large an input', new TooLarge('no'), 'hopeless'],
    ['a right that is missing', new Forbidden('no'), 'hopeless'],
    ['a state that forbids it', new Conflict('no'), 'hopeless'],
    ['a definition that is not there yet', new NotFound('no'), 'retry'],
    ['anything else', new Error('no'), 'retry'],
    ['an engine that is full', new Overloaded('full', 5), 'wait'],
    ['a database that is away', cut(), 'wait'],
    ['a database that is away, as the engine tells it', new Unavailable('postgresql', 'away'), 'wait'],
    ['what was caused by one', new Error('no', { cause: cut() }), 'wait'],
  ])('%s: %s', (_, error, kind) => {
    expect(startFailure(error, 0).kind).toBe(kind);
    if (kind === 'wait') expect(startFailure(error, 1_000_000).kind).toBe('wait');
  });
});

const begin = async (): Promise<void> => {
  engine = new FakeEngine();
  await test.truncate();
};

describe('a start that fails', () => {
  beforeEach(begin);

  it('again and again is tried for three minutes, and then kept as a dead letter', async () => {
    await upload('a');
    const begun = clock.now();
    const loop = dispatcher();
    for (let tries = 1; tries <= MAX_ATTEMPTS; tries += 1) {
      expect(await counts()).toEqual({ waiting: 1, dead: 0 });
      engine.failures.push(new NotFound('no such workflow'));
      while (engine.failures.length > 0) {
        clock.advance(1000);
        await loop.dispatch();
      }
    }
    expect(await counts()).toEqual({ waiting: 0, dead: 1 });
    expect(clock.now() - begun).toBeGreaterThan(120_000);
    expect(clock.now() - begun).toBeLessThan(240_000);
    expect(await test.query('SELECT attempts, code, reason FROM dead_letter')).toEqual([
      { attempts: MAX_ATTEMPTS, code: 'NOT_FOUND', reason: 'no such workflow' },
    ]);
  });

  it('for want of the database or of room is never one, and counts as no try', async () => {
    await upload('a', 'b');
    for (let n = 0; n < 3 * MAX_ATTEMPTS; n += 1) {
      engine.failures.push(
        n % 2 === 0 ? cut() : new Overloaded('full', 1),
        new Unavailable('postgresql', 'away'),
      );
      await dispatcher().dispatch();
      engine.failures.length = 0;
    }
    expect(await counts()).toEqual({ waiting: 2, dead: 0 });
    expect(await test.query('SELECT DISTINCT attempts FROM backlog_item')).toEqual([{ attempts: 0 }]);
    expect(await dispatcher().dispatch()).toBe(2);
  });

  it('does not keep its place from others, however many fail', async () => {
    await upload(...Array.from({ length: 20 }, (_, n) => `bad${n}`));
    clock.advance(1);
    await upload('good');
    for (let n = 0; n < 20; n += 1) engine.failures.push(new NotFound('no such workflow'));
    const loop = dispatcher();
    let started = 0;
    for (let look = 0; look < 3; look += 1) started += await loop.dispatch();
    expect(started).toBe(1);
  });

  it('while somebody works on its object is a dead letter a little later, and nobody waits', async () => {
    await upload('a');
    const loop = dispatcher();
    await database.transaction(async (tx) => {
      await tx.query('SELECT FROM object_version FOR UPDATE');
      engine.failures.push(InvalidInput.field('input', 'no'));
      expect(await loop.dispatch()).toBe(0);
    });
    expect(await counts()).toEqual({ waiting: 1, dead: 0 });
    engine.failures.push(InvalidInput.field('input', 'no'));
    clock.advance(1000);
    await loop.dispatch();
    expect(await counts()).toEqual({ waiting: 0, dead: 1 });
  });

  it('is given up in one piece: killed in the middle, the scan still waits', async () => {
    await upload('a');
    await test.query(`ALTER TABLE audit_event ADD CONSTRAINT killed CHECK (action <> 'scan.dead_lettered')`);
    engine.failures.push(InvalidInput.field('input', 'no'));
    await expect(dispatcher().dispatch()).rejects.toThrow('killed');
    await test.query('ALTER TABLE audit_event DROP CONSTRAINT killed');
    expect(await counts()).toEqual({ waiting: 1, dead: 0 });
    expect(await test.query('SELECT verdict FROM object_version')).toEqual([{ verdict: 'pending' }]);
    expect(await dispatcher().dispatch()).toBe(1);
  });
});

describe('two dispatchers at once', () => {
  beforeEach(begin);

  it('start everything once, and never more together than may run', async () => {
    await upload(...Array.from({ length: 40 }, (_, n) => `k${n}`));
    const two = [dispatcher(), dispatcher()];
    while (engine.started.size < 40) {
      await Promise.all(two.map((one) => one.dispatch()));
      const [running] = await test.query<{ n: number }>(
        'SELECT count(*)::int AS n FROM scan WHERE started_at IS NOT NULL AND verdict_at IS NULL',
      );
      expect(running?.n).toBeLessThanOrEqual(8);
      await test.query('UPDATE scan SET verdict_at = started_at WHERE started_at IS NOT NULL');
    }
    expect([engine.calls, await counts()]).toEqual([40, { waiting: 0, dead: 0 }]);
  });
});
