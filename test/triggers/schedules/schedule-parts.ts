import { pino } from 'pino';
import { afterAll } from 'vitest';
import type { Instant } from '../../../src/clock.js';
import { Database } from '../../../src/database/database.js';
import type { JsonObject } from '../../../src/engine/model/json.js';
import { InvalidInput } from '../../../src/errors.js';
import type { ScheduleSpec } from '../../../src/triggers/schedules/schedule-spec.js';
import { ScheduledJob, ScheduledJobs, type Firing } from '../../../src/triggers/schedules/scheduled-job.js';
import { Scheduler } from '../../../src/triggers/schedules/scheduler.js';
import { Schedules } from '../../../src/triggers/schedules/schedules.service.js';
import { testDatabase } from '../../support/database.js';
import { StillClock } from '../../verdicts/still-clock.js';

/** Keeps a note of each run. */
export class NotedJob extends ScheduledJob {
  readonly kind = 'noted';
  readonly runs: { readonly firedAt: Instant; readonly firing: Firing; readonly payload: JsonObject }[] = [];
  /** What a run does after its note. */
  work: (firing: Firing) => Promise<void> = () => Promise.resolve();

  checkPayload(payload: JsonObject): void {
    if (payload.bad !== undefined) throw InvalidInput.field('payload.bad', 'is not taken');
  }

  async run(payload: JsonObject, firedAt: Instant, firing: Firing): Promise<void> {
    this.runs.push({ payload, firedAt, firing });
    await this.work(firing);
  }

  get firedAt(): string[] {
    return this.runs.map(({ firedAt }) => new Date(firedAt).toISOString().slice(5, 16));
  }
}

export const spec = (parts: Partial<ScheduleSpec> = {}): ScheduleSpec => ({
  name: 'hourly',
  kind: 'noted',
  payload: {},
  cron: '0 * * * *',
  timeZone: 'UTC',
  catchUp: 'all',
  catchUpWithinSeconds: 86_400,
  enabled: true,
  ...parts,
});

/** Schedules on this file's own database; `node()` is one more process. */
export async function scheduleParts() {
  const test = await testDatabase();
  const database = new Database(test.url, { maxConnections: 8 });
  afterAll(() => database.close());
  const clock = new StillClock();
  const job = new NotedJob();
  const jobs = new ScheduledJobs([job]);
  const log = pino({ level: 'silent' });
  const node = (known = jobs): Scheduler => new Scheduler({ database, clock, jobs: known, log });
  return { test, database, clock, job, jobs, node, schedules: new Schedules(database, clock, jobs) };
}

/** Looks with every node until nothing more is to be done at this moment. */
export async function drain(
  database: Database,
  nodes: readonly Scheduler[],
  now: () => Instant,
): Promise<void> {
  for (let look = 0; look < 1000; look++) {
    await Promise.all(nodes.map((node) => node.turn()));
    await Promise.all(nodes.map((node) => node.settled()));
    const [left] = await database.query<{ left: number }>(
      `SELECT (SELECT count(*) FROM schedule_firing f WHERE state IN ('waiting', 'running') AND look_at <= $1
                  AND NOT EXISTS (SELECT 1 FROM schedule_firing e WHERE e.schedule_id = f.schedule_id
                                     AND e.due_at < f.due_at AND e.state IN ('waiting', 'running')))::int
            + (SELECT count(*) FROM schedule WHERE enabled AND next_fire_at <= $1)::int AS left`,
      [now()],
    );
    if (left?.left === 0) return;
  }
  throw new Error('it never ends');
}
