import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ownEmbeddedStore } from '../../src/embedded/store-owner.js';
import { testDatabase, type TestDatabase } from '../support/database.js';

describe('a database that several services share', () => {
  let db: TestDatabase;
  let folder: string;
  beforeAll(async () => {
    db = await testDatabase();
    folder = mkdtempSync(join(tmpdir(), 'sallyport-store-'));
  });
  beforeEach(() => db.truncate());
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const own = (home: string, isItsOwn = false): Promise<void> =>
    ownEmbeddedStore(
      { query: (text, values) => db.query(text, [...(values ?? [])]) as never },
      home,
      isItsOwn,
    );

  it('knows the objects of one home: the same again is welcome, wherever it lies, another one is refused', async () => {
    const first = join(folder, 'first');
    await own(first);
    await own(first);
    renameSync(first, join(folder, 'moved'));
    await own(join(folder, 'moved'));
    await expect(own(join(folder, 'second'))).rejects.toThrow(
      /belongs to the embedded S3 endpoint of another home .*first.* EMBEDDED_S3=off, S3_ENDPOINT and S3_BUCKETS/,
    );
  });

  it('is that of the home in which it lies, whoever came first', async () => {
    await own(join(folder, 'guest'));
    await own(join(folder, 'host'), true);
    await expect(own(join(folder, 'guest'))).rejects.toThrow(/belongs to .*host/);
    await own(join(folder, 'host'), true);
  });

  it('lets one of two win that start at the same moment', async () => {
    const outcomes = await Promise.allSettled([own(join(folder, 'left')), own(join(folder, 'right'))]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});
