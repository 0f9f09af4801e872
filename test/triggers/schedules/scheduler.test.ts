import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { CronTimes } from '../../../src/triggers/schedules/cron-times.js';
import { ScheduledJobs } from '../../../src/triggers/schedules/scheduled-job.js';
import { firingId, MAX_ATTEMPTS } from '../../../src/triggers/schedules/scheduler.js';
import { drain, scheduleParts, spec } from './schedule-parts.js';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const parts = await scheduleParts();
const { clock, database, job, node, schedules, test } = parts;

beforeEach(async () => {
  await test.truncate();
  job.runs.length = 0;
  job.work = () => Promise.resolve();
});

const settle = (...nodes: ReturnType<typeof node>[]) => drain(database, nodes, () => clock.now());
const firings = (name = 'hourly') => schedules.firings(name, 100);
/** To the next full hour. */
const toTheHour = () => clock.advance(HOUR - (clock.now() % HOUR));

describe('a schedule', () => {
  it('fires when it is due, with the due instant, and once however many nodes look', async () => {
    const { id } = await schedules.create(spec({ payload: { a: 1 } }), 'user:alice');
    const nodes = [node(), node(), node()];
    await settle(...nodes);
    expect(job.runs).toEqual([]);
    toTheHour();
    const due = clock.now();
    clock.advance(1500);
    await settle(...nodes);
    expect(job.runs).toHaveLength(1);
    expect(job.runs[0]).toMatchObject({
      firedAt: due,
      payload: { a: 1 },
      firing: { id: firingId(id, due), scheduleName: 'hourly', attempt: 1 },
    });
    expect(await firings()).toMatchObject([{ due_at: due, state: 'done', attempts: 1 }]);
    expect(await schedules.get('hourly')).toMatchObject({
      last_fire_at: due,
      last_outcome: 'done',
      last_error: null,
      next_fire_at: due + HOUR,
    });
  });

  it('that is paused, or of a kind that this node does not know, does not fire', async () => {
    await schedules.create(spec({ enabled: false }), 'user:alice');
    toTheHour();
    await settle(node());
    await schedules.resume('hourly', 'user:alice');
    toTheHour();
    const older = node(new ScheduledJobs([]));
    await older.turn();
    expect(job.runs).toEqual([]);
    await settle(node());
    expect(job.runs).toHaveLength(1);
  });

  it('makes up for nothing of the time of its pause', async () => {
    await schedules.create(spec(), 'user:alice');
    await schedules.pause('hourly', 'user:alice');
    clock.advance(5 * HOUR);
    await schedules.resume('hourly', 'user:alice');
    await settle(node());
    expect(job.runs).toEqual([]);
  });

  it('runs one firing after the other, oldest first', async () => {
    await schedules.create(spec(), 'user:alice');
    clock.advance(3 * HOUR);
    let together = 0;
    let most = 0;
    job.work = async () => {
      together += 1;
      most = Math.max(most, together);
      await Promise.resolve();
      together -= 1;
    };
    await settle(node(), node());
    expect(most).toBe(1);
    expect(job.runs.map(({ firedAt }) => firedAt)).toEqual(
      job.runs.map(({ firedAt }) => firedAt).sort((a, b) => a - b),
    );
    expect(job.runs).toHaveLength(3);
  });

  it('whose job fails tries again later with the same id, and says why', async () => {
    await schedules.create(spec(), 'user:alice');
    toTheHour();
    job.work = () => Promise.reject(new Error('no room\u0000'));
    await settle(node());
    expect(job.runs).toHaveLength(1);
    expect(await schedules.get('hourly')).toMatchObject({ last_outcome: 'retrying', last_error: 'no room' });
    job.work = () => Promise.resolve();
    clock.advance(5_000);
    await settle(node());
    expect(new Set(job.runs.map(({ firing }) => firing.id)).size).toBe(1);
    expect(job.runs.map(({ firing }) => firing.attempt)).toEqual([1, 2]);
    expect(await schedules.get('hourly')).toMatchObject({ last_outcome: 'done', last_error: null });
  });

  it('gives a firing up in the end, and goes on with the next one', async () => {
    await schedules.create(spec(), 'user:alice');
    toTheHour();
    job.work = () => Promise.reject(new Error('never'));
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      await settle(node());
      clock.advance(10 * MINUTE);
    }
    job.work = () => Promise.resolve();
    await settle(node());
    const all = await firings();
    expect(all.at(-1)).toMatchObject({ state: 'failed', attempts: MAX_ATTEMPTS, error: 'never' });
    expect(all.slice(0, -1).every(({ state }) => state === 'done')).toBe(true);
    expect(all.length).toBeGreaterThan(1);
  });

  it('whose process died runs again on another node, with the same id', async () => {
    await schedules.create(spec(), 'user:alice');
    toTheHour();
    job.work = () => new Promise(() => undefined);
    // This process is never heard of again.
    await node().turn();
    job.work = () => Promise.resolve();
    const other = node();
    await settle(other);
    expect(job.runs).toHaveLength(1);
    // Nothing else moves the clock, so the dead one's renewals stay out: as if it were dead.
    await database.query(`UPDATE schedule_firing SET look_at = $1`, [clock.now()]);
    await settle(other);
    expect(job.runs.map(({ firing }) => firing.attempt)).toEqual([1, 2]);
    expect(job.runs[0]?.firing.id).toBe(job.runs[1]?.firing.id);
    expect(await firings()).toMatchObject([{ state: 'done', attempts: 2 }]);
  });

  it('tells a job whose firing was taken over, and keeps what the new holder says', async () => {
    await schedules.create(spec(), 'user:alice');
    toTheHour();
    let end = (): void => undefined;
    job.work = ({ signal }) =>
      new Promise((resolve) => {
        end = resolve;
        signal.addEventListener('abort', () => resolve());
      });
    const hung = node();
    await hung.turn();
    await database.query(`UPDATE schedule_firing SET look_at = $1`, [clock.now()]);
    job.work = () => Promise.reject(new Error('the new one failed'));
    await settle(node());
    clock.advance(20_000);
    await hung.settled();
    expect(job.runs[0]?.firing.signal.aborted).toBe(true);
    expect(await schedules.get('hourly')).toMatchObject({ last_error: 'the new one failed' });
    end();
  });

  it('that nobody was there for fires as its catch-up says, and tells what it left out', async () => {
    await schedules.create(spec({ name: 'none', catchUp: 'none' }), 'user:alice');
    await schedules.create(spec({ name: 'last', catchUp: 'last' }), 'user:alice');
    await schedules.create(spec({ name: 'all', catchUp: 'all', catchUpWithinSeconds: 7200 }), 'user:alice');
    toTheHour();
    clock.advance(4.5 * HOUR);
    await settle(node());
    const runs = (name: string) => job.runs.filter(({ firing }) => firing.scheduleName === name).length;
    expect([runs('none'), runs('last'), runs('all')]).toEqual([0, 1, 2]);
    expect(await firings('none')).toMatchObject([{ state: 'missed', missed_until: clock.now() + 1 }]);
    expect(await schedules.get('none')).toMatchObject({ last_outcome: 'missed' });
    expect((await firings('last')).map(({ state }) => state)).toEqual(['done', 'missed']);
  });

  it('fills no table when its job hangs or its cron is due each second', async () => {
    await schedules.create(spec({ cron: '* * * * * *' }), 'user:alice');
    clock.advance(HOUR);
    const busy = node(new ScheduledJobs([job]));
    job.work = () => new Promise(() => undefined);
    await busy.turn();
    await busy.turn();
    await node().turn();
    expect(await firings()).toHaveLength(100);
  });

  it('keeps the newest of what is over', async () => {
    const { id } = await schedules.create(spec(), 'user:alice');
    await database.query(
      `INSERT INTO schedule_firing (schedule_id, due_at, kind, state, look_at)
       SELECT $1, n, 'noted', 'done', n FROM generate_series(1, 500) AS n`,
      [id],
    );
    toTheHour();
    await settle(node());
    const [count] = await database.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM schedule_firing',
    );
    expect(count?.count).toBeLessThanOrEqual(201);
  });

  it('is run when somebody asks, paused or not, beside its times', async () => {
    await schedules.create(spec({ enabled: false }), 'user:alice');
    const first = await schedules.runNow('hourly', 'user:alice');
    const second = await schedules.runNow('hourly', 'user:alice');
    expect(second).toBe(first + 1);
    await settle(node());
    expect(job.runs.map(({ firedAt }) => firedAt)).toEqual([first, second]);
    expect(await firings()).toMatchObject([{ requested_by: 'user:alice' }, { requested_by: 'user:alice' }]);
  });
});

