import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import pg from 'pg';
import pino from 'pino';
import { appendAudit } from '../../src/audit/audit.js';
import { AuditPlaces } from '../../src/audit/anchors/places.js';
import { isSignedBy, readPublicKey, type SignedCheckpoint } from '../../src/audit/chain/checkpoint.js';
import { AuditCheckpoints } from '../../src/audit/chain/checkpoints.js';
import { AuditSequencer } from '../../src/audit/chain/sequencer.js';
import { verifyChain, type KnownHead } from '../../src/audit/chain/verify.js';
import { OutboxBell } from '../../src/outbound/outbox-bell.js';
import { PostgresOutbox } from '../../src/outbound/postgres-outbox.js';
import { Keyring } from '../../src/access/keyring.js';
import { chainHead, chainState } from '../../src/audit/sql/chain.js';
import { Database } from '../../src/database/database.js';
import { FakeClock } from '../support/clock.js';
import { eventually } from '../support/eventually.js';
import { testDatabase, type TestDatabase } from '../support/database.js';

const START = Date.parse('2026-03-02T08:00:00Z');

let test: TestDatabase;
let db: Database;
let admin: pg.Client;
let clock: FakeClock;
let sequencer: AuditSequencer;
let keyring: Keyring;
let checkpoints: AuditCheckpoints;

