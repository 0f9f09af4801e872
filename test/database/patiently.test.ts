import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Database } from '../../src/database/database.js';
import { migrate } from '../../src/database/migrate.js';
import { patiently } from '../../src/database/patiently.js';
import { ConfigError, Unavailable } from '../../src/errors.js';
import { testDatabase } from '../support/database.js';
import { TcpProxy } from '../support/tcp-proxy.js';

describe('a step of a start', () => {
  let url: string;
  let proxy: TcpProxy;
  let database: Database;
  let told: string[];
  beforeEach(async () => {
    told = [];
    ({ url } = await testDatabase());
    proxy = await TcpProxy.toUrl(url);
    database = new Database(proxy.through(url));
  });
  afterEach(async () => {
    await database.close();
    await proxy.close();
  });

  /** Calls `then` when the start says that it waits. */
  const log = (then: () => void = () => undefined) => ({
    warn(facts: object) {
      told.push(JSON.stringify(facts));
      then();
    },
  });
  const ask = () => database.query<{ one: number }>('SELECT 1 AS one');

  test('is taken again when its connection is lost, and says meanwhile what it waits for', async () => {
    let tries = 0;
    const step = async () => {
      tries += 1;
      if (tries > 1) return await ask();
      await ask();
      proxy.refuse();
      return await ask();
    };
    expect(await patiently(step, { log: log(() => proxy.heal()) })).toEqual([{ one: 1 }]);
    expect(told).toHaveLength(tries - 1);
    expect(told[0]).toContain('Check that PostgreSQL runs');
  });

  test('that migrates waits for a server that is not up yet', async () => {
    proxy.refuse();
    const step = () => migrate(proxy.through(url));
    expect(await patiently(step, { log: log(() => proxy.heal()) })).toMatchObject({ applied: [] });
  });

  test('ends with one sentence and its remedy when the server does not come back', async () => {
    proxy.refuse();
    const error = await patiently(ask, { log: log(), patienceMs: 250 }).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(Unavailable);
    expect((error as Error).message).toMatch(
      /^PostgreSQL does not answer: .+\. Check DATABASE_URL and that the server runs\.$/,
    );
    expect(told.length).toBeGreaterThan(0);
  });

  test('does not wait for what somebody must mend, or for what is no trouble of the server', async () => {
    const stranger = new URL(url);
    stranger.pathname = '/no-such-database';
    await expect(patiently(() => migrate(stranger.href), { log: log() })).rejects.toBeInstanceOf(ConfigError);
    await expect(patiently(() => database.query('SELECT 1/0'), { log: log() })).rejects.toMatchObject({
      code: '22012',
    });
    expect(told).toEqual([]);
  });

  test('is given up when the start is', async () => {
    proxy.refuse();
    const stopping = new AbortController();
    const reason = new Error('told to stop');
    const waiting = patiently(ask, { log: log(() => stopping.abort(reason)), signal: stopping.signal });
    await expect(waiting).rejects.toBe(reason);
  });
});
