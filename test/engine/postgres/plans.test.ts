import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Database } from '../../../src/database/database.js';
import { openSessions } from '../../../src/engine/postgres/session.js';
import { LOCK_AS_KNOWN } from '../../../src/engine/postgres/sql/assume.js';
import { WORKFLOW_BYTES } from '../../../src/engine/postgres/sql/stored-bytes.js';
import { CLAIM_TASKS } from '../../../src/engine/postgres/sql/claim-tasks.js';
import {
  CLAIM_TIMERS,
  CLAIMED_TIMERS,
  SOON_DUE,
  UNCLAIM_TIMERS,
} from '../../../src/engine/postgres/sql/claim-timers.js';
import {
  ABANDONED_INBOX,
  CLAIM_INBOX,
  CLAIMED_INBOX,
  START_PENDING,
  UNCLAIM_INBOX,
} from '../../../src/engine/postgres/sql/inbox.js';
import { LIST_CHANGES, REVISIONS } from '../../../src/engine/postgres/sql/list-changes.js';
import { OUTLOOK } from '../../../src/engine/postgres/sql/outlook.js';
import { READ_QUEUES, READ_STATES } from '../../../src/engine/postgres/sql/readings.js';
import { QUEUE_SIZES } from '../../../src/engine/postgres/sql/queues.js';
import { countStatement, pageStatement } from '../../../src/engine/postgres/sql/search-workflows.js';
import { PROMOTE_DELAYED } from '../../../src/engine/postgres/sql/promote-delayed.js';
import { TASKS_AHEAD } from '../../../src/engine/postgres/sql/tasks-ahead.js';
import { testDatabase } from '../../support/database.js';

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Index Name'?: string;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly PlanNode[];
}

interface Touched {
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
}

const flatten = (node: PlanNode): readonly PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flatten)];

