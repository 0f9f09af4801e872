import { pino } from 'pino';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { Dispatcher } from '../../src/backlog/dispatcher.js';
import { Database } from '../../src/database/database.js';
import type { Queryable } from '../../src/database/queryable.js';
import { IntakeService } from '../../src/intake/intake.service.js';
import { coverage } from '../../src/verdicts/verdicts.queries.js';
import { FakeEngine } from '../backlog/fake-engine.js';
import { awsMessage, intakeParts } from './intake-parts.js';

const { test, database, clock, buckets, bell, rules, intake } = await intakeParts();
const log = pino({ level: 'silent' });
const webhook = { kind: 'webhook' } as const;

/** Dies at its n-th statement, as a process that is killed there: what was not committed is gone. */
class DyingDatabase extends Database {
  private left = Number.POSITIVE_INFINITY;

  dieAt(statement: number): void {
    this.left = statement;
  }

  get isDead(): boolean {
    return this.left <= 0;
  }

  override query<Row = Record<string, unknown>>(
    text: string,
    values: readonly unknown[] = [],
  ): Promise<Row[]> {
    this.count();
    return super.query<Row>(text, values);
  }

  override transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    return super.transaction((tx) =>
      work({
        query: async <Row>(text: string, values: readonly unknown[] = []) => {
          this.count();
          return tx.query<Row>(text, values);
        },
      }),
    );
  }

  private count(): void {
    this.left -= 1;
    if (this.left <= 0) throw new Error('killed');
  }
}

const dying = new DyingDatabase(test.url, { maxConnections: 4 });
afterAll(() => dying.close());
beforeEach(() => test.truncate());

const mortal = new IntakeService(dying, clock, buckets, rules, bell, log);
const message = awsMessage(
  { key: 'a', versionId: 'v1', sequencer: 'A' },
  { bucket: 'plain', key: 'b', eTag: 'e', size: 1, sequencer: 'A' },
  { key: 'c', eventName: 'ObjectRemoved:Delete', versionId: 'v0' },
);

it('a process that is killed at any statement of intake or dispatch loses nothing and starts nothing twice', async () => {
  let finished = 0;
  for (let statement = 1; finished < 2 && statement < 100; statement += 1) {
    await test.truncate();
    finished = 0;
    const from = clock.now();

    // The source hears nothing of a message that was not stored, and delivers it again.
    dying.dieAt(statement);
    await mortal.accept(message, webhook).catch(() => undefined);
    if (!dying.isDead) finished += 1;
    await intake.accept(message, webhook);

    const engine = new FakeEngine();
    const parts = { engine, clock, bell, log, maxRunning: 8 };
    dying.dieAt(statement);
    await new Dispatcher({ ...parts, database: dying }).dispatch().catch(() => undefined);
    if (!dying.isDead) finished += 1;
    clock.advance(120_000);
    await new Dispatcher({ ...parts, database }).dispatch();

    const [row] = await test.query(
      `SELECT (SELECT count(*)::int FROM intake_event) AS events, (SELECT count(*)::int FROM object_version) AS objects,
              (SELECT count(*)::int FROM scan WHERE started_at IS NOT NULL) AS scans,
              (SELECT count(*)::int FROM backlog_item) AS waiting`,
    );
    expect({ ...row, started: engine.started.size }, `killed at statement ${statement}`).toEqual({
      events: 3,
      objects: 2,
      scans: 2,
      waiting: 0,
      started: 2,
    });
    expect((await coverage(database, from, clock.now())).uploaded).toBe(2);
  }
  // Every statement was once the last one: the loop ended because nothing was left to kill.
  expect(finished).toBe(2);
}, 60_000);
