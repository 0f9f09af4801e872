import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import pg from 'pg';
import pino from 'pino';
import { appendAudit } from '../../src/audit/audit.js';
import {
  readPublicKey,
  publicKeyOf,
  signCheckpoint,
  signingKeyOf,
} from '../../src/audit/chain/checkpoint.js';
import { AuditSequencer } from '../../src/audit/chain/sequencer.js';
import { verifyChain } from '../../src/audit/chain/verify.js';
import { insertCheckpoint } from '../../src/audit/sql/checkpoints.js';
import { chainHead, chainState } from '../../src/audit/sql/chain.js';
import { Database } from '../../src/database/database.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase, type TestDatabase } from '../support/database.js';

const START = Date.parse('2026-03-02T08:00:00Z');
const SEED = randomBytes(32);
const KEY = signingKeyOf(SEED);
const keyOf = (id: string) => (id === 'audit-1' ? readPublicKey(publicKeyOf(KEY)) : undefined);

let test: TestDatabase;
let db: Database;
let admin: pg.Client;
let clock: FakeClock;
let sequencer: AuditSequencer;

beforeAll(async () => {
  test = await testDatabase();
  db = new Database(test.url);
  admin = new pg.Client(test.adminUrl);
  await admin.connect();
});
afterAll(async () => {
  await admin.end();
  await db.close();
});
beforeEach(async () => {
  await test.truncate();
  clock = new FakeClock(START);
  sequencer = newSequencer();
});

const newSequencer = () => new AuditSequencer(pino({ level: 'silent' }), db, clock);
const event = (n: number, data: Record<string, unknown> = {}) => ({
  at: START + n,
  actor: 'user:alice',
  action: 'review.decided',
  subject: `review:${n}`,
  data: { n, ...data },
});
const record = (count: number, from = 1): Promise<void> =>
  appendAudit(
    db,
    Array.from({ length: count }, (_, n) => event(from + n)),
  );
const verify = () => verifyChain(db, keyOf);

/** What somebody does who owns the database: nothing there keeps them from it. */
async function tamper(...statements: readonly string[]): Promise<void> {
  await admin.query(
    `SET session_replication_role = replica; ${statements.join('; ')}; SET session_replication_role = DEFAULT`,
  );
}

async function checkpoint(): Promise<number> {
  const head = await chainHead(db);
  if (head === undefined) throw new Error('nothing is chained');
  const { chainId } = await chainState(db);
  const said = {
    chain: chainId,
    seq: head.seq,
    head: head.hash.toString('hex'),
    at: new Date(clock.now()).toISOString(),
    keyId: 'audit-1',
  };
  const { signature } = signCheckpoint(said, KEY);
  await insertCheckpoint(db, {
    seq: head.seq,
    head: head.hash,
    at: clock.now(),
    keyId: 'audit-1',
    signature: Buffer.from(signature, 'base64'),
  });
  return head.seq;
}

