import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { migrate } from '../../src/database/migrate.js';
import { EngineOnDatabase } from '../support/engine-on-database.js';
import { chain, FunctionWorker, TESTER } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { OwnServer } from '../support/own-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const WAIT = { timeoutMs: 30_000 };

/** PostgreSQL's ways to fail, each on a real server of this file's own. */
describe('an engine whose PostgreSQL', { timeout: 90_000 }, () => {
  let server: OwnServer;
  let proxy: TcpProxy;
  let node: EngineOnDatabase;
  beforeAll(async () => {
    server = await OwnServer.start({ wal_level: 'replica', max_wal_senders: '1', hot_standby: 'on' });
    await migrate(server.url);
  }, 60_000);
  afterAll(() => server.stop());
  beforeEach(async () => {
    proxy = await TcpProxy.toUrl(server.url);
    node = await EngineOnDatabase.start(proxy.through(server.url), {
      workers: [new FunctionWorker('step'), new FunctionWorker('wait')],
      committer: { giveUpAfterMs: 2_000 },
    });
    await node.register(chain('three', 'step', 'step', 'step'));
  });
  afterEach(async () => {
    await node.stop();
    await proxy.close();
  });

  const start = () => node.engine.start({ name: 'three' }, TESTER);
  const completed = (ids: readonly string[]) =>
    eventually(
      async () => {
        for (const id of ids) if ((await node.engine.get(id)).status !== 'COMPLETED') return false;
        return true;
      },
      { ...WAIT, what: 'the completion of all' },
    );
  const state = async (wanted: string) => {
    await eventually(async () => (await node.health()).state === wanted, {
      ...WAIT,
      what: `state ${wanted}`,
    });
    return node.health();
  };
  /** Everything that was promised is there, everything that was refused was told so. */
  const startMany = async (count: number) => {
    const outcomes = await Promise.allSettled(Array.from({ length: count }, start));
    return {
      ids: outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])),
      refusals: outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : [])),
    };
  };

  test('is restarted in immediate mode goes on, loses nothing, and says so in two lines', async () => {
    const before = await startMany(100);
    const during = startMany(100);
    await server.restartImmediately();
    const { ids, refusals } = await during;
    await completed([...before.ids, ...ids]);
    for (const refusal of refusals) expect(refusal).toMatchObject({ status: 503, retryable: true });
    expect(node.states).toEqual(['away', 'ok']);
    // Nothing of the outage but those two lines.
    expect(node.lines.filter(({ level }) => level >= 40)).toHaveLength(1);
    expect(node.database.state.failureTotals.get('away')).toBeGreaterThan(0);
    expect(await node.metrics.metrics()).toMatch(/sallyport_database_failures_total\{state="away"\} [1-9]/);
  });

  test('cuts connections at random is not hurt', async () => {
    const cutting = setInterval(() => proxy.cut(), 150);
    const { ids, refusals } = await startMany(200);
    await eventually(() => proxy.accepted > 12, WAIT);
    clearInterval(cutting);
    await completed(ids);
    expect(ids.length + refusals.length).toBe(200);
    expect((await state('ok')).healthy).toBe(true);
  });

  test('falls silent gives calls up in time, truthfully, and goes on by itself', async () => {
    const before = await startMany(20);
    await completed(before.ids);
    proxy.blackHole();
    const began = performance.now();
    const refusal = await start().catch((error: unknown) => error);
    expect(refusal).toMatchObject({ status: 503, retryable: true, code: 'UNAVAILABLE' });
    expect((refusal as Error).message).toMatch(/may or may not have taken effect/);
    // Two seconds are granted, three to a lane that may yet say why, and one until somebody looks.
    expect(performance.now() - began).toBeLessThan(8_000);
    await state('slow').catch(() => state('away'));
    proxy.heal();
    await state('ok');
    await completed((await startMany(20)).ids);
  });

  test('is read-only says so, refuses changes with 503, answers reads, and goes on when it is not any more', async () => {
    const [first = ''] = (await startMany(1)).ids;
    await completed([first]);
    await server.set('default_transaction_read_only', 'on');
    await expect(start()).rejects.toMatchObject({
      status: 503,
      retryable: true,
      message: expect.stringMatching(/read-only now: reading works.*Nothing was changed/) as string,
    });
    expect((await node.engine.get(first)).status).toBe('COMPLETED');
    expect(await state('read-only')).toMatchObject({
      healthy: false,
      remedy: expect.stringMatching(/primary/) as string,
    });
    const patient = eventually(start, WAIT);
    await server.set('default_transaction_read_only', 'off');
    await completed([await patient]);
    await state('ok');
    expect(node.states).toEqual(['read-only', 'ok']);
  });

  test('became a standby is read-only until it is promoted', async () => {
    const before = await startMany(20);
    await completed(before.ids);
    await server.becomeStandby();
    await state('read-only');
    expect((await node.engine.get(before.ids[0] ?? '')).status).toBe('COMPLETED');
    await server.promote();
    await state('ok');
    await completed((await startMany(20)).ids);
    await completed(before.ids);
  });

  test('has a full disk refuses changes with 503 and goes on when there is room', async () => {
    const [first = ''] = (await startMany(1)).ids;
    await completed([first]);
    await server.asAdmin(
      `CREATE OR REPLACE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN RAISE EXCEPTION USING ERRCODE = '53100', MESSAGE = 'could not extend file: No space left on device'; END $$`,
      'CREATE TRIGGER no_room BEFORE INSERT ON workflow FOR EACH STATEMENT EXECUTE FUNCTION no_room()',
    );
    await expect(start()).rejects.toMatchObject({
      status: 503,
      message: expect.stringMatching(/disk is full: reading works.*Nothing was changed/) as string,
    });
    expect((await node.engine.get(first)).status).toBe('COMPLETED');
    expect(await state('full')).toMatchObject({ remedy: expect.stringMatching(/Make room/) as string });
    const patient = eventually(start, WAIT);
    await server.asAdmin('DROP TRIGGER no_room ON workflow');
    await completed([await patient]);
    expect(node.states).toEqual(['full', 'ok']);
  });

  test('lets nobody in says what to check', async () => {
    await completed((await startMany(3)).ids);
    const owner = decodeURIComponent(new URL(server.url).username);
    await server.asAdmin(`ALTER ROLE ${owner} NOLOGIN`);
    proxy.cut();
    expect(await state('refused')).toMatchObject({ remedy: expect.stringMatching(/password/) as string });
    await server.asAdmin(`ALTER ROLE ${owner} LOGIN`);
    await state('ok');
    await completed((await startMany(3)).ids);
  });
});
