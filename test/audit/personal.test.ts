import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import pg from 'pg';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Keyring } from '../../src/access/keyring.js';
import { AuditPlaces } from '../../src/audit/anchors/places.js';
import { appendAudit, type AuditEvent } from '../../src/audit/audit.js';
import { AuditCheckpoints } from '../../src/audit/chain/checkpoints.js';
import { AuditSequencer } from '../../src/audit/chain/sequencer.js';
import { verifyChain } from '../../src/audit/chain/verify.js';
import { commitmentsIn, opened, withCommitments } from '../../src/audit/personal/commitment.js';
import { Erasure, type ErasureHold } from '../../src/audit/personal/erasure.js';
import { listEvents } from '../../src/audit/sql/events.js';
import { Database } from '../../src/database/database.js';
import { Conflict } from '../../src/errors.js';
import { OutboxBell } from '../../src/outbound/outbox-bell.js';
import { PostgresOutbox } from '../../src/outbound/postgres-outbox.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase, type TestDatabase } from '../support/database.js';

const START = Date.parse('2026-03-02T08:00:00Z');
const clock = new FakeClock(START);

let test: TestDatabase;
let db: Database;
let admin: pg.Client;
let sequencer: AuditSequencer;
let checkpoints: AuditCheckpoints;
beforeAll(async () => {
  test = await testDatabase();
  db = new Database(test.url);
  admin = new pg.Client(test.adminUrl);
  await admin.connect();
  const keyring = await Keyring.open(db, randomBytes(32), clock);
  const places = new AuditPlaces({ AUDIT_BUCKET: undefined, AUDIT_TO: [], REPORT_TO: [], embeddedS3: false });
  checkpoints = new AuditCheckpoints(db, clock, keyring, new PostgresOutbox(clock, new OutboxBell()), places);
  sequencer = new AuditSequencer(pino({ level: 'silent' }), db, clock, checkpoints);
});
beforeEach(() => test.truncate());
afterAll(async () => {
  await admin.end();
  await db.close();
});

const decided = (by: string, reason: string): AuditEvent => ({
  at: START,
  actor: `user:${by}`,
  action: 'review.decided',
  subject: 'review:1',
  data: { outcome: 'release', reason },
});
const erase = (person: string, holds: readonly ErasureHold[] = []): Promise<number> =>
  new Erasure(db, clock, holds).erase(person, 'asked for', 'user:root');
const verify = () => verifyChain(db, (id) => checkpoints.publicKey(id));
const shown = async () => {
  const events = await listEvents(db, { limit: 100 });
  return events.toReversed().map(({ data, erased }) => ({ data, erased }));
};
const everything = async (): Promise<string> =>
  JSON.stringify([
    await db.query('SELECT * FROM audit_event'),
    await db.query('SELECT * FROM audit_personal'),
  ]);

