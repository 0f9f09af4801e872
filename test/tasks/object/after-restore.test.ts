import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Database } from '../../../src/database/database.js';
import type { PinnedObject } from '../../../src/s3/object-storage.js';
import { StorageError } from '../../../src/s3/storage-error.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
import { markRestored, releaseRestored } from '../../support/restoration.js';
import { startTestS3, type TestS3 } from '../../s3/endpoint.js';
import { Stage } from '../stage.js';

let s3: TestS3;
let database: TestDatabase;
let db: Database;
let stage: Stage;

beforeAll(async () => {
  s3 = await startTestS3();
  database = await testDatabase();
  db = new Database(database.url);
});
afterAll(async () => {
  await db.close();
  await s3.close();
});
beforeEach(async () => {
  await database.truncate();
  stage = new Stage(s3, db, { ACTION_MODE: 'quarantine' });
  return () => stage.close();
});

const isThere = (object: PinnedObject): Promise<boolean> =>
  s3.storage.head(object).then(
    () => true,
    (error: unknown) => {
      if (error instanceof StorageError && error.outcome === 'gone') return false;
      throw error;
    },
  );
let uploads = 0;
const upload = () => stage.upload(`restored-${(uploads += 1)}.txt`, `bytes ${uploads}`);
const asPinned = (object: unknown): PinnedObject => object as PinnedObject;

describe('while a restored database is held', () => {
  it.each([
    ['tag_object', { verdict: 'clean' }],
    ['quarantine_object', { verdict: 'infected' }],
    ['release_object', {}],
    ['delete_object', {}],
  ])('%s does nothing and asks to be asked again, until it is released', async (taskType, input) => {
    const { scanId, pinned } = await upload();
    await markRestored(db);
    const outcome = await stage.run(taskType, { scanId, ...input });
    expect(outcome).toMatchObject({ kind: 'inProgress', callbackAfterSeconds: 30 });
    expect(await s3.storage.readTags(pinned)).toEqual({});
    expect(stage.ledger.actionsOf(scanId)).toEqual([]);
    await releaseRestored(db);
    expect(await stage.run(taskType, { scanId, ...input })).toMatchObject({ kind: 'completed' });
  });
});

describe('what a former life moved into quarantine behind the backup', () => {
  /** Moved, and then forgotten, as a restored database has it. */
  const moved = async (forget: string) => {
    const { scanId, pinned } = await upload();
    const first = await stage.output('quarantine_object', { scanId, verdict: 'infected' });
    expect(first).toMatchObject({ moved: true });
    await db.query(forget, [scanId]);
    return { scanId, pinned, copy: asPinned(first['quarantine']) };
  };
  const FORGET: Readonly<Record<string, string>> = {
    'that it had begun': 'DELETE FROM quarantined_object WHERE scan_id = $1',
    'that the copy was written': `UPDATE quarantined_object SET state = 'copying', sha256 = NULL, quarantine_etag = NULL, quarantine_version_id = NULL WHERE scan_id = $1`,
    'that the copy was read back': `UPDATE quarantined_object SET state = 'copying', sha256 = NULL WHERE scan_id = $1`,
    'that the original was deleted': `UPDATE quarantined_object SET state = 'copied' WHERE scan_id = $1`,
  };

  it.each(Object.entries(FORGET))(
    'is moved, and not twice, where the backup does not know %s',
    async (_, forget) => {
      const { scanId, pinned, copy } = await moved(forget);
      await markRestored(db, { isHeld: false });
      const again = await stage.output('quarantine_object', { scanId, verdict: 'infected' });
      expect(again).toMatchObject({
        moved: true,
        quarantine: { key: copy.key, versionId: copy.versionId ?? null },
      });
      expect(await isThere(copy)).toBe(true);
      expect(await isThere(pinned)).toBe(false);
      expect(await s3.storage.versionsOf(copy)).toHaveLength(1);
      const released = await stage.output('release_object', { scanId });
      expect(released).toMatchObject({ outcome: 'released' });
    },
  );

  it('is not taken up in a database that was never restored: an object that somebody deleted is gone', async () => {
    const { scanId } = await moved(FORGET['that it had begun'] ?? '');
    expect(await stage.output('quarantine_object', { scanId, verdict: 'infected' })).toMatchObject({
      moved: false,
      note: expect.stringMatching(/^gone/) as string,
    });
  });

  it('is not released a second time where it was released already', async () => {
    const { scanId, pinned } = await upload();
    await stage.output('quarantine_object', { scanId, verdict: 'infected' });
    await stage.output('release_object', { scanId });
    await db.query('DELETE FROM released_object');
    await db.query(`UPDATE quarantined_object SET state = 'moved'`);
    await markRestored(db, { isHeld: false });
    const before = await s3.storage.versionsOf(pinned);
    expect(await stage.output('release_object', { scanId })).toMatchObject({ outcome: 'released' });
    expect(await s3.storage.versionsOf(pinned)).toEqual(before);
  });
});
