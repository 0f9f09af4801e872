import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { migrate } from '../../src/database/migrate.js';
import { Notices } from '../../src/database/notices.js';
import { isPooled } from '../../src/database/session-settings.js';
import { anotherDatabase, testDatabase, type TestDatabase } from '../support/database.js';
import { EngineOnDatabase } from '../support/engine-on-database.js';
import { chain, FunctionWorker, TESTER } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { hasPgBouncer, PgBouncer } from '../support/pgbouncer.js';

// What a transaction pooler would carry from one client to the next, and what it would take from under our feet.
const SETTINGS = [
  'enable_seqscan',
  'enable_hashjoin',
  'statement_timeout',
  'idle_in_transaction_session_timeout',
];

describe.skipIf(!hasPgBouncer())('through PgBouncer in transaction mode', { timeout: 60_000 }, () => {
  let db: TestDatabase;
  let bouncer: PgBouncer;
  const nodes: EngineOnDatabase[] = [];
  beforeAll(async () => {
    db = await testDatabase();
    bouncer = await PgBouncer.inFrontOf([db.url, db.adminUrl]);
  });
  afterEach(async () => {
    for (const node of nodes.splice(0)) await node.stop();
  });
  afterAll(() => bouncer.stop());

  const startNode = async (homeId: string, workers: FunctionWorker[] = []) => {
    const node = await EngineOnDatabase.start(bouncer.through(db.url), { homeId, workers });
    nodes.push(node);
    await node.register(chain('three', 'step', 'step', 'step'));
    return node;
  };

  /** Asks every server connection of the pool, by keeping all of them busy at once. */
  async function onEveryServer<Row>(statement: string): Promise<Row[]> {
    const clients = Array.from(
      { length: 4 },
      () => new Client({ connectionString: bouncer.through(db.url) }),
    );
    for (const client of clients) await client.connect();
    try {
      for (const client of clients) await client.query('BEGIN');
      const answers: Row[] = [];
      const servers = new Set<number>();
      for (const client of clients) {
        const [row] = (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows;
        servers.add(row?.pid ?? 0);
        answers.push(...((await client.query(statement)).rows as Row[]));
      }
      expect(servers.size).toBe(4);
      return answers;
    } finally {
      for (const client of clients) await client.end();
    }
  }

  test('two nodes run workflows to their end on four server connections, and leave nothing behind on them', async () => {
    const workers = () => [new FunctionWorker('step', undefined, 20)];
    const [one, two] = [await startNode('one', workers()), await startNode('two', workers())];
    const client = await one.database.pool.connect();
    expect(isPooled(client)).toBe(true);
    client.release();
    const ids = await Promise.all(
      Array.from({ length: 300 }, (_, index) =>
        (index % 2 === 0 ? one : two).engine.start({ name: 'three' }, TESTER),
      ),
    );
    await eventually(
      async () => {
        for (const id of ids) if ((await two.engine.get(id)).status !== 'COMPLETED') return false;
        return true;
      },
      { timeoutMs: 30_000 },
    );
    for (const name of SETTINGS) {
      const values = await onEveryServer<{ value: string; original: string }>(
        `SELECT setting AS value, reset_val AS original FROM pg_settings WHERE name = '${name}'`,
      );
      expect(values).toHaveLength(4);
      for (const { value, original } of values) expect(`${name}=${value}`).toBe(`${name}=${original}`);
    }
    expect(await onEveryServer('SELECT name FROM pg_prepared_statements')).toEqual([]);
    expect(await db.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'")).toEqual([]);
    expect(one.lines.filter(({ level }) => level >= 40)).toEqual([]);
  });

  test('the engine plans as it does without', async () => {
    const node = await startNode('one');
    const seen = await node.database.transaction((tx) =>
      tx.query("SELECT current_setting('statement_timeout') AS value"),
    );
    expect(seen).toEqual([{ value: '55s' }]);
    // The engine's own transactions set the planner for themselves.
    const id = await node.engine.start({ name: 'three' }, TESTER);
    expect((await node.engine.get(id)).status).toBe('RUNNING');
  });

  test('notices arrive by a listening connection of their own', async () => {
    const heard: string[] = [];
    const node = await startNode('one');
    const listener = await Notices.start({ listenUrl: db.url, sender: node.database });
    const speaker = await Notices.start({ listenUrl: db.url, sender: node.database });
    try {
      listener.on('sallyport_test', (payload) => heard.push(payload));
      await listener.subscribed();
      speaker.publish('sallyport_test', 'hello');
      await eventually(() => heard.includes('hello'));
    } finally {
      await listener.stop();
      await speaker.stop();
    }
  });

  test('starters that come at once migrate one after the other, and no lock stays behind', async () => {
    const empty = await anotherDatabase('bounced');
    const admin = new Client({ connectionString: empty.adminUrl });
    await admin.connect();
    const owner = decodeURIComponent(new URL(empty.url).username);
    await admin.query(`DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION "${owner}"`);
    const schemas = await Promise.all(Array.from({ length: 4 }, () => migrate(bouncer.through(empty.url))));
    expect(schemas.filter(({ applied }) => applied.length > 0)).toHaveLength(1);
    const { rows } = await admin.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'");
    await admin.end();
    expect(rows).toEqual([]);
  });

  test('a PgBouncer that takes nobody more is a state of its own', async () => {
    const narrow = await PgBouncer.inFrontOf([db.url], { max_client_conn: 3 });
    const name = `held-${randomBytes(3).toString('hex')}`;
    const held = Array.from(
      { length: 3 },
      () => new Client({ connectionString: narrow.through(db.url), application_name: name }),
    );
    try {
      const node = await startNode('one');
      for (const client of held) {
        client.on('error', () => undefined);
        await client.connect();
      }
      const late = new Client({ connectionString: narrow.through(db.url) });
      late.on('error', () => undefined);
      const refusal = await late.connect().catch((error: unknown) => error);
      expect(node.database.state.failed(refusal)).toBe('crowded');
    } finally {
      for (const client of held) await client.end();
      await narrow.stop();
    }
  });
});
