import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FolderPlace } from '../../src/backup/folder-place.js';
import { makeBackup } from '../../src/backup/make-backup.js';
import { MANIFEST, signManifest, type Manifest } from '../../src/backup/manifest.js';
import { unseal } from '../../src/access/keyring.js';
import { signingKeyOf } from '../../src/audit/chain/checkpoint.js';
import { Database } from '../../src/database/database.js';
import { migrate } from '../../src/database/migrate.js';
import { randomFrom } from '../../prove/proof.js';
import { emptyDatabase, testDatabase, type TestDatabase } from '../support/database.js';
import { Backups, lifeOn, type Life } from './backups.js';

const backups = new Backups();
let source: TestDatabase;
let target: TestDatabase;
let db: Database;
let life: Life;

beforeAll(async () => {
  source = await testDatabase();
  db = new Database(source.url);
  life = await lifeOn(db, backups.masterKey);
  await life.record(60);
  await life.sequencer.turn();
});
afterAll(() => db.close());
beforeEach(async () => {
  target = await emptyDatabase('target');
});

const tablesIn = async (database: TestDatabase): Promise<unknown[]> =>
  database.query(`SELECT tablename FROM pg_tables WHERE schemaname = 'public'`);
const filesIn = (folder: string): string[] =>
  (readdirSync(folder, { recursive: true }) as string[]).filter((name) =>
    statSync(join(folder, name)).isFile(),
  );
const manifestIn = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8')) as Manifest;
/** As somebody would who has the key: what only the content can show. */
const signAnew = (folder: string, change: Partial<Manifest>): void => {
  const { signature: _, ...rest } = manifestIn(folder);
  const seed = unseal(Buffer.from(rest.signedBy.sealed, 'base64'), backups.masterKey, rest.signedBy.keyId);
  writeFileSync(
    join(folder, MANIFEST),
    JSON.stringify(signManifest({ ...rest, ...change }, signingKeyOf(seed))),
  );
};