describe('what an event says of a person', () => {
  it('stands beside it, is shown with it, and is gone once it is erased, and the chain stays whole', async () => {
    await appendAudit(db, [decided('ana', 'Ana knows'), decided('bob', 'Bob knows')]);
    await sequencer.turn();
    const [row] = await db.query<{ data: string }>('SELECT data::text AS data FROM audit_event ORDER BY id');
    expect(row?.data).toMatch(/^\{"outcome":"release","personal":\{"reason":"[0-9a-f]{64}"\}\}$/);
    expect(await shown()).toEqual([
      { data: { outcome: 'release', reason: 'Ana knows' }, erased: [] },
      { data: { outcome: 'release', reason: 'Bob knows' }, erased: [] },
    ]);
    expect(await verify()).toMatchObject({ isWhole: true, events: 2, personal: 2, erased: 0 });

    expect(await erase('user:ana')).toBe(1);
    expect(await everything()).not.toContain('Ana knows');
    expect(await shown()).toEqual([
      { data: { outcome: 'release', reason: 'erased' }, erased: ['reason'] },
      { data: { outcome: 'release', reason: 'Bob knows' }, erased: [] },
      {
        data: { values: 1, reason: 'asked for', commitments: [expect.stringMatching(/^[0-9a-f]{16}$/)] },
        erased: [],
      },
    ]);
    // Also before the erasure itself is chained.
    expect(await verify()).toMatchObject({ isWhole: true, waiting: 1, personal: 1, erased: 1 });
    await sequencer.turn();
    expect(await verify()).toMatchObject({ isWhole: true, events: 3, personal: 1, erased: 1 });
    expect(await erase('user:ana')).toBe(0);
  });

  it('is of whoever it was done to, and otherwise of whoever did it', async () => {
    const made = (id: string, email: string): AuditEvent => ({
      at: START,
      actor: 'user:root',
      action: 'user.created',
      subject: `user:${id}`,
      data: { name: id, email, displayName: null, roles: [] },
    });
    await appendAudit(db, [
      made('ana', 'ana@example.com'),
      made('bob', 'bob@example.com'),
      decided('root', 'x'),
    ]);
    expect(await erase('user:root')).toBe(1);
    expect(await erase('user:ana')).toBe(2);
    const found = await everything();
    expect(found).not.toContain('ana@');
    expect(found).toContain('bob@');
    // Nothing was said, so there is nothing to erase.
    expect((await shown())[0]).toEqual({
      data: { name: 'erased', email: 'erased', displayName: null, roles: [] },
      erased: ['email', 'name'],
    });
  });

  it('cannot be guessed once it is erased: the same words have another commitment each time', async () => {
    await appendAudit(db, [decided('ana', 'yes'), decided('ana', 'yes')]);
    const rows = await db.query<{ one: string }>(
      `SELECT data -> 'personal' ->> 'reason' AS one FROM audit_event`,
    );
    expect(new Set(rows.map(({ one }) => one)).size).toBe(2);
    await erase('user:ana');
    expect(await db.query('SELECT salt FROM audit_personal')).toEqual([]);
  });

  it('is not erased while something holds it', async () => {
    await appendAudit(db, [decided('ana', 'Ana knows')]);
    const hold: ErasureHold = {
      holds: (person) => Promise.resolve(person === 'user:ana' ? 'a case' : undefined),
    };
    const refused = erase('user:ana', [hold]);
    await expect(refused).rejects.toBeInstanceOf(Conflict);
    await expect(refused).rejects.toThrow('user:ana cannot be erased: a case');
    expect(await everything()).toContain('Ana knows');
    expect(await erase('user:bob', [hold])).toBe(0);
  });

  it('is erased whole, however much it is', async () => {
    const many = Array.from({ length: 5_000 }, (_, n) => decided('ana', `reason ${n}`));
    for (let n = 0; n < 4; n += 1) await appendAudit(db, many);
    await appendAudit(db, [decided('ana', 'one more')]);
    expect(await erase('user:ana')).toBe(20_001);
    expect(await everything()).not.toMatch(/reason \d|one more/);
    await sequencer.turn();
    expect(await verify()).toMatchObject({ isWhole: true, erased: 20_001 });
  }, 60_000);

  it('comes back as it was, whatever it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (value, other) => {
        const given = JSON.parse(JSON.stringify({ reason: value, outcome: other })) as Record<
          string,
          unknown
        >;
        const { event, facts } = withCommitments({ ...decided('ana', ''), data: given });
        const stored = JSON.stringify(event.data);
        const openings = new Map(facts.map((fact) => [fact.commitment, fact]));
        expect(opened(stored, openings)).toEqual({ data: given, erased: [] });
        expect([...commitmentsIn(stored).values()]).toEqual(facts.map(({ commitment }) => commitment));
      }),
    );
  });

  it('is told from data that only looks like it', async () => {
    const old = [
      { personal: 'x' },
      { personal: { a: 'b' } },
      { personal: null },
      { personal: [1] },
      { n: 'personal' },
    ];
    for (const data of old)
      await db.query(
        `INSERT INTO audit_event (at, actor, action, subject, data) VALUES (1, 'user:a', 'x.y', 'z', $1::json)`,
        [JSON.stringify(data)],
      );
    await sequencer.turn();
    expect((await shown()).map(({ data }) => data)).toEqual(old);
    expect(await verify()).toMatchObject({ isWhole: true, personal: 0, erased: 0 });
    const said = { ...decided('ana', ''), data: { personal: { reason: 'a'.repeat(64) } } };
    await expect(appendAudit(db, [said])).rejects.toThrow(/`personal` in an event's data/);
  });
});

describe('a fact beside an event', () => {
  beforeEach(async () => {
    await appendAudit(
      db,
      ['ana', 'bob', 'ana'].map((who) => decided(who, `${who} knows`)),
    );
    await sequencer.turn();
  });
  const tamper = (statement: string) =>
    admin.query(
      `SET session_replication_role = replica; ${statement}; SET session_replication_role = DEFAULT`,
    );

  it('that was changed is found, and is not shown', async () => {
    await tamper(`UPDATE audit_personal SET value = '"mallory knows"' WHERE person = 'user:bob'`);
    expect(await verify()).toMatchObject({
      isWhole: false,
      bad: { seq: 2, what: 'says something else of a person than was recorded (reason)' },
    });
    expect((await shown())[1]?.data).toEqual({ outcome: 'release', reason: 'not what was recorded' });
  });

  it('that was given to somebody else, whom no erasure meant, is found', async () => {
    await tamper(`UPDATE audit_personal SET person = 'user:eve' WHERE person = 'user:bob'`);
    expect(await verify()).toMatchObject({
      isWhole: false,
      bad: { seq: 2, what: 'says it of somebody else than was recorded (reason)' },
    });
  });

  it('that was taken away without an erasure is found', async () => {
    await erase('user:ana');
    await sequencer.turn();
    expect(await verify()).toMatchObject({ isWhole: true, erased: 2 });
    await tamper(`DELETE FROM audit_personal WHERE person = 'user:bob'`);
    expect(await verify()).toMatchObject({
      isWhole: false,
      bad: { seq: 2, what: 'misses what it said of a person, and no erasure tells of it' },
    });
  });

  it('cannot be changed by the role that the service works with', async () => {
    await expect(db.query(`UPDATE audit_personal SET value = '1'`)).rejects.toThrow(/changes none/);
    await expect(db.query('TRUNCATE audit_personal')).rejects.toThrow(/changes none|permission denied/);
  });
});