beforeAll(async () => {
  test = await testDatabase();
  db = new Database(test.url);
  admin = new pg.Client(test.adminUrl);
  await admin.connect();
  keyring = await Keyring.open(db, randomBytes(32), new FakeClock(START));
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

const newSequencer = (to: readonly string[] = []) => {
  const places = new AuditPlaces({
    AUDIT_BUCKET: to.length === 0 ? undefined : 'anchors',
    AUDIT_TO: [...to],
    REPORT_TO: [],
    embeddedS3: false,
  });
  checkpoints = new AuditCheckpoints(db, clock, keyring, new PostgresOutbox(clock, new OutboxBell()), places);
  return new AuditSequencer(pino({ level: 'silent' }), db, clock, checkpoints);
};
/** PostgreSQL's other databases count too: a long transaction of another test keeps a mark from being over. */
const markOver = () =>
  eventually(async () => (await chainState(db)).isMarkOver, {
    timeoutMs: 60_000,
    what: 'the transactions that were open at the mark have ended',
  });
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
const keyOf = (id: string) => checkpoints.publicKey(id);
const verify = (known: readonly KnownHead[] = []) => verifyChain(db, keyOf, known);

/** What somebody does who owns the database: nothing there keeps them from it. */
async function tamper(...statements: readonly string[]): Promise<void> {
  await admin.query(
    `SET session_replication_role = replica; ${statements.join('; ')}; SET session_replication_role = DEFAULT`,
  );
}

describe('what is recorded', () => {
  it('is chained in its order, once it is committed, and verified', async () => {
    await record(2500);
    expect(await verify()).toMatchObject({ isWhole: true, events: 0, waiting: 2500 });
    expect(await sequencer.turn()).toBe(2500);
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
    const others = Array.from({ length: 4 }, () => newSequencer());
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
    for (let n = 0; n < 2; n += 1) {
      clock.advance(61_000);
      await markOver();
      await sequencer.turn();
    }
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

describe('much that was recorded before there was a chain', () => {
  /** One batch of a turn: the process is told to stop meanwhile. */
  const batch = async (): Promise<number> => {
    const stopping = new AbortController();
    const turn = sequencer.turn(stopping.signal);
    stopping.abort();
    return turn;
  };

  it('is chained batch by batch, each from where the last one ended', async () => {
    await record(3500);
    expect(await batch()).toBe(1000);
    clock.advance(61_000);
    await markOver();
    expect(await batch()).toBe(1000);
    const [row] = await db.query<{ event_id: string }>('SELECT event_id FROM audit_link WHERE seq = 2000');
    expect((await chainState(db)).settledId).toBe(row?.event_id);
    expect(await sequencer.turn()).toBe(1500);
    expect(await verify()).toMatchObject({ isWhole: true, events: 3500, waiting: 0 });
  });
});

describe('a checkpoint', () => {
  const anchors = () =>
    db.query<{ key: string; payload: { checkpoint: SignedCheckpoint; publicKey: string } }>(
      `SELECT key, payload FROM outbox WHERE kind = 'audit.anchor' ORDER BY id`,
    );

  it('is signed each hour in which something was recorded, and every 10,000 events', async () => {
    const signed = async () => (await verify()).checkpoints;
    await sequencer.turn();
    expect(await signed()).toBe(0);
    await record(1);
    await sequencer.turn();
    expect(await signed()).toBe(1);
    await record(1, 2);
    clock.advance(3_599_000);
    await sequencer.turn();
    expect(await signed()).toBe(1);
    clock.advance(1000);
    await sequencer.turn();
    expect(await signed()).toBe(2);
    clock.advance(7_200_000);
    await sequencer.turn();
    expect(await signed()).toBe(2);
    await record(10_000, 3);
    await sequencer.turn();
    expect(await verify()).toMatchObject({ isWhole: true, checkpoints: 3 });
  });

  it('goes to the bucket each time and to the mailboxes once a day, with all that who verifies it needs', async () => {
    sequencer = newSequencer(['auditor@example.com']);
    for (let hour = 0; hour < 26; hour += 1) {
      await record(1, hour);
      await sequencer.turn();
      clock.advance(3_600_000);
    }
    const all = await anchors();
    expect(all.filter(({ key }) => key.startsWith('bucket:'))).toHaveLength(26);
    expect(all.filter(({ key }) => key.startsWith('mail:'))).toHaveLength(2);
    for (const { payload } of all)
      expect(isSignedBy(payload.checkpoint, readPublicKey(payload.publicKey))).toBe(true);
    const [first] = all;
    if (first === undefined) throw new Error('no anchor');
    const { checkpoint, publicKey } = first.payload;
    expect(isSignedBy({ ...checkpoint, seq: checkpoint.seq + 1 }, readPublicKey(publicKey))).toBe(false);
    expect(await verify([checkpoint])).toMatchObject({ isWhole: true });
  });

  it('that was kept elsewhere finds a history that was written anew, checkpoints and all', async () => {
    await record(20);
    await sequencer.turn();
    const head = await chainHead(db);
    const known = [{ seq: head?.seq ?? 0, head: head?.hash.toString('hex') ?? '' }];
    expect(await verify(known)).toMatchObject({ isWhole: true });
    await tamper(
      `UPDATE audit_event SET actor = 'user:mallory' WHERE subject = 'review:7'`,
      'DELETE FROM audit_checkpoint',
      'DELETE FROM audit_link',
      'UPDATE audit_chain SET settled_id = 0, swept_id = 0',
    );
    await newSequencer().turn();
    expect(await verify()).toMatchObject({ isWhole: true });
    expect(await verify(known)).toMatchObject({ isWhole: false, bad: { seq: 20 } });
    await tamper('DELETE FROM audit_checkpoint', 'DELETE FROM audit_link WHERE seq > 15');
    expect(await verify(known)).toMatchObject({
      bad: { seq: 16, what: expect.stringMatching(/knows of 20/) },
    });
  });
});

describe('a record that somebody changed', () => {
  beforeEach(async () => {
    await appendAudit(
      db,
      Array.from({ length: 40 }, (_, n) => event(n + 1, { reason: `because ${n} \u{1F512} ünï` })),
    );
    await sequencer.turn();
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
      `UPDATE audit_event SET at = at + 1 WHERE subject = 'review:7'`,
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
      await expect(
        db.query(`UPDATE ${table} SET ${table === 'audit_event' ? 'at' : 'seq'} = 1`),
      ).rejects.toThrow(/append-only/);
      await expect(db.query(`DELETE FROM ${table}`)).rejects.toThrow(/append-only/);
    },
  );
});