describe('each due instant', () => {
  it('fires exactly once, in any zone, with clocks that jump, restarts and two replicas', async () => {
    const some = (max: number, count: number) =>
      fc.uniqueArray(fc.integer({ min: 0, max: max - 1 }), { minLength: 1, maxLength: count });
    const start = fc.oneof(
      fc.integer({ min: Date.UTC(2026, 2, 26), max: Date.UTC(2026, 3, 4) }),
      fc.integer({ min: Date.UTC(2026, 9, 22), max: Date.UTC(2026, 10, 2) }),
    );
    const step = fc.record({
      jump: fc.integer({ min: -2 * HOUR, max: 12 * HOUR }),
      restarts: fc.boolean(),
      failure: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'UTC'),
        some(60, 1),
        fc.oneof(fc.constant('*'), some(24, 4).map(String)),
        start,
        fc.array(step, { minLength: 1, maxLength: 4 }),
        async (timeZone, minutes, hours, from, steps) => {
          await test.truncate();
          job.runs.length = 0;
          clock.advance(from - clock.now());
          const cron = `${minutes.join(',')} ${hours} * * *`;
          await schedules.create(spec({ cron, timeZone, catchUpWithinSeconds: 7_776_000 }), 'user:alice');
          let nodes = [node(), node()];
          let latest = clock.now();
          for (const { jump, restarts, failure } of steps) {
            clock.advance(jump);
            latest = Math.max(latest, clock.now());
            let left = failure ? 1 : 0;
            job.work = () => (left-- > 0 ? Promise.reject(new Error('once')) : Promise.resolve());
            await settle(...nodes);
            clock.advance(10_000);
            latest = Math.max(latest, clock.now());
            await settle(...nodes);
            if (restarts) {
              await Promise.all(nodes.map((old) => old.stop()));
              nodes = [node(), node()];
            }
          }
          clock.advance(latest - clock.now());
          await settle(...nodes);
          const times = new CronTimes(cron, timeZone);
          const expected: number[] = [];
          for (let at = times.next(from); at !== undefined && at <= latest; at = times.next(at))
            expected.push(at);
          const rows = await database.query<{ due_at: number; state: string }>(
            'SELECT due_at::float8, state FROM schedule_firing ORDER BY due_at',
          );
          expect(rows).toEqual(expected.map((due_at) => ({ due_at, state: 'done' })));
          const ran = job.runs.filter(({ firing }) => firing.attempt === 1);
          expect(ran.map(({ firedAt }) => firedAt)).toEqual(expected);
        },
      ),
      { numRuns: 8 },
    );
  }, 120_000);
});
