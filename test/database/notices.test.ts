import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Database } from '../../src/database/database.js';
import { MAX_NOTICE_BYTES, Notices } from '../../src/database/notices.js';
import type { Queryable } from '../../src/database/queryable.js';
import { testDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';

const CHANNEL = 'sallyport_test';

describe('notices', () => {
  let server: TestDatabase;
  let database: Database;
  const open: Notices[] = [];

  beforeAll(async () => {
    server = await testDatabase();
    database = new Database(server.url, { maxConnections: 4 });
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one.stop();
  });
  afterAll(() => database.close());

  async function start(sender: Queryable = database, listenUrl = server.url): Promise<Notices> {
    const notices = await Notices.start({ listenUrl, sender });
    open.push(notices);
    return notices;
  }
  function hear(notices: Notices, channel = CHANNEL): string[] {
    const heard: string[] = [];
    notices.on(channel, (payload) => heard.push(payload));
    return heard;
  }
  const backends = () =>
    server.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'sallyport-notices'`,
    );
  async function cut(): Promise<void> {
    for (const { pid } of await backends()) await server.query('SELECT pg_terminate_backend($1)', [pid]);
  }

  test('reach the other processes and not their own', async () => {
    const [one, other, third] = [await start(), await start(), await start()];
    const [own, heard, alsoHeard] = [hear(one), hear(other), hear(third)];
    for (const notices of open) await notices.subscribed();
    one.publish(CHANNEL, 'scan');
    await eventually(() => heard.length === 1 && alsoHeard.length === 1);
    expect({ own, heard, alsoHeard }).toEqual({ own: [], heard: ['scan'], alsoHeard: ['scan'] });
  });

  test('of the same payload are sent at most once per 5 ms, and the last is never swallowed', async () => {
    let sent = 0;
    const counting: Queryable = {
      query: <Row>(text: string, values: readonly unknown[] = []) => {
        sent += 1;
        return database.query<Row>(text, values);
      },
    };
    const [one, other] = [await start(counting), await start()];
    const heard = hear(other);
    await other.subscribed();
    const began = performance.now();
    let published = 0;
    while (performance.now() - began < 60) {
      for (let again = 0; again < 50; again++, published++) one.publish(CHANNEL, 'busy');
      await new Promise((resolve) => setImmediate(resolve));
    }
    one.publish(CHANNEL, 'last');
    await eventually(() => heard.includes('last'));
    const lasted = performance.now() - began;
    expect(published).toBeGreaterThan(1_000);
    expect(sent).toBeGreaterThan(1);
    expect(sent).toBeLessThanOrEqual(lasted / 5 + 2);
    expect(heard.length).toBeLessThanOrEqual(sent + 1);
  });

  test('are heard again after the connection was cut, and listeners are told to look', async () => {
    const [one, other] = [await start(), await start()];
    const heard = hear(other);
    let looks = 0;
    other.onReconnect(() => (looks += 1));
    await cut();
    await eventually(() => looks === 1 && one.state.isListening);
    expect(other.state).toMatchObject({ isListening: true, reconnects: 1 });
    const late = hear(other, 'sallyport_other');
    await other.subscribed();
    one.publish(CHANNEL, 'again');
    one.publish('sallyport_other', 'too');
    await eventually(() => heard.length === 1 && late.length === 1);
  });

  test('say that nobody is heard while PostgreSQL cannot be reached, and fail nobody', async () => {
    const away = await start(
      { query: () => Promise.reject(new Error('away')) },
      'postgres://127.0.0.1:1/none',
    );
    expect(away.state.isListening).toBe(false);
    expect(away.state.problem).toMatch(/ECONNREFUSED/);
    away.publish(CHANNEL, 'x');
    await eventually(() => away.state.dropped === 1);
  });

  test('wait within bounds when nothing can be sent', async () => {
    let release: () => void = () => undefined;
    const slow = await start({ query: () => new Promise((resolve) => (release = () => resolve([]))) });
    slow.publish(CHANNEL, 'first');
    await eventually(() => release.name !== undefined && slow.state.dropped === 0);
    for (let n = 0; n < 10_100; n++) slow.publish(CHANNEL, `payload ${n}`);
    expect(slow.state.dropped).toBeGreaterThanOrEqual(99);
    expect(slow.state.dropped).toBeLessThanOrEqual(101);
    const stopped = slow.stop();
    const pump = setInterval(() => release(), 1);
    await stopped;
    clearInterval(pump);
  });

  test('carry up to 7,900 bytes, and refuse more before anything is sent', async () => {
    const [one, other] = [await start(), await start()];
    const heard = hear(other);
    await other.subscribed();
    one.publish(CHANNEL, 'x'.repeat(MAX_NOTICE_BYTES));
    one.publish(CHANNEL, 'ü'.repeat(MAX_NOTICE_BYTES / 2));
    await eventually(() => heard.length === 2);
    expect(() => one.publish(CHANNEL, 'ü'.repeat(MAX_NOTICE_BYTES / 2 + 1))).toThrow(RangeError);
    expect(() => one.publish('No Channel', 'x')).toThrow(RangeError);
  });

  test('are not asked for any more when nobody listens', async () => {
    const [one, other] = [await start(), await start()];
    const heard: string[] = [];
    const stop = other.on(CHANNEL, (payload) => heard.push(payload));
    const elsewhere = hear(other, 'sallyport_other');
    stop();
    await other.subscribed();
    one.publish(CHANNEL, 'unheard');
    one.publish('sallyport_other', 'heard');
    await eventually(() => elsewhere.length === 1);
    expect(heard).toEqual([]);
  });
});
