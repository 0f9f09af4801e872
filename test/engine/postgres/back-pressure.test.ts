import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Overloaded, Unavailable } from '../../../src/errors.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
import { EngineOnDatabase, type EngineOptions } from '../../support/engine-on-database.js';
import { chain, TESTER } from '../../support/engine.js';
import { eventually } from '../../support/eventually.js';
import { TcpProxy } from '../../support/tcp-proxy.js';

/** What is really in use: garbage is collected first. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

const countOf = (
  outcomes: readonly PromiseSettledResult<unknown>[],
  matches: (reason: unknown) => boolean,
): number => outcomes.filter((one) => one.status === 'rejected' && matches(one.reason)).length;

describe('when PostgreSQL slows down', { timeout: 90_000 }, () => {
  let db: TestDatabase;
  let proxy: TcpProxy;
  let node: EngineOnDatabase;
  beforeAll(async () => {
    db = await testDatabase();
  });
  beforeEach(async () => {
    await db.truncate();
    proxy = await TcpProxy.toUrl(db.url);
  });
  afterEach(async () => {
    proxy.heal();
    await node.stop();
    await proxy.close();
  });

  const begin = async (committer: EngineOptions['committer']): Promise<void> => {
    node = await EngineOnDatabase.start(proxy.through(db.url), committer === undefined ? {} : { committer });
    await node.register(chain('one', 'remote'));
  };
  const start = (input: Record<string, string> = {}, correlationId?: string) =>
    node.engine.start({ name: 'one', input, correlationId }, TESTER);

  test('starts are refused from half of the bound with 429, other calls at the whole with 503, and the rest waits', async () => {
    await begin({ maxCount: 200, giveUpAfterMs: 60_000 });
    const known: string[] = [];
    for (const wave of [75, 75])
      known.push(...(await Promise.all(Array.from({ length: wave }, () => start()))));
    proxy.delay(1_000);
    const { depth } = node.runtime.committer;
    expect(depth.count).toBe(0);
    const starting = Promise.allSettled(Array.from({ length: 150 }, () => start()));
    await eventually(() => node.runtime.committer.depth.count === 100);
    const updating = Promise.allSettled(known.map((id) => node.engine.pause(id, TESTER)));
    await eventually(() => node.runtime.committer.depth.count === 200);
    proxy.heal();
    const [started, updated] = [await starting, await updating];
    const isOverloaded = (status: number) => (reason: unknown) =>
      reason instanceof Overloaded && reason.status === status && reason.retryAfterSeconds > 0;
    expect(countOf(started, isOverloaded(429))).toBe(50);
    expect(countOf(updated, isOverloaded(503))).toBe(50);
    expect(countOf([...started, ...updated], () => true)).toBe(100);
    // What was let in is stored.
    const [row] = await db.query<{ all: string; paused: string }>(
      `SELECT count(*) AS all, count(*) FILTER (WHERE status = 'PAUSED') AS paused FROM workflow`,
    );
    expect(row).toEqual({ all: '250', paused: '100' });
  });

  test('no call waits longer than its bound, and each is told what became of it', async () => {
    await begin({ maxBatchWorkflows: 10, giveUpAfterMs: 1_000 });
    await start();
    proxy.delay(1_500);
    const began = performance.now();
    const waits: number[] = [];
    const outcomes = await Promise.allSettled(
      Array.from({ length: 200 }, async (_, index) => {
        try {
          await start({}, `slow-${index}`);
        } finally {
          waits.push(performance.now() - began);
        }
      }),
    );
    expect(Math.max(...waits)).toBeLessThan(7_000);
    const told = (words: RegExp) => (reason: unknown) =>
      reason instanceof Unavailable && reason.status === 503 && words.test(reason.message);
    const nothing = countOf(outcomes, told(/Nothing was changed/));
    const maybe = countOf(outcomes, told(/may or may not have taken effect/));
    const done = outcomes.flatMap(({ status }, index) => (status === 'fulfilled' ? [`slow-${index}`] : []));
    expect(done.length + nothing + maybe).toBe(200);
    expect(nothing).toBeGreaterThan(100);
    proxy.heal();
    await eventually(() => node.runtime.committer.depth.count === 0, { timeoutMs: 60_000 });
    // Whoever was told that nothing happened was told the truth.
    const stored = await db.query<{ id: string }>(
      `SELECT correlation_id AS id FROM workflow WHERE correlation_id LIKE 'slow-%'`,
    );
    const denied = new Set(
      outcomes.flatMap((one, index) =>
        one.status === 'rejected' && told(/Nothing was changed/)(one.reason) ? [`slow-${index}`] : [],
      ),
    );
    expect(stored.filter(({ id }) => denied.has(id))).toEqual([]);
    expect(stored.length).toBeLessThanOrEqual(done.length + maybe);
    expect(stored.map(({ id }) => id)).toEqual(expect.arrayContaining(done));
  });

  test('memory stays flat, however many come', async () => {
    await begin({ maxCount: 1_000, maxBytes: 4 * 1024 * 1024, giveUpAfterMs: 60_000 });
    proxy.delay(200);
    const input = { text: 'x'.repeat(4_000) };
    const stormOf = async (calls: number): Promise<void> => {
      for (let sent = 0; sent < calls; sent += 500) {
        for (let each = 0; each < 500; each++) start(input).catch(() => undefined);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await stormOf(2_000);
    const before = heapBytes();
    await stormOf(40_000);
    const growth = heapBytes() - before;
    expect(node.runtime.committer.depth.bytes).toBeLessThanOrEqual(4 * 1024 * 1024);
    expect(growth / 1024 / 1024).toBeLessThan(20);
  });
});

describe('rows that PostgreSQL refuses', () => {
  test('fail alone amid good ones, by whatever table refuses them', async () => {
    const db = await testDatabase();
    await db.truncate();
    const node = await EngineOnDatabase.start(db.url);
    try {
      await node.register(chain('one', 'remote'));
      await db.query(
        `ALTER TABLE workflow ADD CONSTRAINT hostile CHECK (correlation_id <> 'bad for workflow')`,
      );
      await db.query(`ALTER TABLE task ADD CONSTRAINT hostile CHECK (input::text NOT LIKE '%bad for task%')`);
      await db.query(
        `ALTER TABLE workflow_payload ADD CONSTRAINT hostile CHECK (1 / nullif(length(input->>'size'), 3) > -1)`,
      );
      const hostile = new Map([
        [3, { correlationId: 'bad for workflow' }],
        [41, { input: { given: 'bad for task' } }],
        [42, { correlationId: 'bad for workflow' }],
        [99, { input: { given: 'bad for task' } }],
      ]);
      const outcomes = await Promise.allSettled(
        Array.from({ length: 100 }, (_, index) =>
          node.engine.start({ name: 'one', ...hostile.get(index) }, TESTER),
        ),
      );
      const failed = outcomes.flatMap((one, index) => (one.status === 'rejected' ? [index] : []));
      expect(failed).toEqual([...hostile.keys()]);
      for (const one of outcomes) {
        if (one.status === 'rejected')
          expect(one.reason).toMatchObject({ status: 400, code: 'INVALID_INPUT' });
      }
      expect(await db.query('SELECT count(*)::int AS n FROM workflow')).toEqual([{ n: 96 }]);
      // Their neighbours were not made to wait for good: the next batch is as any other.
      expect(await node.engine.start({ name: 'one' }, TESTER)).toMatch(/-/);
    } finally {
      await node.stop();
      for (const table of ['workflow', 'task', 'workflow_payload']) {
        await db.query(`ALTER TABLE ${table} DROP CONSTRAINT IF EXISTS hostile`);
      }
    }
  });
});
