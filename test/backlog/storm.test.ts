import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BacklogBell } from '../../src/backlog/backlog-bell.js';
import { Dispatcher } from '../../src/backlog/dispatcher.js';
import { listItems } from '../../src/backlog/sql/list-items.js';
import { markStarted } from '../../src/backlog/sql/mark-started.js';
import { recallPostponed } from '../../src/backlog/sql/postpone-items.js';
import { waitingCounts } from '../../src/backlog/sql/queue-counts.js';
import { openQueues } from '../../src/backlog/sql/queue-lanes.js';
import { runningScans } from '../../src/backlog/sql/running-scans.js';
import { takeItems } from '../../src/backlog/sql/take-items.js';
import { Database } from '../../src/database/database.js';
import type { Queryable } from '../../src/database/queryable.js';
import { testDatabase } from '../support/database.js';
import { StillClock } from '../verdicts/still-clock.js';
import { FakeEngine } from './fake-engine.js';
import { judgeAll, storm, STORM_AT } from './storm-rows.js';

const WAITING = 100_000;
const test = await testDatabase();
const database = new Database(test.url, { maxConnections: 4 });
afterAll(() => database.close());
const now = STORM_AT + WAITING;
const look = { now, places: 32, fewest: 4, most: 33, agedBefore: now - 600_000, agedMost: 5 };

/** The plan of what a statement function asks, as lines. */
async function planOf(ask: (db: Queryable) => Promise<unknown>): Promise<string> {
  let lines: string[] = [];
  await ask({
    query: async <Row>(text: string, values: readonly unknown[] = []) => {
      const plan = await test.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${text}`, [...values]);
      lines = plan.map((line) => line['QUERY PLAN']);
      return [] as Row[];
    },
  });
  return lines.join('\n');
}

beforeAll(async () => {
  await storm(test, { waiting: WAITING, buckets: 200, over: 20_000 });
}, 120_000);

describe('with 100,000 waiting in 200 buckets, a look', () => {
  const scanId = '00000000-0000-4000-8000-000000000000';
  it.each<[string, (db: Queryable) => Promise<unknown>, readonly string[]]>([
    [
      'finds the queues and their heads',
      (db) => openQueues(db, look),
      ['backlog_item_lane', 'backlog_item_lane_age'],
    ],
    ['counts what runs', (db) => runningScans(db, { atMost: 320, assumedBytes: 1 }), ['scan_running']],
    [
      'recalls what was postponed',
      (db) => recallPostponed(db, { now, limit: 1000 }),
      ['backlog_item_postponed'],
    ],
    ['takes what it chose', (db) => takeItems(db, [scanId]), ['backlog_item_pkey']],
    [
      'records what it started',
      (db) => markStarted(db, [{ scanId, workflowId: 'w' }], now),
      ['backlog_item_pkey', 'scan_pkey', 'object_version_pkey'],
    ],
    [
      'is beside whoever pages through what waits',
      (db) => listItems(db, { state: 'waiting', filter: {}, limit: 51 }),
      ['backlog_item_lane_age', 'backlog_item_pkey'],
    ],
  ])('%s by indexes alone', async (_, ask, indexes) => {
    const plan = await planOf(ask);
    for (const index of indexes) expect(plan).toContain(index);
    expect(plan).not.toMatch(/Seq Scan on (backlog_item|scan|object_version)/);
  });

  it('is not needed to count them all', async () => {
    const counts = await waitingCounts(database, 1);
    expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(WAITING);
    expect(counts).toHaveLength(200);
  });

  it('reads some hundreds of items and no more', async () => {
    const heads = await openQueues(database, look);
    expect(heads.length).toBeLessThanOrEqual(220 * 5);
  });

  it('works off uploads before the backfill, evenly from all buckets, with flat memory', async () => {
    const engine = new FakeEngine();
    const parts = {
      database,
      engine,
      clock: new StillClock(now),
      bell: new BacklogBell(),
      log: pino({ level: 'silent' }),
    };
    const dispatcher = new Dispatcher({ ...parts, maxRunning: 250 });
    let started = 0;
    let heapBefore = 0;
    const buckets = new Map<string, number>();
    while (started < 6_000) {
      started += await dispatcher.dispatch();
      for (const { input, priority } of engine.started.values()) {
        expect(priority).toBe(50);
        const bucket = JSON.stringify(input?.['bucket']);
        buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
      }
      engine.started.clear();
      await judgeAll(test);
      if (started === 2_500) heapBefore = heapUsed();
    }
    expect(heapUsed() - heapBefore).toBeLessThan(20 * 1024 ** 2);
    const shares = [...buckets.values()];
    // 20 of the buckets hold nothing but the backfill.
    expect(buckets.size).toBe(180);
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(3);
  }, 120_000);
});

function heapUsed(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
