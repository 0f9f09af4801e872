import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chainHead } from '../../src/audit/sql/chain.js';
import { extractLines } from '../../src/audit/export/extract.js';
import { Database } from '../../src/database/database.js';
import { emptyDatabase, testDatabase } from '../support/database.js';
import { Backups, lifeOn, type Life } from './backups.js';

const backups = new Backups();
let former: Life;
let restored: Life;
let db: Database;
let after: Database;
/** What was kept elsewhere of the former life: before the backup, and long after it. */
let early: { seq: number; head: string };
let late: { seq: number; head: string };

const headOf = async (database: Database) => {
  const head = await chainHead(database);
  if (head === undefined) throw new Error('nothing is chained');
  return { seq: head.seq, head: head.hash.toString('hex') };
};

beforeAll(async () => {
  const source = await testDatabase();
  const target = await emptyDatabase('target');
  db = new Database(source.url);
  former = await lifeOn(db, backups.masterKey);
  await former.record(20);
  await former.sequencer.turn();
  early = await headOf(db);
  await former.record(3);
  const { folder } = await backups.make(source.url);
  await former.record(30, 'user:bob');
  await former.sequencer.turn();
  late = await headOf(db);
  await backups.restore(folder, target.url);
  after = new Database(target.url);
  restored = await lifeOn(after, backups.masterKey);
  await restored.record(5, 'user:carol');
  await restored.sequencer.turn();
}, 60_000);
afterAll(async () => {
  await db.close();
  await after.close();
});

describe('the record of a restored database', () => {
  it('goes on in one chain, and says where and when it was restored', async () => {
    const found = await restored.verify([early]);
    expect(found).toMatchObject({ isWhole: true, events: 29, waiting: 0 });
    expect(found.forks).toEqual([
      { after: 20, toldAt: 24, backupAt: expect.any(String), restoredAt: expect.any(String) },
    ]);
    const [event] = await after.query<{ data: unknown }>(
      `SELECT data FROM audit_event WHERE action = 'backup.restored'`,
    );
    expect(event?.data).toMatchObject({ seq: 20, head: early.head, isWhole: true });
  });

  it('is not whole for whoever kept a later checkpoint of the former life, and says why', async () => {
    expect(await restored.verify([late])).toMatchObject({
      isWhole: false,
      bad: {
        seq: 30,
        what: expect.stringMatching(
          /^is missing: a checkpoint knows of 54 events; the database was restored on .* goes on after event 20: what was recorded behind that in its former life is not here/,
        ) as string,
      },
    });
    await restored.record(60);
    await restored.sequencer.turn();
    expect(await restored.verify([late])).toMatchObject({
      isWhole: false,
      bad: {
        seq: 54,
        what: expect.stringMatching(/^was another when a checkpoint .* was restored on /) as string,
      },
    });
  });

  it('says so, too, to whoever verifies an extract with Node alone', async () => {
    const folder = backups.newFolder();
    const file = `${folder}.jsonl`;
    let text = '';
    const { seq } = await headOf(after);
    for await (const line of extractLines(after, { from: 1, to: seq }, () => undefined)) text += line;
    // Its checkpoints are left out: their keys are not what this is about.
    writeFileSync(file, text.replaceAll(/^\{"kind":"checkpoint".*\n/gm, ''));
    writeFileSync(`${folder}.json`, JSON.stringify(late));
    const verifier = fileURLToPath(new URL('../../src/audit/export/verify.mjs', import.meta.url));
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [verifier, file, ...args], { encoding: 'utf8' }).stdout;
    expect(run()).toMatch(
      /^Whole: .*\n(.*\n)?Note: event 24 tells of a restore from a backup of .* behind event 20 /,
    );
    expect(run('--checkpoint', `${folder}.json`)).toMatch(/^NOT WHOLE: .*event 24 tells of a restore/);
  });

  it('covers no checkpoint of the former life in the bucket that keeps them', async () => {
    restored.clock.advance(3_600_000);
    await restored.record(1);
    await restored.sequencer.turn();
    const [row] = await after.query<{ life: string }>(
      `SELECT payload->>'life' AS life FROM outbox WHERE kind = 'audit.anchor' ORDER BY id DESC LIMIT 1`,
    );
    const [restoration] = await after.query<{ id: string }>('SELECT id FROM restoration');
    expect(row?.life).toBe(restoration?.id);
  });
});
