import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import pino from 'pino';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { Keyring } from '../../src/access/keyring.js';
import { AuditPlaces } from '../../src/audit/anchors/places.js';
import { appendAudit } from '../../src/audit/audit.js';
import { AuditController } from '../../src/audit/audit.controller.js';
import { AuditService } from '../../src/audit/audit.service.js';
import { AuditCheckpoints } from '../../src/audit/chain/checkpoints.js';
import { AuditSequencer } from '../../src/audit/chain/sequencer.js';
import { Erasure } from '../../src/audit/personal/erasure.js';
import { OutboxBell } from '../../src/outbound/outbox-bell.js';
import { PostgresOutbox } from '../../src/outbound/postgres-outbox.js';
import { headOf, httpApp } from '../intake/http-app.js';
import { intakeParts } from '../intake/intake-parts.js';
import { sayTo } from './say-to.js';

const parts = await intakeParts();
const { database, clock } = parts;
const keyring = await Keyring.open(database, Buffer.alloc(32, 1), clock);
const places = new AuditPlaces({ AUDIT_BUCKET: 'anchors', AUDIT_TO: [], REPORT_TO: [], embeddedS3: false });
const outbox = new PostgresOutbox(clock, new OutboxBell());
const checkpoints = new AuditCheckpoints(database, clock, keyring, outbox, places);
const sequencer = new AuditSequencer(pino({ level: 'silent' }), database, clock, checkpoints);
const { server } = await httpApp(
  parts,
  { head: () => Promise.resolve(headOf()) },
  {
    controllers: [AuditController],
    providers: [
      { provide: AuditService, useValue: new AuditService(database, clock, checkpoints, places) },
      { provide: Erasure, useValue: new Erasure(database, clock, []) },
    ],
  },
);
const folder = mkdtempSync(join(tmpdir(), 'sallyport-audit-'));
beforeEach(async () => {
  await parts.test.truncate();
  await appendAudit(
    database,
    Array.from({ length: 30 }, (_, n) => ({
      at: Date.parse('2026-03-02T08:00:00Z') + n * 60_000,
      actor: n % 2 === 0 ? 'user:alice' : 'user:bob',
      action: 'review.decided',
      subject: `review:${n}`,
      data: { outcome: 'release', reason: '\u001b[31mred' },
    })),
  );
  await sequencer.turn();
});
afterAll(() => rmSync(folder, { recursive: true }));

const say = sayTo(server, 'audit');
const kept = async (): Promise<string> => {
  const [row] = await database.query<{ payload: { checkpoint: object } }>(
    `SELECT payload FROM outbox WHERE kind = 'audit.anchor' LIMIT 1`,
  );
  const path = join(folder, 'checkpoint.json');
  writeFileSync(path, JSON.stringify(row?.payload.checkpoint));
  return path;
};
async function tamper(statement: string): Promise<void> {
  const admin = new pg.Client(parts.test.adminUrl);
  await admin.connect();
  await admin.query(`SET session_replication_role = replica; ${statement}`);
  await admin.end();
}

