import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Database } from '../../src/database/database.js';
import { RestoreHold } from '../../src/database/restore-hold.js';
import { MAX_ATTEMPTS, retryDelaySeconds } from '../../src/outbound/back-off.js';
import { DeliveryLoop } from '../../src/outbound/delivery-loop.js';
import { OutboxBell } from '../../src/outbound/outbox-bell.js';
import {
  OutboxHandler,
  type Delivery,
  type OutboxDelivery,
  type OutboxMessage,
} from '../../src/outbound/outbox.js';
import { PostgresOutbox } from '../../src/outbound/postgres-outbox.js';
import { outboxHealth } from '../../src/outbound/sql/outbox-health.js';
import { purgeSent } from '../../src/outbound/sql/purge-sent.js';
import { SetClock } from '../reviews/stage.js';
import { markRestored, releaseRestored } from '../support/restoration.js';
import { testDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';

/** Delivers as a test says, and remembers what it was handed. */
class Scripted extends OutboxHandler {
  override readonly concurrency: number = 4;
  override readonly timeoutSeconds: number;
  readonly got: OutboxDelivery[] = [];
  constructor(
    readonly kind: string,
    private readonly answer: (message: OutboxDelivery) => Promise<Delivery> | Delivery = () => ({
      kind: 'sent',
    }),
    timeoutSeconds = 5,
  ) {
    super();
    this.timeoutSeconds = timeoutSeconds;
  }
  async deliver(message: OutboxDelivery): Promise<Delivery> {
    this.got.push(message);
    return this.answer(message);
  }
}

describe('the outbox', () => {
  let db: Database;
  let clock: SetClock;
  let bell: OutboxBell;
  let outbox: PostgresOutbox;
  let loops: DeliveryLoop[];

  beforeEach(async () => {
    const database = await testDatabase();
    await database.truncate();
    db = new Database(database.url, { maxConnections: 12 });
    clock = new SetClock();
    bell = new OutboxBell();
    outbox = new PostgresOutbox(clock, bell);
    loops = [];
  });
  afterEach(async () => {
    await Promise.all(loops.map((loop) => loop.stop()));
    await db.close();
  });

  const run = (handler: OutboxHandler): DeliveryLoop => {
    const log = pino({ level: 'silent' });
    const hold = new RestoreHold(db);
    const loop = new DeliveryLoop(handler, {
      db,
      clock,
      bell,
      log,
      hold,
      owner: randomUUID(),
      random: () => 0.5,
    });
    loops.push(loop);
    loop.start();
    return loop;
  };
  const send = (...messages: OutboxMessage[]) => outbox.enqueue(db, messages);
  const message = (key: string, more: Partial<OutboxMessage> = {}): OutboxMessage => ({
    kind: 'test',
    key,
    payload: { key },
    ...more,
  });
  const states = async () =>
    Object.fromEntries(
      (await db.query<{ key: string; state: string }>('SELECT key, state FROM outbox')).map((row) => [
        row.key,
        row.state,
      ]),
    );
  const allSent = (count: number) =>
    eventually(async () => {
      const all = Object.values(await states());
      return all.length === count && all.every((state) => state === 'sent');
    });

  it('delivers what was committed, soon, and nothing of what was rolled back', async () => {
    const handler = new Scripted('test');
    run(handler);
    await expect(
      db.transaction(async (tx) => {
        await outbox.enqueue(tx, [message('undone')]);
        throw new Error('the deed failed');
      }),
    ).rejects.toThrow('the deed failed');
    await db.transaction((tx) => outbox.enqueue(tx, [message('done')]));
    await allSent(1);
    expect(handler.got.map(({ key }) => key)).toEqual(['done']);
  });

  it('delivers the same message once, however often it is enqueued', async () => {
    await Promise.all(Array.from({ length: 10 }, () => send(message('same'))));
    const handler = new Scripted('test');
    run(handler);
    await allSent(1);
    expect(handler.got).toHaveLength(1);
  });

  it('shares the work of several nodes without doing anything twice', async () => {
    await send(...Array.from({ length: 200 }, (_, n) => message(`m${n}`)));
    const handlers = [new Scripted('test'), new Scripted('test'), new Scripted('test')];
    for (const handler of handlers) run(handler);
    await allSent(200);
    const keys = handlers.flatMap((handler) => handler.got.map(({ key }) => key));
    expect(new Set(keys).size).toBe(200);
    expect(keys).toHaveLength(200);
  });

  it('keeps the order within a group, across kinds, also when the first has to wait', async () => {
    let first = true;
    const order: string[] = [];
    const answer = ({ key }: OutboxDelivery): Delivery => {
      if (key === 'g1' && first) {
        first = false;
        return { kind: 'retry', reason: 'not yet', afterSeconds: 30 };
      }
      order.push(key);
      return { kind: 'sent' };
    };
    await send(
      message('g1', { group: 'g' }),
      message('g2', { group: 'g', kind: 'other' }),
      message('g3', { group: 'g' }),
      message('free'),
    );
    run(new Scripted('test', answer));
    run(new Scripted('other', answer));
    await eventually(async () => (await states())['free'] === 'sent');
    expect(order).toEqual(['free']);
    clock.advance(31_000);
    bell.ring();
    await allSent(4);
    expect(order).toEqual(['free', 'g1', 'g2', 'g3']);
  });

  it('delivers again what a dead process had taken, and says that it may have arrived', async () => {
    const stuck = new Scripted('test', () => new Promise<Delivery>(() => undefined), 3600);
    // A process that is killed: its loop never settles anything.
    const dead = new DeliveryLoop(stuck, {
      db,
      clock,
      bell,
      log: pino({ level: 'silent' }),
      hold: new RestoreHold(db),
      owner: 'dead',
      random: () => 0,
    });
    await send(message('m'));
    dead.start();
    await eventually(() => stuck.got.length === 1);
    void dead.stop();
    const heir = new Scripted('test');
    run(heir);
    clock.advance(3_590_000);
    bell.ring();
    expect(heir.got).toHaveLength(0);
    clock.advance(20_000);
    bell.ring();
    await allSent(1);
    expect(heir.got[0]).toMatchObject({ attempt: 2, ambiguous: true });
  });

  it('tells a handler that its own answer came too late, or was lost', async () => {
    const handler = new Scripted(
      'test',
      ({ attempt }) => (attempt === 1 ? new Promise<Delivery>(() => undefined) : { kind: 'sent' }),
      0.05,
    );
    run(handler);
    await send(message('m'));
    await eventually(async () => (await states())['m'] === 'ambiguous');
    clock.advance(5000);
    bell.ring();
    await allSent(1);
    expect(handler.got.map(({ ambiguous }) => ambiguous)).toEqual([false, true]);
  });

  it('survives a handler that throws', async () => {
    const handler = new Scripted('test', ({ attempt }) => {
      if (attempt === 1) throw new Error('a fault');
      return { kind: 'sent' };
    });
    run(handler);
    await send(message('m'), message('n'));
    await eventually(() => handler.got.length === 2);
    await eventually(async () => {
      clock.advance(2000);
      bell.ring();
      return Object.values(await states()).every((state) => state === 'sent');
    });
  });

  it('keeps what would leave while a restored database is held, and nothing else', async () => {
    await markRestored(db);
    const mail = run(new Scripted('test'));
    const inner = new Scripted('inner');
    Object.assign(inner, { leaves: false });
    run(inner);
    await send(message('m'), message('i', { kind: 'inner' }));
    await eventually(async () => (await states())['i'] === 'sent');
    bell.ring();
    await mail.stop();
    expect((await states())['m']).toBe('pending');
    await releaseRestored(db);
    const late = new Scripted('test');
    run(late);
    await eventually(async () => (await states())['m'] === 'sent');
    expect(late.got).toHaveLength(1);
  });

  it('keeps what was given up, and shows it', async () => {
    run(new Scripted('test', () => ({ kind: 'giveUp', reason: 'no such mailbox' })));
    await send(message('m'));
    await eventually(async () => (await states())['m'] === 'failed');
    expect(await outboxHealth(db, clock.now())).toEqual([
      {
        kind: 'test',
        waiting: 0,
        oldestWaitingSeconds: 0,
        stuck: 0,
        failed: 1,
        lastReason: 'no such mailbox',
      },
    ]);
  });

  it('says what does not arrive although it was tried several times, and why', async () => {
    const handler = new Scripted('test', () => ({ kind: 'retry', reason: 'nobody listens' }));
    run(handler);
    await send(message('m'));
    await eventually(async () => (await outboxHealth(db, clock.now()))[0]?.lastReason === 'nobody listens');
    expect(await outboxHealth(db, clock.now())).toMatchObject([{ waiting: 1, stuck: 0 }]);
    await eventually(async () => {
      clock.advance(5000);
      bell.ring();
      return handler.got.length >= 3;
    });
    await eventually(async () => (await outboxHealth(db, clock.now()))[0]?.stuck === 1);
  });

  it('gives up after the last attempt', async () => {
    await send(message('m'));
    await db.query('UPDATE outbox SET attempt = $1', [MAX_ATTEMPTS - 1]);
    run(new Scripted('test', () => ({ kind: 'retry', reason: 'still away' })));
    await eventually(async () => (await states())['m'] === 'failed');
  });

  it('counts no attempt of a message whose turn has not come, however long that takes', async () => {
    const tries: number = MAX_ATTEMPTS + 5;
    const handler: Scripted = new Scripted('test', (): Delivery =>
      handler.got.length <= tries
        ? { kind: 'later', afterSeconds: 1, reason: 'others come first' }
        : { kind: 'sent' },
    );
    run(handler);
    await send(message('m'));
    const ticking = setInterval(() => {
      // Slowly beside the lease, which is ten seconds.
      clock.advance(50);
      bell.ring();
    }, 1);
    await allSent(1).finally(() => clearInterval(ticking));
    expect(handler.got).toHaveLength(tries + 1);
    expect(handler.got.at(-1)).toMatchObject({ attempt: 1, ambiguous: false });
  });

  it('calls nothing late that is meant for later', async () => {
    await send(message('m', { notBefore: clock.now() + 3_600_000 }));
    clock.advance(1_800_000);
    expect(await outboxHealth(db, clock.now())).toEqual([]);
    clock.advance(1_860_000);
    expect(await outboxHealth(db, clock.now())).toMatchObject([{ waiting: 1, oldestWaitingSeconds: 60 }]);
  });

  it('waits until a message is due', async () => {
    const handler = new Scripted('test');
    run(handler);
    await send(message('later', { notBefore: clock.now() + 60_000 }), message('now'));
    await eventually(async () => (await states())['now'] === 'sent');
    expect(handler.got).toHaveLength(1);
    clock.advance(60_000);
    bell.ring();
    await allSent(2);
  });

  it('forgets what was delivered a month ago, and nothing else', async () => {
    run(new Scripted('test'));
    await send(message('old'));
    await allSent(1);
    clock.advance(31 * 86_400_000);
    await send(message('waiting', { kind: 'nobody' }));
    await purgeSent(db, clock.now());
    expect(await states()).toEqual({ waiting: 'pending' });
  });
});

describe('the back-off', () => {
  it('doubles from a second to half an hour, spread over half of it', () => {
    expect([1, 2, 3, 10, 11, 50].map((attempt) => retryDelaySeconds(attempt, 1))).toEqual([
      1, 2, 4, 512, 1024, 1800,
    ]);
    expect(retryDelaySeconds(12, 0)).toBe(900);
  });
});