/** On empty tables, where a plan by sequence would look cheap and then stay. */
describe('the plan of', () => {
  let database: Database;
  let sessions: ReturnType<typeof openSessions>;
  beforeAll(async () => {
    database = new Database((await testDatabase()).url);
    sessions = openSessions(database);
  });
  afterAll(async () => {
    await sessions.end();
    await database.close();
  });

  async function plan(statement: string, values: readonly unknown[]) {
    const { rows } = await sessions.query<{ 'QUERY PLAN': readonly { Plan: PlanNode }[] }>(
      `EXPLAIN (FORMAT JSON) ${statement}`,
      [...values],
    );
    const nodes = flatten(rows[0]?.['QUERY PLAN'][0]?.Plan as PlanNode);
    const tables = nodes.filter((node) => node['Relation Name'] !== undefined);
    return {
      scanned: tables.filter((node) => node['Node Type'] === 'Seq Scan').map((node) => node['Relation Name']),
      indexes: nodes.flatMap((node) => node['Index Name'] ?? []),
      sorts: nodes.filter((node) => node['Node Type'].includes('Sort')).length,
    };
  }

  test('a claim reads the due tasks in their order and sorts nothing', async () => {
    const { scanned, indexes } = await plan(CLAIM_TASKS, ['type', ['w'], [''], 1, 600_000, []]);
    expect(scanned).toEqual([]);
    expect(indexes).toContain('task_due');
    expect(indexes).toContain('workflow_pkey');
  });

  test('the timers reads the due ones only', async () => {
    const { scanned, indexes, sorts } = await plan(CLAIM_TIMERS, ['node', 1, 10]);
    expect({ scanned, sorts }).toEqual({ scanned: [], sorts: 0 });
    expect(indexes).toContain('workflow_timer_due');
  });

  test('the workflows of a batch are locked as they are known, by their keys', async () => {
    const { scanned, indexes } = await plan(LOCK_AS_KNOWN, [
      ['v', 'w'],
      [1, 2],
    ]);
    expect(scanned).toEqual([]);
    expect(indexes).toEqual(['workflow_pkey']);
  });

  test('how much there is to read is asked of those workflows and tasks only', async () => {
    const { scanned, indexes } = await plan(WORKFLOW_BYTES, [
      ['v', 'w'],
      [-1, 2],
    ]);
    expect(scanned).toEqual([]);
    expect(indexes).toEqual(expect.arrayContaining(['task_changed', 'workflow_payload_pkey']));
  });

  test('what changed since a revision reads those tasks only', async () => {
    const { scanned, indexes } = await plan(LIST_CHANGES, [['w'], [1], 10]);
    expect(scanned).toEqual([]);
    expect(indexes).toEqual(expect.arrayContaining(['task_changed', 'workflow_pkey']));
    expect((await plan(REVISIONS, [['w']])).indexes).toEqual(['workflow_pkey']);
  });

  test('the promotion of delayed tasks reads the ripe ones only', async () => {
    const { scanned, indexes, sorts } = await plan(PROMOTE_DELAYED, [1, 10]);
    expect({ scanned, sorts }).toEqual({ scanned: [], sorts: 0 });
    expect(indexes).toContain('task_delayed');
  });

  test('the inbox reads the due rows only', async () => {
    const { scanned, indexes, sorts } = await plan(CLAIM_INBOX, ['node', 1, 10]);
    expect({ scanned, sorts }).toEqual({ scanned: [], sorts: 0 });
    expect(indexes).toContain('workflow_inbox_next');
  });

  test('the place in a queue is counted from the head of its index', async () => {
    const { scanned, indexes, sorts } = await plan(TASKS_AHEAD, ['id', 10_000]);
    expect({ scanned, sorts }).toEqual({ scanned: [], sorts: 0 });
    expect(new Set(indexes)).toEqual(new Set(['task_pkey', 'task_due']));
  });

  test('the readings for the metrics walk indexes, each a bounded way', async () => {
    const states = await plan(READ_STATES, [10_001]);
    expect({ scanned: states.scanned, sorts: states.sorts }).toEqual({ scanned: [], sorts: 0 });
    expect(new Set(states.indexes)).toEqual(
      new Set(['workflow_status_created', 'workflow_inbox_next', 'workflow_timer_due']),
    );
    const queues = await plan(READ_QUEUES, [['a', 'b'], 200, 10_000]);
    expect(queues.scanned).toEqual([]);
    expect(new Set(queues.indexes)).toEqual(new Set(['task_due']));
  });

  test('the sizes of the queues are counted from what is queued only', async () => {
    const { scanned, indexes } = await plan(QUEUE_SIZES, [null]);
    expect(scanned).toEqual([]);
    expect(new Set(indexes)).toEqual(new Set(['task_due', 'task_delayed']));
  });

  const FAILED = ['FAILED', 'TIMED_OUT'] as const;
  test.each([
    ['all', {}, 'workflow_created'],
    ['some statuses', { status: FAILED }, 'workflow_status_created'],
    ['a name', { workflowName: 'n' }, 'workflow_name_created'],
    ['a name and some statuses', { workflowName: 'n', status: FAILED }, 'workflow_name_status_created'],
    [
      'a name, also the completed',
      { workflowName: 'n', status: ['COMPLETED'] as const },
      'workflow_name_created',
    ],
    ['a correlation id', { correlationId: 'c', status: FAILED, workflowName: 'n' }, 'workflow_correlation'],
  ])('a search for %s walks one index in its order', async (_, filter, index) => {
    const after = Buffer.from(JSON.stringify([1, 'w'])).toString('base64url');
    for (const { text, values } of [
      pageStatement({ ...filter, limit: 100 }),
      pageStatement({ ...filter, limit: 100, skip: 10_000, from: 1, to: 2 }),
      pageStatement({ ...filter, limit: 100, cursor: after }),
      countStatement(filter),
    ]) {
      const { scanned, indexes } = await plan(text, values);
      expect(scanned).toEqual([]);
      expect(indexes.filter((name) => name !== 'workflow_pkey')).toEqual([index]);
    }
  });

  test.each([
    ['what a node holds of the inbox', CLAIMED_INBOX, ['node'], 'workflow_inbox_claimed'],
    ['what it lets go of', UNCLAIM_INBOX, ['node', [1]], 'workflow_inbox_'],
    ['what timers a node holds', CLAIMED_TIMERS, ['node'], 'workflow_timer_claimed'],
    ['what comes due soon', SOON_DUE, [1, 2, 10], 'workflow_timer_due'],
    ['those that it lets go of', UNCLAIM_TIMERS, ['node', ['w']], 'workflow_timer_'],
    ['a start that may be pending', START_PENDING, ['w', 't', 'c'], 'workflow_inbox_source'],
    ['what was given up', ABANDONED_INBOX, [10], 'workflow_inbox_abandoned'],
  ])('%s is found by an index', async (_, statement, values, index) => {
    const { scanned, indexes, sorts } = await plan(statement, values);
    expect({ scanned, sorts }).toEqual({ scanned: [], sorts: 0 });
    expect(indexes).toEqual([expect.stringContaining(index)]);
  });

  test('the outlook touches only the heads of indexes', async () => {
    const { scanned, indexes } = await plan(OUTLOOK, [1, ['a', 'b']]);
    expect(scanned).toEqual([]);
    expect(new Set(indexes)).toEqual(
      new Set(['workflow_timer_due', 'task_delayed', 'workflow_inbox_next', 'task_due']),
    );
  });

  test('a search that finds nothing touches nothing, however many others there are and wherever they stand', async () => {
    await sessions.query(
      `INSERT INTO workflow (id, name, version, status, revision, run_epoch, priority, created_at, updated_at,
         task_count, open_task_count, failed_references)
       SELECT 'parked' || g, 'name' || g % 2, 1, CASE g % 2 WHEN 0 THEN 'RUNNING' ELSE 'FAILED' END, 1, 0, 0, g, g, 1, 1, '{}'
       FROM generate_series(1, 20000) AS g`,
    );
    await sessions.query('VACUUM (ANALYZE) workflow');
    for (const filter of [
      { status: ['TIMED_OUT', 'PAUSED'] as const },
      { workflowName: 'nothing' },
      { workflowName: 'name0', status: ['FAILED'] as const },
      { correlationId: 'nothing' },
    ]) {
      for (const { text, values } of [pageStatement({ ...filter, limit: 100 }), countStatement(filter)]) {
        const { rows } = await sessions.query<{ 'QUERY PLAN': readonly { Plan: Touched }[] }>(
          `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${text}`,
          values,
        );
        const top = rows[0]?.['QUERY PLAN'][0]?.Plan;
        expect((top?.['Shared Hit Blocks'] ?? 0) + (top?.['Shared Read Blocks'] ?? 0)).toBeLessThan(20);
      }
    }
    await sessions.query('TRUNCATE workflow');
  });

  test('a claim touches as little when a hundred thousand tasks are parked and two priorities wait', async () => {
    const rows = (id: string, count: number, values: string) =>
      sessions.query(
        `INSERT INTO task (id, workflow_id, changed_rev, seq, ref, task_type, task_def_name, status, retry_count,
           retried, executed, iteration, poll_count, scheduled_at, updated_at, first_scheduled_at,
           callback_after_seconds, queued, due_at, due, priority, fair_tag, response_timeout_ms,
           execution_timeout_ms, input, output)
         SELECT '${id}' || g, 'w' || g % 100, 1, g, 'r', 'type', 'type', ${values}
         FROM generate_series(1, ${count}) AS g`,
      );
    await sessions.query(
      `INSERT INTO workflow (id, name, version, status, revision, run_epoch, priority, created_at, updated_at,
         task_count, open_task_count, failed_references)
       SELECT 'w' || g, 'n', 1, 'RUNNING', 1, 0, 0, 1, 1, 1, 1, '{}' FROM generate_series(0, 99) AS g`,
    );
    await rows(
      'parked',
      100_000,
      `'IN_PROGRESS', 0, false, false, 0, 1, 1, 1, 1, 0, false, 1, false, 0, g, 0, 0, '{}', '{}'`,
    );
    await rows(
      'due',
      200,
      `'SCHEDULED', 0, false, false, 0, 0, 1, 1, 1, 0, true, 1, true, g % 2, g, 0, 0, '{}', '{}'`,
    );
    const { rows: answer } = await sessions.query<{
      'QUERY PLAN': readonly { Plan: PlanNode & Touched }[];
    }>(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${CLAIM_TASKS}`, [
      'type',
      Array.from({ length: 10 }, () => 'w'),
      Array.from({ length: 10 }, () => ''),
      2,
      600_000,
      [],
    ]);
    const top = answer[0]?.['QUERY PLAN'][0]?.Plan;
    if (top === undefined) throw new Error('no plan');
    const nodes = flatten(top);
    expect(nodes.filter((node) => node['Node Type'] === 'Seq Scan')).toEqual([]);
    // The parked rows alone are thousands of pages.
    expect(top['Shared Hit Blocks'] + top['Shared Read Blocks']).toBeLessThan(1_000);
  });
});
