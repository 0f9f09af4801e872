import { randomBytes } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { Database } from '../../../src/database/database.js';
import { PostgresExecutionStore } from '../../../src/engine/postgres/postgres-execution-store.js';
import { testDatabase } from '../../support/database.js';
import { NOW, start } from '../conformance/fixtures.js';

const MEBIBYTE = 1024 * 1024;
const MOST = 32 * MEBIBYTE;

/*
 * A workflow may keep some megabytes in its rows. What a transaction reads is bounded all the same: a hundred of them at
 * once would be more than the process has.
 */
describe.each([
  ['that do not shrink', () => randomBytes(MEBIBYTE).toString('hex')],
  ['that are stored in a hundredth of their size', () => 'x'.repeat(2 * MEBIBYTE)],
] as const)('large values %s', (_, make) => {
  let db: Database;
  let store: PostgresExecutionStore;
  beforeEach(async () => {
    const it = await testDatabase();
    await it.truncate();
    db ??= new Database(it.url);
    store ??= new PostgresExecutionStore(db);
  });
  afterAll(async () => {
    await store.close();
    await db.close();
  });
  const stored = async (count: number): Promise<string[]> => {
    const ids: string[] = [];
    for (let n = 0; n < count; n++) ids.push(await start(store, { input: { given: make() } }));
    return ids;
  };

  test('are handed out a few at a time, and all in the end', async () => {
    await stored(40);
    const taken: number[] = [];
    let left = 40;
    while (left > 0) {
      const takers = Array.from({ length: left }, () => ({ workerId: 'w', owner: 'node-a' }));
      const claimed = await store.claimTasks({ taskType: 'work', takers, now: NOW, ageingMs: 600_000 });
      expect(claimed.length).toBeGreaterThan(0);
      const bytes = claimed.reduce((sum, { task }) => sum + JSON.stringify(task.inputData).length, 0);
      // The last one may go over.
      expect(bytes).toBeLessThan(MOST + 3 * MEBIBYTE);
      taken.push(claimed.length);
      left -= claimed.length;
    }
    expect(taken.length).toBeGreaterThan(1);
  });

  test('are read a few at a time; the other workflows of the batch come later', async () => {
    const ids = await stored(20);
    const seen = new Set<string>();
    for (let wanted = ids; wanted.length > 0;) {
      const members = wanted.map((workflowId) => ({ workflowId, knownRevision: -1, commandIds: [] }));
      let locked: readonly string[] = [];
      const { busy, missing } = await store.commitBatch({ now: NOW, members, wait: false }, (rows) => {
        locked = rows.map(({ workflowId }) => workflowId);
        return [];
      });
      expect(missing).toEqual([]);
      expect(locked.length).toBeGreaterThan(0);
      // Each has its input twice: its own and its first task's.
      expect(locked.length).toBeLessThanOrEqual(MOST / (4 * MEBIBYTE) + 1);
      for (const id of locked) seen.add(id);
      expect([...locked, ...busy].sort()).toEqual([...wanted].sort());
      wanted = [...busy];
    }
    expect(seen.size).toBe(ids.length);
  });
});