describe('what is recorded', () => {
  it('is chained in its order, once it is committed, and verified', async () => {
    await record(2500);
    expect(await verify()).toMatchObject({ isWhole: true, events: 0, waiting: 2500 });
    expect(await sequencer.turn()).toBe(2500);
    await checkpoint();
    await record(3, 3000);
    await sequencer.turn();
    const found = await verify();
    expect(found).toMatchObject({ isWhole: true, events: 2503, waiting: 0, checkpoints: 1, anchoredUpTo: 0 });
    expect(found.head).toBe((await chainHead(db))?.hash.toString('hex'));
  });

  it('is chained although its transaction ends after later ones, and not before it ends', async () => {
    const slow = new pg.Client(test.url);
    await slow.connect();
    try {
      await slow.query('BEGIN');
      await appendAudit(
        { query: async (text, values) => (await slow.query(text, [...(values ?? [])])).rows },
        [event(1)],
      );
      await record(2, 2);
      expect(await sequencer.turn()).toBe(2);
      for (let minute = 0; minute < 5; minute += 1) {
        clock.advance(60_000);
        await sequencer.turn();
      }
      await slow.query('COMMIT');
    } finally {
      await slow.end();
    }
    expect(await sequencer.turn()).toBe(1);
    expect(await verify()).toMatchObject({ isWhole: true, events: 3, waiting: 0 });
  });

  it('is chained once by processes that all try at the same moment', async () => {
    await record(3000);
    const others = Array.from({ length: 4 }, newSequencer);
    await Promise.all([sequencer, ...others].map((one) => one.turn()));
    await sequencer.turn();
    expect(await verify()).toMatchObject({ isWhole: true, events: 3000, waiting: 0 });
  });

  it('leaves no gap where a transaction was rolled back', async () => {
    await record(1);
    await expect(
      db.transaction(async (tx) => {
        await appendAudit(tx, [event(2)]);
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    await record(1, 3);
    await sequencer.turn();
    expect(await verify()).toMatchObject({ isWhole: true, events: 2 });
  });

  it('looks at little again once it is settled, and finds a straggler all the same', async () => {
    await record(10);
    await sequencer.turn();
    clock.advance(61_000);
    await sequencer.turn();
    clock.advance(61_000);
    await sequencer.turn();
    const { settledId } = await chainState(db);
    expect(Number(settledId)).toBeGreaterThan(0);
    // As if its id had been taken long before its transaction got a number.
    await admin.query(
      `INSERT INTO audit_event (id, at, actor, action, subject, data) OVERRIDING SYSTEM VALUE
       VALUES (0, 1, 'user:late', 'review.decided', 'review:late', '{}')`,
    );
    await admin.query('UPDATE audit_chain SET swept_id = -1');
    expect(await sequencer.turn()).toBe(0);
    clock.advance(3_600_000);
    expect(await sequencer.turn()).toBe(1);
    expect(await verify()).toMatchObject({ isWhole: true, events: 11, waiting: 0 });
  });
});

describe('a record that somebody changed', () => {
  beforeEach(async () => {
    await appendAudit(
      db,
      Array.from({ length: 40 }, (_, n) => event(n + 1, { reason: `because ${n} \u{1F512} ünï` })),
    );
    await sequencer.turn();
    await checkpoint();
    await record(5, 41);
    await sequencer.turn();
  });

  const changes: readonly (readonly [string, string, number, RegExp])[] = [
    [
      'an actor',
      `UPDATE audit_event SET actor = 'user:mallory' WHERE subject = 'review:7'`,
      7,
      /is not what was chained/,
    ],
    [
      'a moment',
      `UPDATE audit_event SET at = at + 1 WHERE subject = 'review:12'`,
      12,
      /is not what was chained/,
    ],
    [
      'a space in the data',
      `UPDATE audit_event SET data = (data::text || ' ')::json WHERE subject = 'review:3'`,
      3,
      /is not what was chained/,
    ],
    ['an event that is taken out', `DELETE FROM audit_event WHERE subject = 'review:9'`, 9, /is gone/],
    ['a link that is taken out', `DELETE FROM audit_link WHERE seq = 20`, 20, /is missing in the chain/],
    [
      'a hash',
      `UPDATE audit_link SET hash = decode(repeat('ab', 32), 'hex') WHERE seq = 30`,
      30,
      /is not what was chained/,
    ],
    [
      'two events that change places',
      `UPDATE audit_link SET event_id = -event_id WHERE seq IN (14, 15);
       UPDATE audit_link l SET event_id = (SELECT -o.event_id FROM audit_link o WHERE o.seq = 29 - l.seq) WHERE seq IN (14);
       UPDATE audit_link SET event_id = (SELECT min(id) FROM audit_event e WHERE subject = 'review:14') WHERE seq = 15`,
      14,
      /is not what was chained/,
    ],
    [
      'the end that is cut off',
      `DELETE FROM audit_event WHERE id > (SELECT event_id FROM audit_link WHERE seq = 38); DELETE FROM audit_link WHERE seq > 38`,
      39,
      /is missing: a checkpoint knows of 40/,
    ],
    [
      'a checkpoint',
      `UPDATE audit_checkpoint SET head = decode(repeat('ab', 32), 'hex')`,
      40,
      /false signature/,
    ],
    ['a key', `UPDATE audit_checkpoint SET key_id = 'audit-2'`, 40, /unknown key/],
  ];
  it.each(changes)('is found by %s, and its first bad place is named', async (_, statement, seq, what) => {
    expect(await verify()).toMatchObject({ isWhole: true, events: 45 });
    await tamper(statement);
    expect(await verify()).toMatchObject({ isWhole: false, bad: { seq, what: expect.stringMatching(what) } });
  });

  it('is found in an event that was put in from behind', async () => {
    await admin.query('UPDATE audit_chain SET swept_id = (SELECT max(id) FROM audit_event)');
    await admin.query(
      `INSERT INTO audit_event (id, at, actor, action, subject, data) OVERRIDING SYSTEM VALUE
       VALUES (0, 1, 'user:mallory', 'review.decided', 'review:1', '{}')`,
    );
    expect(await verify()).toMatchObject({ isWhole: false, bad: { eventId: '0' } });
  });

  it('is found although everything after it was chained anew: the checkpoint knows better', async () => {
    await tamper(
      `UPDATE audit_event SET actor = 'user:mallory' WHERE subject = 'review:7'`,
      'DELETE FROM audit_link WHERE seq >= 1',
      'UPDATE audit_chain SET settled_id = 0, swept_id = 0',
    );
    await newSequencer().turn();
    expect(await verify()).toMatchObject({
      isWhole: false,
      bad: { seq: 40, what: expect.stringMatching(/was another/) },
    });
  });

  it('is found whichever byte of whichever event is flipped', async () => {
    const rows = await db.query<{ id: string; actor: string; action: string; subject: string }>(
      'SELECT id, actor, action, subject FROM audit_event ORDER BY id',
    );
    const columns = ['actor', 'action', 'subject'] as const;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(rows.length - 1),
        fc.constantFrom(...columns),
        fc.nat(1000),
        fc.integer({ min: 1, max: 127 }),
        async (n, column, at, mask) => {
          const row = rows[n];
          if (row === undefined) throw new Error('no row');
          const bytes = Buffer.from(row[column]);
          const place = at % bytes.length;
          bytes[place] = ((bytes[place] ?? 0) ^ mask) & 0x7f || 0x3f;
          const changed = bytes.toString('latin1');
          if (changed === row[column]) return;
          await admin.query('BEGIN; SET LOCAL session_replication_role = replica');
          await admin.query(`UPDATE audit_event SET ${column} = $1 WHERE id = $2`, [changed, row.id]);
          const found = await verifyChain(
            { query: async (text, values) => (await admin.query(text, [...(values ?? [])])).rows },
            keyOf,
          );
          await admin.query('ROLLBACK');
          expect(found).toMatchObject({ isWhole: false, bad: { seq: n + 1, eventId: row.id } });
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('the role that the service works with', () => {
  it.each(['audit_event', 'audit_link', 'audit_checkpoint', 'audit_anchor'])(
    'cannot change %s',
    async (table) => {
      await record(1);
      await sequencer.turn();
      await checkpoint();
      await expect(
        db.query(`UPDATE ${table} SET ${table === 'audit_event' ? 'at' : 'seq'} = 1`),
      ).rejects.toThrow(/append-only/);
      await expect(db.query(`DELETE FROM ${table}`)).rejects.toThrow(/append-only/);
    },
  );
});