describe('the audit record on the command line', () => {
  test('is listed, filtered, page by page, and controls nobody’s terminal', async () => {
    const { text } = await say('list', '--actor', 'user:bob', '--from', '2026-03-02T08:20:00Z');
    const lines = text.trimEnd().split('\n');
    expect(lines).toHaveLength(6);
    expect(lines[1]).toMatch(/^2026-03-02T08:29:00.000Z +user:bob +review.decided +review:29 /);
    expect(text).not.toContain('\u001b[31m');
    const page = JSON.parse((await say('list', '--limit', '2', '--json')).text) as {
      items: { seq: number }[];
      nextCursor: string;
    };
    expect(page.items.map(({ seq }) => seq)).toEqual([30, 29]);
    expect((await say('list', '--limit', '1', '--cursor', page.nextCursor)).text).toContain('review:27');
    await expect(say('list', '--cursor', 'x')).rejects.toThrow(/--cursor: must be/);
  });

  test.each([
    ['actor=%00', 'actor: must not contain NUL'],
    ['action=%00', 'action: must not contain NUL'],
    ['subject=a%00', 'subject: must not contain NUL'],
    ['cursor=9223372036854775808', 'cursor: must be what'],
    ['cursor=9999999999999999999', 'cursor: must be what'],
  ])('is not listed by what no event can have, and says which it is: %s', async (asked, message) => {
    const { statusCode, body } = await server.inject({ url: `/api/v1/audit?${asked}` });
    expect(statusCode).toBe(400);
    expect((JSON.parse(body) as { detail: string }).detail).toContain(message);
  });

  test('says how far it is chained and signed', async () => {
    const { text } = await say('chain');
    expect(text).toMatch(/events +30\n/);
    expect(text).toMatch(/signed up to +30\n/);
    expect(text).toMatch(/key +audit-[0-9a-f]{12} \(Ed25519 /);
  });

  test('is verified, also against a checkpoint that was kept, and the verification is on record', async () => {
    const whole = await say('verify', await kept());
    expect(whole).toMatchObject({
      code: 0,
      text: expect.stringMatching(/^Whole: 30 events, 1 checkpoints .*, 1 of yours\./),
    });
    expect(whole.text).toContain('The last 30 events are not known outside this database yet.');
    expect((await say('list', '--action', 'audit.verified')).text).toContain('"isWhole":true');
  });

  test('answers with 1 and the first bad place when somebody changed it', async () => {
    const file = await kept();
    await tamper(`UPDATE audit_event SET at = at + 1 WHERE subject = 'review:4'`);
    expect(await say('verify')).toMatchObject({
      code: 1,
      text: expect.stringMatching(/^NOT WHOLE: place 5 is not what was chained/),
    });
    await tamper(
      'DELETE FROM audit_checkpoint; DELETE FROM audit_link; UPDATE audit_chain SET settled_id = 0',
    );
    await sequencer.turn();
    expect((await say('verify')).code).toBe(0);
    expect(await say('verify', file)).toMatchObject({
      code: 1,
      text: expect.stringMatching(/^NOT WHOLE: place 30 /),
    });
  });

  test('is written with the program that verifies it, over nothing that is there', async () => {
    const to = join(folder, 'evidence');
    const { text } = await say('extract', to, '--first', '5', '--last', '12');
    const [, , command = ''] = text.trimEnd().split('\n');
    const [program = '', ...args] = command.replace('To verify: ', '').split(' ');
    expect(spawnSync(program, args, { encoding: 'utf8' }).stdout).toMatch(/^Whole: 8 events \(5 to 12\)/);
    await expect(say('extract', to)).rejects.toThrow(/EEXIST.*Name a new folder/);
    await expect(say('extract', join(folder, 'more'), '--first', '31')).rejects.toThrow(
      /ends at event 3[01]/,
    );
  });

  test('erases what it says of a person, and shows that it did', async () => {
    await expect(say('erase', 'user:bob', '--reason', 'asked for')).rejects.toThrow(/Say --yes/);
    expect((await say('list', '--actor', 'user:bob', '--limit', '1')).text).toContain('31mred');
    const done = await say('erase', 'user:bob', '--reason', 'asked for', '--yes');
    expect(done.text).toMatch(/^Erased 15 values\./);
    expect((await say('list', '--actor', 'user:bob', '--limit', '1')).text).toContain('"reason":"erased"');
    expect((await say('list', '--action', 'audit.erased')).text).toMatch(
      /user:bob +\{"values":15,"reason":"asked for"\}/,
    );
    expect((await say('verify')).text).toMatch(/facts about people +15 as recorded, 15 erased/);
    expect((await say('erase', 'user:bob', '--reason', 'again', '--yes')).text).toMatch(
      /says nothing of them/,
    );
    await expect(say('erase', 'bo:b', '--reason', 'x', '--yes')).rejects.toThrow(/must be as an actor/);
    await expect(say('erase', 'user:bob', '--reason', ' ', '--yes')).rejects.toThrow(/must say why/);
  });

  test('says what is no checkpoint', async () => {
    const path = join(folder, 'odd.json');
    writeFileSync(path, '{"seq": 1}');
    await expect(say('verify', path)).rejects.toThrow(/odd.json: is no checkpoint/);
    await expect(say('verify', join(folder, 'none.json'))).rejects.toThrow(/cannot be read/);
    await expect(say('verify', '--seq', '3')).rejects.toThrow(/--seq and --head go together/);
    await expect(say('verify', '--seq', '3', '--head', 'ab')).rejects.toThrow(
      /must be 64 hexadecimal digits/,
    );
  });
});
