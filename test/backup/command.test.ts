import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backup, restore } from '../../src/backup/command.js';
import { Database } from '../../src/database/database.js';
import { testDatabase } from '../support/database.js';
import { Backups, lifeOn } from './backups.js';

const backups = new Backups();
const folder = mkdtempSync(join(tmpdir(), 'sallyport-command-'));
// PostgreSQL's own account must be able to pass through.
chmodSync(folder, 0o711);
const key = `${backups.masterKey.toString('base64')}\n`;
const place = join(folder, 'backup');
const untold = (): void => undefined;

beforeAll(async () => {
  const source = await testDatabase();
  const db = new Database(source.url);
  const life = await lifeOn(db, backups.masterKey);
  await life.record(5);
  await life.sequencer.turn();
  await db.close();
  const environment = {
    DATABASE_URL: source.url,
    SALLYPORT_KEY: key.trim(),
    SALLYPORT_HOME: join(folder, 'home'),
  };
  await backup(place, { withSecrets: true }, environment, untold);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the key in a backup', () => {
  it('comes into a home with its database, and not where that is refused', async () => {
    const home = join(folder, 'other');
    const again = () => restore(place, {}, { SALLYPORT_HOME: home }, untold);
    const path = join(home, 'sallyport.key');
    expect(await again()).toMatchObject({ isWhole: true, forkedAfter: 5 });
    expect(readFileSync(path, 'utf8')).toBe(key);
    rmSync(path);
    await expect(again()).rejects.toThrow(/not empty: .*--discard-existing/);
    expect(existsSync(path)).toBe(false);
  }, 120_000);
});