describe('a backup is refused, and nothing is changed', () => {
  const refused = async (folder: string, why: RegExp): Promise<void> => {
    await expect(backups.restore(folder, target.url)).rejects.toThrow(why);
    expect(await tablesIn(target)).toEqual([]);
  };

  it('wherever one bit of one of its files was flipped', async () => {
    const { folder } = await backups.make(source.url);
    const random = randomFrom(11);
    const files = filesIn(folder);
    for (let round = 0; round < 60; round += 1) {
      const path = join(folder, files[Math.floor(random() * files.length)] ?? '');
      const before = readFileSync(path);
      const after = Buffer.from(before);
      const at = Math.floor(random() * after.length);
      after[at] = (after[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      writeFileSync(path, after);
      await expect(backups.restore(folder, target.url), `${path} at ${at}`).rejects.toThrow(
        /damaged|changed after|SALLYPORT_KEY|no complete|newer/,
      );
      writeFileSync(path, before);
    }
    expect(await tablesIn(target)).toEqual([]);
    expect(await backups.restore(folder, target.url)).toMatchObject({ verification: { isWhole: true } });
  }, 60_000);

  it('that is cut short, by the name of the file', async () => {
    const { folder, manifest } = await backups.make(source.url);
    const part = manifest.tables.find(({ name }) => name === 'audit_event')?.parts.at(-1);
    truncateSync(join(folder, part?.name ?? ''), (part?.bytes ?? 0) - 1);
    await refused(folder, /tables\/audit_event\/\d{6}\.gz is cut short/);
    rmSync(join(folder, part?.name ?? ''));
    await refused(folder, /tables\/audit_event\/\d{6}\.gz is missing/);
  });

  it('that was not finished', async () => {
    const { folder } = await backups.make(source.url);
    rmSync(join(folder, MANIFEST));
    await refused(folder, /no complete backup: it has no manifest\.json/);
    await refused(backups.newFolder(), /holds nothing/);
  });

  it('without the key of its service', async () => {
    const { folder } = await backups.make(source.url);
    await expect(backups.restore(folder, target.url, { masterKey: randomBytes(32) })).rejects.toThrow(
      /SALLYPORT_KEY: .* was made with another one/,
    );
    expect(await tablesIn(target)).toEqual([]);
  });

  it('that is of a newer version, or names files outside of it', async () => {
    const { folder, manifest } = await backups.make(source.url);
    signAnew(folder, { schema: [...manifest.schema, 'AddTheFuture9999999999999'] });
    await refused(folder, /whose database is newer \(AddTheFuture9999999999999\)/);
    signAnew(folder, { format: 2 as 1 });
    await refused(folder, /newer Sallyport \(format 2/);
    const [first] = manifest.tables.filter(({ rows }) => rows > 0);
    const part = { ...first!.parts[0]!, name: 'tables/../../../etc/passwd' };
    signAnew(folder, { format: 1, schema: manifest.schema, tables: [{ ...first!, parts: [part] }] });
    await refused(folder, /damaged: manifest\.json is not what a backup wrote \(tables\.0\.parts\.0\.name/);
  });

  it('that unpacks to more than it says', async () => {
    const { folder, manifest } = await backups.make(source.url);
    const tables = manifest.tables.map((table) => ({
      ...table,
      parts: table.parts.map((part) => ({ ...part, plainBytes: 10 })),
    }));
    signAnew(folder, { tables });
    await expect(backups.restore(folder, target.url)).rejects.toThrow(/cannot be unpacked/);
  });
});

describe('a place', () => {
  it('that holds something is not written over', async () => {
    const { folder } = await backups.make(source.url);
    const again = makeBackup({
      url: source.url,
      masterKey: backups.masterKey,
      place: new FolderPlace(folder),
      beside: () => Promise.resolve({ objects: null, secrets: null }),
    });
    await expect(again).rejects.toThrow(/is not empty. Name a new place/);
  });

  it('takes one of several backups that begin at once, and the others say so and are on no record', async () => {
    const told = async () =>
      (await source.query(`SELECT FROM audit_event WHERE action = 'backup.made'`)).length;
    const before = await told();
    const folder = backups.newFolder();
    const all = await Promise.allSettled([1, 2, 3].map(() => backups.make(source.url, 2000, folder)));
    const made = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value.manifest.id] : []));
    expect(made).toHaveLength(1);
    for (const one of all)
      if (one.status === 'rejected')
        expect(String(one.reason)).toMatch(/is being written by another backup|is not empty/);
    expect(manifestIn(folder).id).toBe(made[0]);
    expect(await told()).toBe(before + 1);
    await backups.restore(folder, target.url);
  }, 30_000);

  it('is readable by its owner alone', async () => {
    const { folder } = await backups.make(source.url);
    expect(statSync(folder).mode & 0o077).toBe(0);
    for (const name of filesIn(folder)) expect(statSync(join(folder, name)).mode & 0o077, name).toBe(0);
  });
});

describe('a database', () => {
  it('that is not empty is replaced only when that is said, and it is told what is lost', async () => {
    const { folder } = await backups.make(source.url);
    await backups.restore(folder, target.url);
    await expect(backups.restore(folder, target.url)).rejects.toThrow(
      /not empty: it holds 0 objects, 0 reviews and \d+ audit events, the last of .*--discard-existing/,
    );
    await backups.restore(folder, target.url, { discards: true });
    const [row] = await target.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM audit_event WHERE action = 'backup.restored'`,
    );
    expect(row?.count).toBe(1);
  }, 30_000);

  it("with somebody else's tables is never replaced", async () => {
    const { folder } = await backups.make(source.url);
    await target.query('CREATE TABLE theirs (id int)');
    await expect(backups.restore(folder, target.url, { discards: true })).rejects.toThrow(
      /1 tables, and they are not Sallyport's/,
    );
    expect(await tablesIn(target)).toEqual([{ tablename: 'theirs' }]);
  });

  it('that a service works with is not replaced', async () => {
    const { folder } = await backups.make(source.url);
    const service = new Database(target.url);
    try {
      await service.query('SELECT 1');
      await expect(backups.restore(folder, target.url, { discards: true })).rejects.toThrow(
        /1 connections of Sallyport are open/,
      );
    } finally {
      await service.close();
    }
    await backups.restore(folder, target.url);
    await target.query(
      `INSERT INTO node (incarnation, home_id, host, pid, roles, started_at, heartbeat_at)
       VALUES ('n', 'h', 'host', 1, '{}', 1, extract(epoch FROM clock_timestamp()) * 1000)`,
    );
    await expect(backups.restore(folder, target.url, { discards: true })).rejects.toThrow(
      /1 nodes told within the last minute/,
    );
  }, 30_000);
});

describe('a restore that fails in the middle', () => {
  /** A backup whose last table cannot be loaded, which only loading it shows. */
  const spoilt = async (): Promise<string> => {
    const { folder, manifest } = await backups.make(source.url);
    const tables = manifest.tables.map((table) =>
      table.name === 'workflow_def' ? { ...table, sha256: '0'.repeat(64) } : table,
    );
    signAnew(folder, { tables });
    return folder;
  };

  it('leaves a database that no service starts on, with the remedy, and that the next restore begins anew', async () => {
    await expect(backups.restore(await spoilt(), target.url)).rejects.toThrow(
      /the rows of workflow_def are not what they were/,
    );
    await expect(migrate(target.url)).rejects.toThrow(/was cut short.*Run it again: sallyport restore/);
    const { folder } = await backups.make(source.url);
    expect(await backups.restore(folder, target.url)).toMatchObject({ verification: { isWhole: true } });
    expect(await migrate(target.url)).toMatchObject({ applied: [] });
  }, 30_000);

  it('is nothing to back up', async () => {
    await expect(backups.restore(await spoilt(), target.url)).rejects.toThrow(/workflow_def/);
    await expect(backups.make(target.url)).rejects.toThrow(/was cut short: it holds nothing to back up/);
  });
});

describe('a record whose chain is not whole', () => {
  it('is restored only when that is said, and then says so itself', async () => {
    const admin = new pg.Client(source.adminUrl);
    await admin.connect();
    const change = (actor: string) =>
      admin.query(
        `SET session_replication_role = replica; UPDATE audit_event SET actor = '${actor}' WHERE subject = 'review:7'`,
      );
    await change('user:mallory');
    const { folder } = await backups.make(source.url);
    await change('user:alice');
    await admin.end();
    await expect(backups.restore(folder, target.url)).rejects.toThrow(
      /not whole: place 8 is not what was chained.*--take-broken-chain/,
    );
    await backups.restore(folder, target.url, { takesBroken: true });
    const [row] = await target.query<{ data: unknown }>(
      `SELECT data FROM audit_event WHERE action = 'backup.restored'`,
    );
    expect(row?.data).toMatchObject({ isWhole: false, bad: { seq: 8 } });
  }, 30_000);
});
