import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Database } from '../../../src/database/database.js';
import type { Queryable } from '../../../src/database/queryable.js';
import { MemoryPayloadStore } from '../../../src/engine/payloads/memory-payload.store.js';
import { PayloadVault } from '../../../src/engine/payloads/payload-vault.js';
import { PostgresExecutionStore } from '../../../src/engine/postgres/postgres-execution-store.js';
import { openSessions } from '../../../src/engine/postgres/session.js';
import { Housekeeping } from '../../../src/engine/retention/housekeeping.js';
import { Retention } from '../../../src/engine/retention/retention.js';
import type { RetentionHold } from '../../../src/engine/retention/retention-hold.js';
import { RetentionService } from '../../../src/engine/retention/retention.service.js';
import { CHILDREN, NEXT_OF_NAME } from '../../../src/engine/retention/sql.js';
import { CrashPoints, type CrashPoint } from '../../../src/engine/runtime/crash-points.js';
import { SILENT } from '../../../src/engine/runtime/runtime-log.js';
import { OpenReportHold } from '../../../src/reports/report-hold.js';
import { OpenReviewHold } from '../../../src/reviews/review-hold.js';
import { FakeClock } from '../../support/clock.js';
import { testDatabase, type TestDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';

const DAY = 86_400_000;

describe('retention', () => {
  let it: TestDatabase;
  let db: Database;
  let clock: FakeClock;
  let busy: boolean;
  let held: ReadonlySet<string>;
  afterAll(() => db.close());
  beforeEach(async () => {
    it = await testDatabase();
    await it.truncate();
    db ??= new Database(it.url);
    clock = new FakeClock();
    busy = false;
    held = new Set();
  });

  const holder = {
    name: 'test',
    held: async (_ids: readonly string[], _db?: Queryable) => held,
  } satisfies RetentionHold;
  const { held: askedFor } = holder;
  afterEach(() => void (holder.held = askedFor));
  const retention = (defaultDays = 30) =>
    new Retention({ db, clock, log: SILENT, defaultDays, holds: () => [holder], isBusy: () => busy });

  /** Rows of a workflow as the engine leaves them. `ageDays` is since its end; undefined: it runs. */
  async function stored(
    id: string,
    options: { name?: string; ageDays?: number; parent?: string; child?: string; createdDays?: number } = {},
  ): Promise<void> {
    const { name = 'flow', ageDays, parent = null, child = null } = options;
    const endedAt = ageDays === undefined ? null : clock.now() - ageDays * DAY;
    const createdAt = clock.now() - (options.createdDays ?? (ageDays ?? 100) + 1) * DAY;
    await it.query(
      `INSERT INTO workflow (id, name, version, status, revision, run_epoch, priority, parent_workflow_id, created_at,
         updated_at, ended_at, task_count, open_task_count, failed_references)
       VALUES ($1, $2, 1, $3, 1, 0, 0, $4, $5, $5, $6, 1, 0, '{}')`,
      [id, name, endedAt === null ? 'RUNNING' : 'COMPLETED', parent, createdAt, endedAt],
    );
    await it.query(
      `INSERT INTO workflow_payload (workflow_id, definition_digest, input, output, variables) VALUES ($1, 'd', '{}', '{}', '{}')`,
      [id],
    );
    await it.query(
      `INSERT INTO task (id, workflow_id, changed_rev, seq, ref, task_type, task_def_name, status, retry_count, retried,
         executed, iteration, sub_workflow_id, poll_count, scheduled_at, updated_at, first_scheduled_at,
         callback_after_seconds, queued, due_at, due, priority, fair_tag, response_timeout_ms, execution_timeout_ms,
         input, output)
       VALUES ($1, $2, 1, 1, 'a', 't', 't', 'COMPLETED', 0, false, true, 0, $3, 1, 1, 1, 1, 0, false, 1, false, 0, 1, 0, 0,
         '{}', '{}')`,
      [`task-${id}`, id, child],
    );
    await it.query(`INSERT INTO task_log (task_id, created_at, line) VALUES ($1, 1, 'line')`, [`task-${id}`]);
    await it.query(`INSERT INTO applied_command (workflow_id, command_id, at) VALUES ($1, 'c', 1)`, [id]);
    await it.query(
      `INSERT INTO external_payload (key, workflow_id, store, bytes, created_at, state) VALUES ($1, $2, 'memory', 1, 1, 'used')`,
      [`key-${id}`, id],
    );
  }
  const ids = async (): Promise<string[]> =>
    (await it.query<{ id: string }>('SELECT id FROM workflow ORDER BY id')).map(({ id }) => id);

  /** Time passes while somebody sleeps. */
  async function passing<T>(work: Promise<T>): Promise<T> {
    const state = { isOver: false };
    const done = work.finally(() => (state.isOver = true));
    while (!state.isOver) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (clock.sleeping.count > 0) clock.advance(200);
    }
    return await done;
  }

  test('removes what ended long enough ago, with everything that belongs to it', async () => {
    await stored('old', { ageDays: 31 });
    await stored('young', { ageDays: 29 });
    await stored('running');
    expect(await retention().round()).toBe(1);
    expect(await ids()).toEqual(['running', 'young']);
    for (const table of ['task', 'workflow_payload', 'applied_command']) {
      expect([table, (await it.query(`SELECT 1 FROM ${table} WHERE workflow_id = 'old'`)).length]).toEqual([
        table,
        0,
      ]);
    }
    expect(await it.query(`SELECT 1 FROM task_log WHERE task_id = 'task-old'`)).toEqual([]);
    const payloads = await it.query('SELECT workflow_id AS id, state FROM external_payload ORDER BY 1');
    expect(payloads).toEqual([
      { id: 'old', state: 'doomed' },
      { id: 'running', state: 'used' },
      { id: 'young', state: 'used' },
    ]);
    const audit = await it.query(`SELECT action, subject FROM audit_event`);
    expect(audit).toEqual([{ action: 'workflow.removed', subject: 'workflow-name:flow' }]);
    expect(await retention().round()).toBe(0);
  });

  test('goes by the name’s own days, where 0 means for ever', async () => {
    await it.query(
      `INSERT INTO retention_policy VALUES ('short', 1, 'test', 1), ('kept', 0, 'test', 1), ('long', 90, 'test', 1)`,
    );
    for (const name of ['short', 'kept', 'long', 'other']) {
      for (const ageDays of [2, 40, 400]) await stored(`${name}-${ageDays}`, { name, ageDays });
    }
    await retention().round();
    expect(await ids()).toEqual(['kept-2', 'kept-40', 'kept-400', 'long-2', 'long-40', 'other-2']);
    expect(await retention(0).round()).toBe(0);
  });

  test('leaves what anybody holds, until they let go', async () => {
    for (const id of ['a', 'b', 'c']) await stored(id, { ageDays: 100 });
    await it.query(`INSERT INTO workflow_hold VALUES ('a', 'court', 'user:x', 1)`);
    held = new Set(['b']);
    expect(await retention().round()).toBe(1);
    expect(await ids()).toEqual(['a', 'b']);
    held = new Set();
    await it.query('DELETE FROM workflow_hold');
    expect(await retention().round()).toBe(2);
  });

  test('removes nothing when somebody cannot say what they hold', async () => {
    await stored('a', { ageDays: 100 });
    const silent: RetentionHold = { name: 'silent', held: () => Promise.reject(new Error('away')) };
    const it2 = new Retention({
      db,
      clock,
      log: SILENT,
      defaultDays: 30,
      holds: () => [silent],
      isBusy: () => false,
    });
    await expect(it2.round()).rejects.toThrow('away');
    expect(await ids()).toEqual(['a']);
  });

  test('takes a workflow and those inside it together, and none of them while one is open or held', async () => {
    await stored('p1', { ageDays: 100, child: 'c1' });
    await stored('c1', { ageDays: 101, parent: 'p1', child: 'g1' });
    await stored('g1', { ageDays: 102, parent: 'c1' });
    await stored('p2', { ageDays: 100, child: 'c2' });
    await stored('c2', { parent: 'p2' });
    await stored('p3', { child: 'c3' });
    await stored('c3', { ageDays: 100, parent: 'p3' });
    await stored('p4', { ageDays: 100, child: 'c4' });
    await stored('c4', { ageDays: 100, parent: 'p4' });
    held = new Set(['c4']);
    expect(await retention().round()).toBe(3);
    expect(await ids()).toEqual(['c2', 'c3', 'c4', 'p2', 'p3', 'p4']);
  });

  test('takes no family apart when a hold is laid or a member goes on after the question', async () => {
    await stored('held', { ageDays: 100, child: 'its-child' });
    await stored('its-child', { ageDays: 100, parent: 'held' });
    await stored('old', { ageDays: 100, child: 'retried' });
    await stored('retried', { ageDays: 100, parent: 'old' });
    await stored('alone', { ageDays: 100 });
    let questions = 0;
    const late: RetentionHold = {
      name: 'late',
      held: async () => {
        if ((questions += 1) > 1) return new Set();
        await it.query(`INSERT INTO workflow_hold VALUES ('held', 'court', 'user:x', 1)`);
        await it.query(`UPDATE workflow SET status = 'RUNNING', ended_at = NULL WHERE id = 'retried'`);
        return new Set();
      },
    };
    const options = { db, clock, log: SILENT, defaultDays: 30, isBusy: () => false };
    expect(await new Retention({ ...options, holds: () => [late] }).round()).toBe(1);
    expect(await ids()).toEqual(['held', 'its-child', 'old', 'retried']);
  });

  test('removes nothing that a policy keeps which was set meanwhile', async () => {
    for (const id of ['a', 'b', 'c']) await stored(id, { ageDays: 31 });
    const service = new RetentionService(db, clock, 30);
    let questions = 0;
    holder.held = async (asked) => {
      // Between the first question and the removal.
      if ((questions += 1) === 1) await service.setPolicy('flow', 0, { kind: 'user', id: 'admin' });
      return askedFor(asked);
    };
    expect(await retention().round()).toBe(0);
    expect(await ids()).toEqual(['a', 'b', 'c']);
    await service.setPolicy('flow', 31, { kind: 'user', id: 'admin' });
    clock.advance(1);
    expect(await retention().round()).toBe(3);
  });

  test('is seen whole by whoever sets a policy: he waits for a removal that is under way', async () => {
    await stored('a', { ageDays: 31 });
    const service = new RetentionService(db, clock, 30);
    let set: Promise<void> | undefined;
    const answered: string[] = [];
    let questions = 0;
    holder.held = async () => {
      if ((questions += 1) === 2) {
        set = service
          .setPolicy('flow', 0, { kind: 'user', id: 'admin' })
          .then(() => void answered.push('set'));
        await eventually(async () => {
          const waiting = await it.query(
            `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`,
          );
          return waiting.length === 1;
        });
        expect(answered).toEqual([]);
      }
      return new Set();
    };
    expect(await retention().round()).toBe(1);
    await set;
    expect(questions).toBe(2);
    await stored('b', { ageDays: 31 });
    expect(await retention().round()).toBe(0);
  });

  test('leaves what somebody holds since the question was asked first', async () => {
    for (const id of ['a', 'b']) await stored(id, { ageDays: 31 });
    let questions = 0;
    holder.held = async () => new Set((questions += 1) === 1 ? [] : ['a']);
    expect(await retention().round()).toBe(1);
    expect(await ids()).toEqual(['a']);
  });

  test('asks on its own connection, and keeps who would hold more waiting until it has removed', async () => {
    await stored('a', { ageDays: 31 });
    const asked: string[][] = [];
    holder.held = async (_ids, connection: Queryable = db) => {
      const locks = await connection.query<{ mode: string }>(
        `SELECT mode FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() ORDER BY mode`,
      );
      asked.push(locks.map(({ mode }) => mode));
      return new Set();
    };
    expect(await retention().round()).toBe(1);
    expect(asked).toEqual([[], ['ExclusiveLock', 'ShareLock']]);
  });

  test('leaves what an open review is about, and what a report in the making covers', async () => {
    for (const id of ['asked', 'cancelled', 'weekly']) await stored(id, { ageDays: 31 });
    await stored('earlier', { ageDays: 41, createdDays: 42 });
    const review = `INSERT INTO review (id, task_id, workflow_id, title, outcomes, subject, subject_digest, created_at,
      updated_at, checked_at) VALUES (gen_random_uuid(), $1, $1, 't', '{a}', '{}', 'd', 1, 1, 1)`;
    const cancel = `UPDATE review SET state = 'CANCELLED', cancelled_at = 1, cancel_reason = 'x' WHERE workflow_id = $1`;
    for (const id of ['asked', 'cancelled']) await it.query(review, [id]);
    await it.query(cancel, ['cancelled']);
    const report = `INSERT INTO report (id, kind, label, period_from, period_to, scheduled, requested_by, workflow_id, created_at)
      VALUES (gen_random_uuid(), 'weekly', 'w', $1, $2, false, 'x', $3, 1)`;
    await it.query(report, [clock.now() - 50 * DAY, clock.now() - 40 * DAY, 'weekly']);
    const holds = [new OpenReviewHold(), new OpenReportHold()];
    const parts = { db, clock, log: SILENT, defaultDays: 30, isBusy: () => false };
    expect(await new Retention({ ...parts, holds: () => holds }).round()).toBe(1);
    expect(await ids()).toEqual(['asked', 'earlier', 'weekly']);
    await it.query(`UPDATE report SET status = 'ready'`);
    await it.query(cancel, ['asked']);
    expect(await new Retention({ ...parts, holds: () => holds }).round()).toBe(3);
  });

  test('removes workflows with thousands of others inside them, one after the other', async () => {
    for (const root of ['a', 'b']) {
      await stored(root, { ageDays: 100 });
      await it.query(
        `INSERT INTO workflow (id, name, version, status, revision, run_epoch, priority, parent_workflow_id, created_at,
           updated_at, ended_at, task_count, open_task_count, failed_references)
         SELECT $1 || '-' || n, 'flow', 1, status, 1, 0, 0, $1, created_at, updated_at, ended_at, 0, 0, '{}'
         FROM workflow, generate_series(1, 10001) AS n WHERE id = $1`,
        [root],
      );
      await it.query(
        `INSERT INTO task (id, workflow_id, changed_rev, seq, ref, task_type, task_def_name, status, retry_count, retried,
           executed, iteration, sub_workflow_id, poll_count, scheduled_at, updated_at, first_scheduled_at,
           callback_after_seconds, queued, due_at, due, priority, fair_tag, response_timeout_ms, execution_timeout_ms,
           input, output)
         SELECT 'task-' || $1 || '-' || n, $1, 1, 1 + n, 'a', 't', 't', 'COMPLETED', 0, false, true, 0, $1 || '-' || n, 1, 1,
           1, 1, 0, false, 1, false, 0, 1, 0, 0, '{}', '{}'
         FROM generate_series(1, 10001) AS n`,
        [root],
      );
    }
    expect(await passing(retention().round())).toBe(2 * 10_002);
    expect(await ids()).toEqual([]);
  });

  test('leaves what another transaction is at, and what another node removes', async () => {
    await stored('a', { ageDays: 100 });
    await stored('b', { ageDays: 100 });
    await db.transaction(async (tx) => {
      await tx.query(`SELECT 1 FROM workflow WHERE id = 'a' FOR NO KEY UPDATE`);
      expect(await retention().round()).toBe(1);
    });
    expect(await ids()).toEqual(['a']);
    await db.transaction(async (tx) => {
      await tx.query('SELECT pg_advisory_xact_lock(7205759404)');
      expect(await retention().round()).toBe(0);
    });
    expect(await retention().round()).toBe(1);
  });

  test('walks past what stays, in pages, with a pause between two', async () => {
    for (let i = 0; i < 250; i++)
      await stored(`w${String(i).padStart(3, '0')}`, i % 2 ? { ageDays: 90 } : {});
    expect(await passing(retention().round())).toBe(125);
  });

  test('waits while commits are behind, and gives the round up when they stay so', async () => {
    await stored('a', { ageDays: 100 });
    busy = true;
    const state = { isOver: false };
    const round = retention()
      .round()
      .finally(() => (state.isOver = true));
    while (!state.isOver) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (clock.sleeping.count > 0) clock.advance(5_000);
    }
    expect(await round).toBe(0);
  });

  test('a round also removes the values of removed workflows, what nobody used, and what nobody asks for', async () => {
    await stored('old', { ageDays: 31 });
    await it.query(`INSERT INTO poll_data VALUES ('q', 'w', '', 1)`);
    await it.query(
      `INSERT INTO workflow_inbox (kind, source_workflow_id, source_task_id, target_workflow_id, effect, created_at, due_at, attempts, abandoned)
       VALUES ('childEnded', 's', 't', 'x', '{}', 1, 1, 8, true)`,
    );
    const store = new MemoryPayloadStore();
    await store.put('key-old', '{}');
    const executions = new PostgresExecutionStore(db);
    try {
      const vault = (crash: CrashPoints) =>
        new PayloadVault({
          stores: { primary: store, fallback: store },
          records: executions,
          clock,
          crash,
          log: SILENT,
        });
      const keeping = (crash = new CrashPoints()) =>
        new Housekeeping({
          db,
          store: executions,
          clock,
          log: SILENT,
          retention: retention(),
          payloads: vault(crash),
        });
      // The process ends after the value is gone and before its record is.
      class Ends extends CrashPoints {
        override reach(point: CrashPoint): void {
          if (point === 'payload:removed') throw new Error('ended');
        }
      }
      await expect(keeping(new Ends()).once()).rejects.toThrow('ended');
      expect(store.keys).toEqual([]);
      expect(await it.query('SELECT state FROM external_payload')).toEqual([{ state: 'doomed' }]);
      await keeping().once();
      for (const table of [
        'external_payload',
        'poll_data',
        'workflow_inbox',
        'applied_command',
        'workflow',
      ]) {
        expect([table, (await it.query(`SELECT 1 FROM ${table}`)).length]).toEqual([table, 0]);
      }
    } finally {
      await executions.close();
    }
  });

  test('reads by index only', async () => {
    const sessions = openSessions(db);
    const plan = async (statement: string, values: unknown[]): Promise<string> =>
      (await sessions.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${statement}`, values)).rows
        .map((row) => row['QUERY PLAN'])
        .join('\n');
    try {
      const next = await plan(NEXT_OF_NAME, ['flow', 1, 0, '', 10]);
      expect(next).toContain('workflow_name_created');
      expect(next).not.toContain('Seq Scan');
      expect(await plan(CHILDREN, [['a']])).not.toContain('Seq Scan');
    } finally {
      await sessions.end();
    }
  });
});
